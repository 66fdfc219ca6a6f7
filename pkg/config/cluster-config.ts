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

/** Throws ConfigError. */
export function parseBackend(text: string): NetworkBackend {
  const backend = NETWORK_BACKENDS.find((known) => known === text);
  if (backend === undefined)
    throw new ConfigError(`--network-backend: "${text}" is not one of ${NETWORK_BACKENDS.join(', ')}`);
  return backend;
}
