import { auditOptions } from './audit-options.ts';
import { authOptions } from './auth-options.ts';
import { instanceOptions, NODE_PARTS, nodeOptions } from './node-options.ts';
import type { OptionSpec, PortRange } from './option.ts';
import { requestHeaderOptions } from './request-header-options.ts';

/** Parts that `disable` may name. */
export const DISABLEABLE_PARTS = [
  ...NODE_PARTS,
  'scheduler',
  'controllers',
  'service-load-balancer',
  'deploy',
  'local-storage',
] as const;
export type DisableablePart = (typeof DISABLEABLE_PARTS)[number];

/** Every setting of `kube-lite server`, in the order of the help text. */
export const serverOptions = [
  ...instanceOptions,

  {
    name: 'bind-address',
    type: 'address',
    default: '0.0.0.0',
    description: 'address that the API server listens on; 0.0.0.0 and :: mean all, of both families',
  },
  { name: 'https-listen-port', type: 'port', default: 6443, description: 'port of the API server' },
  {
    name: 'advertise-address',
    type: 'address',
    description: 'address under which others reach the API server (default: the node address)',
  },
  {
    name: 'tls-san',
    type: 'list',
    default: [],
    description: 'further names and addresses in the API server certificate',
  },
  {
    name: 'token',
    type: 'string',
    secret: true,
    description: 'secret with which agents join (default: made at the first start)',
  },
  { name: 'token-auth-file', type: 'path', description: 'CSV file of static tokens: token,user,uid[,"group1,group2"]' },
  {
    name: 'runtime-config',
    type: 'list',
    default: [],
    description: 'APIs to serve or not beside the default: group/version[/resource]=true|false, api/beta=true',
  },
  ...authOptions,
  ...requestHeaderOptions,
  {
    name: 'scheduler-config',
    type: 'path',
    description: 'KubeSchedulerConfiguration file: profiles, plugins and extenders of the scheduler',
  },
  {
    name: 'write-kubeconfig',
    type: 'path',
    description: 'where to write the admin kubeconfig (default /etc/kube-lite/kube-lite.yaml)',
  },

  {
    name: 'cluster-cidr',
    type: 'cidrs',
    default: ['10.42.0.0/16'],
    description: 'networks that pod addresses come from',
  },
  {
    name: 'service-cidr',
    type: 'cidrs',
    default: ['10.43.0.0/16'],
    description: 'networks that Service addresses come from',
  },
  {
    name: 'service-node-port-range',
    type: 'portRange',
    default: { first: 30_000, last: 32_767 } as PortRange,
    description: 'ports that NodePort Services come from',
  },
  {
    name: 'cluster-dns',
    type: 'addresses',
    default: [],
    description: 'address of the cluster DNS (default: the tenth of the Service network)',
  },
  { name: 'cluster-domain', type: 'string', default: 'cluster.local', description: 'DNS domain of the cluster' },
  {
    name: 'request-timeout',
    type: 'duration',
    default: 60_000,
    description: 'how long the API server may take for an answer that is no watch or other stream',
  },
  {
    name: 'max-requests-inflight',
    type: 'int',
    default: 400,
    description: 'with max-mutating-requests-inflight the seats that priority and fairness divides among clients',
  },
  {
    name: 'max-mutating-requests-inflight',
    type: 'int',
    default: 200,
    description: 'with max-requests-inflight the seats that priority and fairness divides among clients',
  },
  {
    name: 'profiling',
    type: 'bool',
    default: true,
    description: 'whether profiles are served at /debug/pprof/ to those who may see them',
  },
  {
    name: 'shutdown-delay-duration',
    type: 'duration',
    default: 0,
    description: 'how long requests are served as before, with /readyz failing, after the server is told to stop',
  },
  {
    name: 'encryption-provider-config',
    type: 'path',
    description:
      'EncryptionConfiguration of stored objects (default: DATA-DIR/server/encryption.yaml, made for new clusters)',
  },
  ...auditOptions,
  { name: 'event-ttl', type: 'duration', default: 3_600_000, description: 'how long Events are kept' },
  {
    name: 'history-retention',
    type: 'duration',
    default: 86_400_000,
    description: 'how long old revisions can be read and watched',
  },

  {
    name: 'network-backend',
    type: 'string',
    default: 'vxlan',
    description:
      "how pods reach pods of other nodes: vxlan, host-gw (nodes in one segment), or none (another CNI plugin's)",
  },

  ...nodeOptions,
  {
    name: 'disable',
    type: 'list',
    default: [],
    description: `parts to leave out: ${DISABLEABLE_PARTS.join(', ')}`,
  },
] as const satisfies readonly OptionSpec[];

export type ServerOptionName = (typeof serverOptions)[number]['name'];
