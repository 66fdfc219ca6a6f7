export interface CNIConfigOptions {
  readonly podCIDRs: readonly string[];
  readonly mtu: number;
  /** Where host-local keeps which addresses are given away. */
  readonly stateDir: string;
}

/**
 * The CNI network configuration list: a routed pair of interfaces for each pod, addresses from the node's blocks, and
 * bandwidth limits where a pod's annotations ask for them. Masquerading and host ports are the proxy's.
 */
export function cniConfig(options: CNIConfigOptions): string {
  const { podCIDRs, mtu, stateDir } = options;
  const routes = [...new Set(podCIDRs.map((cidr) => (cidr.includes(':') ? '::/0' : '0.0.0.0/0')))];
  const config = {
    cniVersion: '1.0.0',
    name: 'kube-lite',
    plugins: [
      {
        type: 'ptp',
        mtu,
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: stateDir,
          ranges: podCIDRs.map((subnet) => [{ subnet }]),
          routes: routes.map((dst) => ({ dst })),
        },
      },
      { type: 'bandwidth', capabilities: { bandwidth: true } },
    ],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
