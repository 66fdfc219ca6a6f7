import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { ConfigError, type OptionValues, type PortRange } from './option.ts';
import { DISABLEABLE_PARTS, type DisableablePart, type ServerOptionName } from './server-options.ts';

export const DEFAULT_DATA_DIR = '/var/lib/kube-lite';
export const DEFAULT_CONFIG_DIR = '/etc/kube-lite';

/** Where one instance keeps what is outside its data directory; another data directory means another instance. */
export interface InstancePaths {
  /** '' for the default data directory, else eight hex digits of the path's hash. */
  readonly suffix: string;
  readonly dataDir: string;
  readonly runDir: string;
  readonly kubeconfig: string;
  readonly podLogDir: string;
  /** Parent of the pods' cgroups, relative to each hierarchy's root; '/' for the default instance. */
  readonly cgroupRoot: string;
  /** The nftables table that the instance owns. */
  readonly nftTable: string;
}

export interface ServerConfig {
  readonly paths: InstancePaths;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly bindAddress: string;
  readonly port: number;
  readonly advertiseAddress: string | undefined;
  readonly tlsSANs: readonly string[];
  readonly token: string | undefined;
  readonly tokenAuthFile: string | undefined;
  /** A KubeSchedulerConfiguration. */
  readonly schedulerConfigFile: string | undefined;
  readonly clusterCIDRs: readonly string[];
  readonly serviceCIDRs: readonly string[];
  readonly nodePortRange: PortRange;
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  readonly maxRequestsInflight: number;
  readonly maxMutatingRequestsInflight: number;
  readonly eventTTLMs: number;
  readonly historyRetentionMs: number;
  readonly nodeName: string;
  /** Empty: find them from the default route. */
  readonly nodeIPs: readonly string[];
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly nodeTaints: readonly { key: string; value?: string; effect: string }[];
  readonly kubeletPort: number;
  readonly maxPods: number;
  readonly containerRuntimeEndpoint: string | undefined;
  readonly podManifestDir: string;
  readonly registryConfig: string;
  readonly disabled: ReadonlySet<DisableablePart>;
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Checks what only makes sense together and fills in what depends on other settings. Throws ConfigError. */
export function serverConfig(values: OptionValues, hostname: string): ServerConfig {
  const get = <T>(name: ServerOptionName): T => values[name] as T;
  const dataDir = resolve(get<string>('data-dir'));
  const suffix = instanceSuffix(dataDir);
  const nodeName = (get<string | undefined>('node-name') ?? hostname).toLowerCase();
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(nodeName) || nodeName.length > 253) {
    throw new ConfigError(
      `--node-name: "${nodeName}" is not a DNS name; choose one of lower-case letters, digits, '-' and '.'`,
    );
  }
  const logLevel = LOG_LEVELS.find((level) => level === get<string>('log-level'));
  if (logLevel === undefined)
    throw new ConfigError(`--log-level: "${get<string>('log-level')}" is not one of ${LOG_LEVELS.join(', ')}`);
  const serviceCIDRs = get<readonly string[]>('service-cidr');
  const [firstService] = serviceCIDRs;
  if (firstService === undefined) throw new ConfigError('--service-cidr: at least one network is needed');
  const clusterCIDRs = get<readonly string[]>('cluster-cidr');
  for (const pods of clusterCIDRs) {
    for (const services of serviceCIDRs) {
      if (overlap(pods, services))
        throw new ConfigError(
          `--cluster-cidr ${pods} and --service-cidr ${services} overlap; choose separate networks`,
        );
    }
  }
  const clusterDNS = get<readonly string[]>('cluster-dns');
  return {
    paths: {
      suffix,
      dataDir,
      runDir: get<string | undefined>('run-dir') ?? (suffix === '' ? '/run/kube-lite' : `/run/kube-lite-${suffix}`),
      kubeconfig:
        get<string | undefined>('write-kubeconfig') ??
        (suffix === '' ? join(DEFAULT_CONFIG_DIR, 'kube-lite.yaml') : join(dataDir, 'kube-lite.yaml')),
      podLogDir:
        get<string | undefined>('pod-log-dir') ?? (suffix === '' ? '/var/log/pods' : join(dataDir, 'agent/pod-logs')),
      cgroupRoot: get<string | undefined>('cgroup-root') ?? (suffix === '' ? '/' : `/kube-lite-${suffix}`),
      nftTable: suffix === '' ? 'kube-lite' : `kube-lite-${suffix}`,
    },
    logLevel,
    bindAddress: get('bind-address'),
    port: get('https-listen-port'),
    advertiseAddress: get('advertise-address'),
    tlsSANs: get('tls-san'),
    token: get('token'),
    tokenAuthFile: get('token-auth-file'),
    schedulerConfigFile: get('scheduler-config'),
    clusterCIDRs,
    serviceCIDRs,
    nodePortRange: get('service-node-port-range'),
    clusterDNS: clusterDNS.length > 0 ? clusterDNS : [nthAddress(firstService, 10)],
    clusterDomain: get('cluster-domain'),
    maxRequestsInflight: positive('max-requests-inflight', get('max-requests-inflight')),
    maxMutatingRequestsInflight: positive('max-mutating-requests-inflight', get('max-mutating-requests-inflight')),
    eventTTLMs: get('event-ttl'),
    historyRetentionMs: get('history-retention'),
    nodeName,
    nodeIPs: get('node-ip'),
    nodeLabels: parseLabels(get('node-label')),
    nodeTaints: get<readonly string[]>('node-taint').map(parseTaint),
    kubeletPort: get('kubelet-port'),
    maxPods: get('max-pods'),
    containerRuntimeEndpoint: get('container-runtime-endpoint'),
    podManifestDir: get<string | undefined>('pod-manifest-path') ?? join(dataDir, 'agent/pod-manifests'),
    registryConfig: get<string | undefined>('registry-config') ?? join(DEFAULT_CONFIG_DIR, 'registries.yaml'),
    disabled: new Set(get<readonly string[]>('disable').map(parsePart)),
  };
}

function positive(name: ServerOptionName, value: number): number {
  if (value <= 0) throw new ConfigError(`--${name}: ${value} is not a number above 0`);
  return value;
}

/** '' for the default data directory; otherwise what tells this instance's names on the host from others'. */
export function instanceSuffix(dataDir: string): string {
  return dataDir === DEFAULT_DATA_DIR ? '' : createHash('sha256').update(dataDir).digest('hex').slice(0, 8);
}

/** The `n`th address of an IPv4 or IPv6 network: `nthAddress('10.43.0.0/16', 10)` is `10.43.0.10`. */
export function nthAddress(cidr: string, n: number): string {
  const { base, bits } = parseCIDR(cidr);
  return formatAddress(base + BigInt(n), bits);
}

interface ParsedCIDR {
  /** The network's first address. */
  readonly base: bigint;
  /** 32 or 128. */
  readonly bits: number;
  readonly prefix: number;
}

function parseCIDR(cidr: string): ParsedCIDR {
  const [address = '', prefixText = ''] = cidr.split('/');
  const bits = address.includes(':') ? 128 : 32;
  const prefix = Number(prefixText);
  const value = bits === 32 ? parseIPv4(address) : parseIPv6(address);
  const hostBits = BigInt(bits - prefix);
  return { base: (value >> hostBits) << hostBits, bits, prefix };
}

function parseIPv4(address: string): bigint {
  return address.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseIPv6(address: string): bigint {
  const [head = '', tail] = address.split('::');
  const words = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'));
  const left = words(head);
  const right = words(tail);
  const middle = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...middle, ...right].reduce((value, word) => (value << 16n) | BigInt(`0x${word}`), 0n);
}

function formatAddress(value: bigint, bits: number): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const words = [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) => ((value >> shift) & 0xffffn).toString(16));
  return words.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}

function overlap(a: string, b: string): boolean {
  const left = parseCIDR(a);
  const right = parseCIDR(b);
  if (left.bits !== right.bits) return false;
  const hostBits = BigInt(left.bits - Math.min(left.prefix, right.prefix));
  return left.base >> hostBits === right.base >> hostBits;
}

function parseLabels(items: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    items.map((item) => {
      const [key = '', value = '', ...rest] = item.split('=');
      if (key === '' || rest.length > 0) throw new ConfigError(`--node-label: "${item}" is not key=value`);
      return [key, value];
    }),
  );
}

function parseTaint(item: string): { key: string; value?: string; effect: string } {
  const match = /^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(item);
  if (match === null)
    throw new ConfigError(`--node-taint: "${item}" is not key=value:NoSchedule (or PreferNoSchedule, NoExecute)`);
  const [, key = '', value, effect = ''] = match;
  return value === undefined ? { key, effect } : { key, value, effect };
}

function parsePart(item: string): DisableablePart {
  const part = DISABLEABLE_PARTS.find((known) => known === item);
  if (part === undefined) throw new ConfigError(`--disable: "${item}" is not one of ${DISABLEABLE_PARTS.join(', ')}`);
  return part;
}
