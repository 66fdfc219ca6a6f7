/**
 * Cluster DNS inside the process: Services, endpoints and pods from informers, everything else from the host's
 * resolvers. It binds addresses that exist already (pkg/network puts the cluster DNS address on the node). Follows the
 * Kubernetes DNS specification 1.1; corresponds to CoreDNS with its kubernetes, cache, forward and loop plugins.
 */
export { createDNS, type DNSDeps, type DNSOptions } from './dns.ts';
