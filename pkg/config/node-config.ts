import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { NodeOptionName } from './node-options.ts';
import { ConfigError, type OptionSpec, type OptionValues } from './option.ts';
import { optionTexts } from './option-text.ts';

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
  /** Links to these logs. */
  readonly containerLogDir: string;
  /** Parent of the pods' cgroups, relative to each hierarchy's root; '/' for the default instance. */
  readonly cgroupRoot: string;
  /** The nftables table that the instance owns. */
  readonly nftTable: string;
  /** The interface through which pods reach those of other nodes, when that takes a tunnel. */
  readonly tunnelDevice: string;
}

/** What pods must leave to the machine, as the options have it: items `NAME=VALUE` and `NAME<VALUE`. */
export interface NodeReserves {
  readonly systemReserved: readonly string[];
  readonly kubeReserved: readonly string[];
  readonly evictionHard: readonly string[];
  readonly evictionSoft: readonly string[];
  readonly evictionSoftGracePeriod: readonly string[];
  readonly evictionMinimumReclaim: readonly string[];
  readonly evictionMaxPodGraceSeconds: number;
  readonly evictionTransitionPeriodMs: number;
  readonly containerLogMaxSizeBytes: number;
  readonly containerLogMaxFiles: number;
  /** 0: no limit. */
  readonly maxParallelImagePulls: number;
  readonly imageGCHighThresholdPercent: number;
  readonly imageGCLowThresholdPercent: number;
  readonly imageMinimumGCAgeMs: number;
  /** 0: no limit. */
  readonly imageMaximumGCAgeMs: number;
}

/** Who gets CPUs, memory and devices to himself, as the options have it: items `NAME=VALUE` and `NODE:TYPE=QUANTITY`. */
export interface NodeManagers {
  readonly cpuManagerPolicy: string;
  readonly cpuManagerPolicyOptions: readonly string[];
  readonly reservedCPUs: readonly string[];
  readonly memoryManagerPolicy: string;
  readonly reservedMemory: readonly string[];
  readonly topologyManagerPolicy: string;
  readonly topologyManagerScope: string;
  readonly topologyManagerPolicyOptions: readonly string[];
}

/** Where a node answers for Ingresses. A port that was not chosen is done without when it is taken. */
export interface IngressConfig {
  readonly http: { readonly port: number; readonly chosen: boolean };
  readonly https: { readonly port: number; readonly chosen: boolean };
  /** undefined: requests are not logged. */
  readonly accessLogPath: string | undefined;
}

/** What a machine needs to know to be a node, whether it is a server or an agent. */
export interface NodeConfig<Part extends string = string> {
  readonly paths: InstancePaths;
  /** All settings by name as texts, for people who look into a running process. */
  readonly flags: Readonly<Record<string, string>>;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly nodeName: string;
  /** Empty: find them from the default route. */
  readonly nodeIPs: readonly string[];
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly nodeTaints: readonly { key: string; value?: string; effect: string }[];
  readonly kubeletPort: number;
  readonly maxPods: number;
  /** Undefined: no limit. */
  readonly podPidsLimit: number | undefined;
  readonly shutdown: { readonly graceMs: number; readonly criticalGraceMs: number };
  readonly reserves: NodeReserves;
  readonly managers: NodeManagers;
  /** Others find the kubelet's sockets where upstream's has them. */
  readonly kubeletLinks: boolean;
  readonly containerRuntimeEndpoint: string | undefined;
  readonly podManifestDir: string;
  readonly allowedUnsafeSysctls: readonly string[];
  readonly registryConfig: string;
  readonly ingress: IngressConfig;
  readonly disabled: ReadonlySet<Part>;
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** `parts`: what `disable` may name; `specs`: of all settings, also of those that are not the node's. Throws ConfigError. */
export function nodeConfig<Part extends string>(
  values: OptionValues,
  hostname: string,
  parts: readonly Part[],
  specs: readonly OptionSpec[],
): NodeConfig<Part> {
  const get = <T>(name: NodeOptionName): T => values[name] as T;
  const dataDir = resolve(get<string>('data-dir'));
  const nodeName = (get<string | undefined>('node-name') ?? hostname).toLowerCase();
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(nodeName) || nodeName.length > 253) {
    throw new ConfigError(
      `--node-name: "${nodeName}" is not a DNS name; choose one of lower-case letters, digits, '-' and '.'`,
    );
  }
  const logLevel = LOG_LEVELS.find((level) => level === get<string>('log-level'));
  if (logLevel === undefined)
    throw new ConfigError(`--log-level: "${get<string>('log-level')}" is not one of ${LOG_LEVELS.join(', ')}`);
  return {
    paths: instancePaths(dataDir, values),
    flags: optionTexts(specs, values),
    logLevel,
    nodeName,
    nodeIPs: get('node-ip'),
    nodeLabels: parseLabels(get('node-label')),
    nodeTaints: get<readonly string[]>('node-taint').map(parseTaint),
    kubeletPort: get('kubelet-port'),
    maxPods: get('max-pods'),
    podPidsLimit: get<number>('pod-max-pids') > 0 ? get<number>('pod-max-pids') : undefined,
    shutdown: shutdownGrace(get('shutdown-grace-period'), get('shutdown-grace-period-critical-pods')),
    reserves: {
      systemReserved: get('system-reserved'),
      kubeReserved: get('kube-reserved'),
      evictionHard: get('eviction-hard'),
      evictionSoft: get('eviction-soft'),
      evictionSoftGracePeriod: get('eviction-soft-grace-period'),
      evictionMinimumReclaim: get('eviction-minimum-reclaim'),
      evictionMaxPodGraceSeconds: get('eviction-max-pod-grace-period'),
      evictionTransitionPeriodMs: get('eviction-pressure-transition-period'),
      containerLogMaxSizeBytes: get('container-log-max-size'),
      containerLogMaxFiles: get('container-log-max-files'),
      maxParallelImagePulls: get('max-parallel-image-pulls'),
      imageGCHighThresholdPercent: get('image-gc-high-threshold'),
      imageGCLowThresholdPercent: get('image-gc-low-threshold'),
      imageMinimumGCAgeMs: get('image-minimum-gc-age'),
      imageMaximumGCAgeMs: get('image-maximum-gc-age'),
    },
    managers: {
      cpuManagerPolicy: get('cpu-manager-policy'),
      cpuManagerPolicyOptions: get('cpu-manager-policy-options'),
      reservedCPUs: get('reserved-cpus'),
      memoryManagerPolicy: get('memory-manager-policy'),
      reservedMemory: get('reserved-memory'),
      topologyManagerPolicy: get('topology-manager-policy'),
      topologyManagerScope: get('topology-manager-scope'),
      topologyManagerPolicyOptions: get('topology-manager-policy-options'),
    },
    kubeletLinks: get<boolean | undefined>('kubelet-links') ?? instanceSuffix(dataDir) === '',
    containerRuntimeEndpoint: get('container-runtime-endpoint'),
    podManifestDir: get<string | undefined>('pod-manifest-path') ?? join(dataDir, 'agent/pod-manifests'),
    allowedUnsafeSysctls: get('allowed-unsafe-sysctls'),
    registryConfig: get<string | undefined>('registry-config') ?? join(DEFAULT_CONFIG_DIR, 'registries.yaml'),
    ingress: {
      http: chosenPort(get('ingress-http-port'), 80),
      https: chosenPort(get('ingress-https-port'), 443),
      accessLogPath: get('ingress-access-log'),
    },
    disabled: new Set(get<readonly string[]>('disable').map((item) => parsePart(item, parts))),
  };
}

function chosenPort(given: number | undefined, otherwise: number): { port: number; chosen: boolean } {
  return { port: given ?? otherwise, chosen: given !== undefined };
}

function instancePaths(dataDir: string, values: OptionValues): InstancePaths {
  const suffix = instanceSuffix(dataDir);
  const given = (name: string): string | undefined => values[name] as string | undefined;
  const isDefault = suffix === '';
  return {
    suffix,
    dataDir,
    runDir: given('run-dir') ?? (isDefault ? '/run/kube-lite' : `/run/kube-lite-${suffix}`),
    kubeconfig:
      given('write-kubeconfig') ??
      (isDefault ? join(DEFAULT_CONFIG_DIR, 'kube-lite.yaml') : join(dataDir, 'kube-lite.yaml')),
    podLogDir: given('pod-log-dir') ?? (isDefault ? '/var/log/pods' : join(dataDir, 'agent/pod-logs')),
    containerLogDir: isDefault ? '/var/log/containers' : join(dataDir, 'agent/container-logs'),
    cgroupRoot: given('cgroup-root') ?? (isDefault ? '/' : `/kube-lite-${suffix}`),
    nftTable: isDefault ? 'kube-lite' : `kube-lite-${suffix}`,
    tunnelDevice: isDefault ? 'kl-vxlan' : `kl-vx-${suffix}`,
  };
}

/** '' for the default data directory; otherwise what tells this instance's names on the host from others'. */
export function instanceSuffix(dataDir: string): string {
  return dataDir === DEFAULT_DATA_DIR ? '' : createHash('sha256').update(dataDir).digest('hex').slice(0, 8);
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

function parsePart<Part extends string>(item: string, parts: readonly Part[]): Part {
  const part = parts.find((known) => known === item);
  if (part === undefined) throw new ConfigError(`--disable: "${item}" is not one of ${parts.join(', ')}`);
  return part;
}

/** Throws a ConfigError when more is kept for critical pods than there is. */
function shutdownGrace(graceMs: number, criticalGraceMs: number): NodeConfig['shutdown'] {
  if (criticalGraceMs > graceMs) {
    throw new ConfigError('--shutdown-grace-period-critical-pods: must not be longer than --shutdown-grace-period');
  }
  return { graceMs, criticalGraceMs };
}
