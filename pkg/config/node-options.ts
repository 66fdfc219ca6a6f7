import type { OptionSpec } from './option.ts';

/** Where an instance keeps its things, and what it says. */
export const instanceOptions = [
  {
    name: 'data-dir',
    type: 'path',
    default: '/var/lib/kube-lite',
    description: 'where the cluster state, keys and containers are kept',
  },
  {
    name: 'run-dir',
    type: 'path',
    description: 'where sockets are kept (default /run/kube-lite, or below it for another data directory)',
  },
  { name: 'log-level', type: 'string', default: 'info', description: 'debug, info, warn or error' },
] as const satisfies readonly OptionSpec[];

/** What makes a machine a node: the same for servers and agents. */
export const nodeOptions = [
  { name: 'node-name', type: 'string', description: 'name of this node (default: the host name)' },
  {
    name: 'node-ip',
    type: 'addresses',
    default: [],
    description: 'addresses of this node (default: those of the default route)',
  },
  { name: 'node-label', type: 'list', default: [], description: 'labels of this node when it registers, key=value' },
  {
    name: 'node-taint',
    type: 'list',
    default: [],
    description: 'taints of this node when it registers, key=value:effect',
  },
  { name: 'kubelet-port', type: 'port', default: 10_250, description: 'port of the kubelet' },
  { name: 'max-pods', type: 'int', default: 110, description: 'how many pods this node runs at the most' },
  {
    name: 'pod-max-pids',
    type: 'int',
    default: -1,
    description: 'how many processes a pod may have; -1: as many as the node has',
  },
  {
    name: 'shutdown-grace-period',
    type: 'duration',
    default: 0,
    description: 'how long pods have to end when the node is told to stop; 0: they go on without it',
  },
  {
    name: 'shutdown-grace-period-critical-pods',
    type: 'duration',
    default: 0,
    description: 'the last part of it, for critical pods only',
  },
  {
    name: 'system-reserved',
    type: 'list',
    default: [],
    description: 'what of the machine is kept for the system, cpu=500m,memory=1Gi',
  },
  {
    name: 'kube-reserved',
    type: 'list',
    default: [],
    description: 'what of the machine is kept for kube-lite itself, cpu=500m,memory=1Gi',
  },
  {
    name: 'reserved-cpus',
    type: 'list',
    default: [],
    description: 'which CPUs are kept for the system and kube-lite, 0,2-3; instead of the cpu of the two options above',
  },
  {
    name: 'cpu-manager-policy',
    type: 'string',
    default: 'none',
    description: 'none, or static: Guaranteed pods that ask for whole CPUs have them to themselves',
  },
  {
    name: 'cpu-manager-policy-options',
    type: 'list',
    default: [],
    description: 'options of the static policy, full-pcpus-only=true',
  },
  {
    name: 'memory-manager-policy',
    type: 'string',
    default: 'None',
    description: 'None, or Static: memory of Guaranteed pods comes from as few NUMA nodes as can be',
  },
  {
    name: 'reserved-memory',
    type: 'list',
    default: [],
    description: 'what the Static policy keeps free on each NUMA node, 0:memory=1Gi,1:memory=512Mi',
  },
  {
    name: 'topology-manager-policy',
    type: 'string',
    default: 'none',
    description: 'none, best-effort, restricted or single-numa-node: how near to each other what a pod gets has to be',
  },
  {
    name: 'topology-manager-scope',
    type: 'string',
    default: 'container',
    description: 'container or pod: whose CPUs, memory and devices are to be near each other',
  },
  {
    name: 'topology-manager-policy-options',
    type: 'list',
    default: [],
    description: 'options of the topology manager, prefer-closest-numa-nodes=true',
  },
  {
    name: 'eviction-hard',
    type: 'list',
    default: [
      'memory.available<100Mi',
      'nodefs.available<10%',
      'nodefs.inodesFree<5%',
      'imagefs.available<15%',
      'imagefs.inodesFree<5%',
    ],
    description: 'what must stay free; below it pods are evicted at once',
  },
  { name: 'eviction-soft', type: 'list', default: [], description: 'below it pods are evicted after a grace period' },
  {
    name: 'eviction-soft-grace-period',
    type: 'list',
    default: [],
    description: 'grace periods of the soft thresholds, memory.available=1m30s',
  },
  {
    name: 'eviction-minimum-reclaim',
    type: 'list',
    default: [],
    description: 'how much more than its threshold an eviction frees, nodefs.available=500Mi',
  },
  {
    name: 'eviction-max-pod-grace-period',
    type: 'int',
    default: 0,
    description: 'seconds that pods get at the most when a soft threshold ends them',
  },
  {
    name: 'eviction-pressure-transition-period',
    type: 'duration',
    default: 300_000,
    description: 'how long the node reports a pressure after it was last there',
  },
  {
    name: 'container-log-max-size',
    type: 'size',
    default: 10_485_760,
    description: 'size from which on the log of a container is rotated',
  },
  {
    name: 'container-log-max-files',
    type: 'int',
    default: 5,
    description: 'how many log files a container has at the most',
  },
  {
    name: 'max-parallel-image-pulls',
    type: 'int',
    default: 0,
    description: 'how many images are pulled at a time; 0: as many as are wanted',
  },
  {
    name: 'image-gc-high-threshold',
    type: 'int',
    default: 85,
    description: 'percent of the disk in use from which on unused images are removed',
  },
  {
    name: 'image-gc-low-threshold',
    type: 'int',
    default: 80,
    description: 'percent of the disk in use down to which unused images are removed',
  },
  {
    name: 'image-minimum-gc-age',
    type: 'duration',
    default: 120_000,
    description: 'how long an unused image is kept at the least',
  },
  {
    name: 'image-maximum-gc-age',
    type: 'duration',
    default: 0,
    description: 'how long an unused image is kept at the most; 0: as long as there is room',
  },
  {
    name: 'container-runtime-endpoint',
    type: 'string',
    description: 'socket of another CRI runtime, unix:///path (default: own containerd)',
  },
  {
    name: 'pod-manifest-path',
    type: 'path',
    description: 'directory of static pod manifests (default: DATA-DIR/agent/pod-manifests)',
  },
  {
    name: 'pod-log-dir',
    type: 'path',
    description: 'where container logs are kept (default /var/log/pods; below another data directory)',
  },
  {
    name: 'cgroup-root',
    type: 'string',
    description: 'cgroup that the cgroups of pods are made in (default: the root; own for another data directory)',
  },
  {
    name: 'allowed-unsafe-sysctls',
    type: 'list',
    default: [],
    description: 'sysctls that pods may set beside the safe ones, names or prefixes that end in *',
  },
  {
    name: 'ingress-http-port',
    type: 'port',
    description: 'port of this node for the HTTP requests of Ingresses (default 80, if it is free)',
  },
  {
    name: 'ingress-https-port',
    type: 'port',
    description: 'port of this node for the HTTPS requests of Ingresses (default 443, if it is free)',
  },
  {
    name: 'ingress-access-log',
    type: 'path',
    description: 'file that gets a line for each request to an Ingress (default: none)',
  },
  {
    name: 'kubelet-links',
    type: 'bool',
    description:
      'whether device plugins and monitoring agents find this kubelet below /var/lib/kubelet (default true; false for another data directory)',
  },
  {
    name: 'registry-config',
    type: 'path',
    description: 'mirrors and credentials of image registries (default /etc/kube-lite/registries.yaml)',
  },
] as const satisfies readonly OptionSpec[];

export type NodeOptionName = (typeof instanceOptions | typeof nodeOptions)[number]['name'] | 'disable';

/** Parts of a node that `disable` may name. */
export const NODE_PARTS = ['kubelet', 'proxy', 'dns', 'ingress'] as const;
