/**
 * The service proxy: Services, EndpointSlices and host ports of this node's pods as one nftables table. It plans (pure
 * functions, one plan a Service), keeps what the kernel has been given, and applies the difference in one transaction.
 * It does not route, make pod networks or answer DNS. Corresponds to upstream's kube-proxy in nftables mode.
 */
export { createProxy, type ProxyDeps, type ProxyOptions, type ServiceProxy } from './proxy.ts';
