import { type AuditConfig, auditConfig } from './audit-options.ts';
import {
  type AuthenticationOptions,
  type AuthorizationOptions,
  authenticationOptions,
  authorizationOptions,
} from './auth-options.ts';
import { canonicalCIDR, hostNetwork, nthAddress, overlap, sizeOf } from './cidr.ts';
import { type ClusterConfig, parseBackend } from './cluster-config.ts';
import { type NodeConfig, nodeConfig } from './node-config.ts';
import { ConfigError, type OptionValues, type PortRange } from './option.ts';
import { type RequestHeaderFlags, requestHeaderFlags } from './request-header-options.ts';
import { parseRuntimeConfig } from './runtime-config.ts';
import { DISABLEABLE_PARTS, type DisableablePart, type ServerOptionName, serverOptions } from './server-options.ts';

export interface ServerConfig extends NodeConfig<DisableablePart>, ClusterConfig {
  readonly bindAddress: string;
  readonly port: number;
  readonly advertiseAddress: string | undefined;
  readonly tlsSANs: readonly string[];
  readonly token: string | undefined;
  readonly tokenAuthFile: string | undefined;
  /** `group/version`, `api/beta` and the like -> served or not. */
  readonly runtimeConfig: ReadonlyMap<string, boolean>;
  readonly authentication: AuthenticationOptions;
  readonly authorization: AuthorizationOptions;
  readonly requestHeader: RequestHeaderFlags;
  /** A KubeSchedulerConfiguration. */
  readonly schedulerConfigFile: string | undefined;
  readonly nodePortRange: PortRange;
  readonly profiling: boolean;
  readonly shutdownDelayMs: number;
  readonly encryptionConfigFile: string | undefined;
  /** undefined: nothing is audited. */
  readonly audit: AuditConfig | undefined;
  readonly requestTimeoutMs: number;
  readonly maxRequestsInflight: number;
  readonly maxMutatingRequestsInflight: number;
  readonly eventTTLMs: number;
  readonly historyRetentionMs: number;
}

/** At most one network of each family, by their first addresses. */
function networksOf(option: ServerOptionName, cidrs: readonly string[]): readonly string[] {
  for (const isIPv6 of [false, true]) {
    const [first, second] = cidrs.filter((cidr) => cidr.includes(':') === isIPv6);
    if (first !== undefined && second !== undefined)
      throw new ConfigError(
        `--${option}: ${first} and ${second} are of one family; one IPv4 and one IPv6 network can be used`,
      );
  }
  return cidrs.map(canonicalCIDR);
}

/** Room for the Services that are always there, the cluster DNS at its tenth address among them. */
const MIN_SERVICE_ADDRESSES = 16;

function checkServiceNetwork(services: string, clusterCIDRs: readonly string[]): void {
  if (sizeOf(services) < MIN_SERVICE_ADDRESSES)
    throw new ConfigError(`--service-cidr ${services} is too small; ${MIN_SERVICE_ADDRESSES} addresses are the least`);
  const isIPv6 = services.includes(':');
  if (!clusterCIDRs.some((pods) => pods.includes(':') === isIPv6))
    throw new ConfigError(
      `--service-cidr ${services} is of a family that --cluster-cidr ${clusterCIDRs.join(',')} has no network of`,
    );
}

/** Checks what only makes sense together and fills in what depends on other settings. Throws ConfigError. */
export function serverConfig(values: OptionValues, hostname: string): ServerConfig {
  const get = <T>(name: ServerOptionName): T => values[name] as T;
  const serviceCIDRs = networksOf('service-cidr', get('service-cidr'));
  const [firstService] = serviceCIDRs;
  if (firstService === undefined) throw new ConfigError('--service-cidr: at least one network is needed');
  const clusterCIDRs = networksOf('cluster-cidr', get('cluster-cidr'));
  for (const pods of clusterCIDRs) {
    for (const services of serviceCIDRs) {
      if (overlap(pods, services))
        throw new ConfigError(
          `--cluster-cidr ${pods} and --service-cidr ${services} overlap; choose separate networks`,
        );
    }
  }
  const node = nodeConfig(values, hostname, DISABLEABLE_PARTS, serverOptions);
  for (const services of serviceCIDRs) checkServiceNetwork(services, clusterCIDRs);
  const clusterDNS = get<readonly string[]>('cluster-dns');
  const astray = clusterDNS.find((address) => !serviceCIDRs.some((cidr) => overlap(cidr, hostNetwork(address))));
  if (astray !== undefined && !node.disabled.has('dns'))
    throw new ConfigError(
      `--cluster-dns ${astray} is not in --service-cidr ${serviceCIDRs.join(',')}; only with --disable dns may it be elsewhere`,
    );
  return {
    ...node,
    bindAddress: get('bind-address'),
    port: get('https-listen-port'),
    advertiseAddress: get('advertise-address'),
    tlsSANs: get('tls-san'),
    token: get('token'),
    tokenAuthFile: get('token-auth-file'),
    runtimeConfig: parseRuntimeConfig(get('runtime-config')),
    authentication: authenticationOptions(get),
    authorization: authorizationOptions(get),
    requestHeader: requestHeaderFlags(get),
    schedulerConfigFile: get('scheduler-config'),
    clusterCIDRs,
    serviceCIDRs,
    nodePortRange: get('service-node-port-range'),
    clusterDNS: clusterDNS.length > 0 ? clusterDNS : [nthAddress(firstService, 10)],
    clusterDomain: get('cluster-domain'),
    networkBackend: parseBackend(get('network-backend')),
    profiling: get('profiling'),
    shutdownDelayMs: get('shutdown-delay-duration'),
    encryptionConfigFile: get('encryption-provider-config'),
    audit: auditConfig(get),
    requestTimeoutMs: positive('request-timeout', get('request-timeout')),
    maxRequestsInflight: positive('max-requests-inflight', get('max-requests-inflight')),
    maxMutatingRequestsInflight: positive('max-mutating-requests-inflight', get('max-mutating-requests-inflight')),
    eventTTLMs: get('event-ttl'),
    historyRetentionMs: get('history-retention'),
  };
}

function positive(name: ServerOptionName, value: number): number {
  if (value <= 0) throw new ConfigError(`--${name}: ${value} is not a number above 0`);
  return value;
}
