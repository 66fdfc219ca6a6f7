import { hostNetwork, overlap } from './cidr.ts';
import { ConfigError } from './option.ts';

/** How packets get to the pods of other nodes; `none`: somebody else's CNI plugin makes the pod network. */
export const NETWORK_BACKENDS = ['vxlan', 'host-gw', 'none'] as const;
export type NetworkBackend = (typeof NETWORK_BACKENDS)[number];

/** What every node of a cluster has in common: the server's settings, which agents are told when they join. */
export interface ClusterConfig {
  readonly clusterCIDRs: readonly string[];
  readonly serviceCIDRs: readonly string[];
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  readonly networkBackend: NetworkBackend;
}

/**
 * Throws ConfigError when an address of this machine is one of those that pods or Services get: whoever asked for it would
 * be led to them.
 */
export function refuseOwnAddresses(
  { clusterCIDRs, serviceCIDRs }: Pick<ClusterConfig, 'clusterCIDRs' | 'serviceCIDRs'>,
  nodeIPs: readonly string[],
): void {
  for (const [option, what, cidrs] of [
    ['cluster-cidr', 'pod', clusterCIDRs],
    ['service-cidr', 'Service', serviceCIDRs],
  ] as const)
    for (const cidr of cidrs)
      for (const address of nodeIPs)
        if (overlap(cidr, hostNetwork(address)))
          throw new ConfigError(
            `this machine's address ${address} is in the ${what} network ${cidr}; choose another --${option} for the cluster`,
          );
}

/** Throws ConfigError. */
export function parseBackend(text: string): NetworkBackend {
  const backend = NETWORK_BACKENDS.find((known) => known === text);
  if (backend === undefined)
    throw new ConfigError(`--network-backend: "${text}" is not one of ${NETWORK_BACKENDS.join(', ')}`);
  return backend;
}
