/**
 * The pod network of one node: the CNI configuration that gives pods their interfaces, routes to the pods of other
 * nodes, and what the host must have switched on for it. All changes of the host are noted for `uninstall`. It does not
 * translate addresses (pkg/proxy) or answer DNS (pkg/dns). Corresponds to upstream's CNI plugins such as flannel.
 */
export { detectNodeAddresses } from './detect.ts';
export { examineNetwork, type NetworkReport } from './doctor/doctor.ts';
export { createNetwork, type NetworkDeps, type NetworkOptions } from './network.ts';
export { procSysctls, type Sysctls } from './sysctls.ts';
