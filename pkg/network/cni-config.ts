export interface CNIConfigOptions {
  readonly podCIDRs: readonly string[];
  readonly mtu: number;
  /** Where the plugin keeps which addresses are given away. */
  readonly stateDir: string;
}

/**
 * The CNI network configuration list: our plugin (scripts/cni), which makes a routed pair of interfaces for each pod, with addresses
 * from the node's blocks, and bandwidth limits where a pod's annotations ask for them. Masquerading and host ports are the proxy's.
 */
export function cniConfig({ podCIDRs, mtu, stateDir }: CNIConfigOptions): string {
  const plugin = {
    type: 'kube-lite',
    mtu,
    dataDir: stateDir,
    ranges: podCIDRs,
    capabilities: { bandwidth: true },
  };
  return `${JSON.stringify({ cniVersion: '1.0.0', name: 'kube-lite', plugins: [plugin] }, null, 2)}\n`;
}
