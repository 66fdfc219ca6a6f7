/** Names of what is in the table whatever the cluster holds; those with a family end in 4 or 6. */
export const SETS = {
  /** destination . protocol . port -> chain */
  service: 'service',
  /** protocol . port, on any local address -> chain */
  nodePort: 'node-port',
  /** destination . protocol . port of Services that nobody answers for -> verdict */
  noEndpoints: 'no-endpoints',
  /** The same for node ports: protocol . port -> verdict */
  noNodePortEndpoints: 'no-node-port-endpoints',
  /** One map for each place in a frontend's row of backends: destination . protocol . port -> address . port */
  backend: 'backend',
  /** The same for node ports: protocol . port -> address . port */
  portBackend: 'port-backend',
  /** The same for rows of backends of this node only. */
  backendHere: 'backend-here',
  portBackendHere: 'port-backend-here',
  /** protocol . port -> pod address . port */
  hostPort: 'host-port',
  /** host address . protocol . port -> pod address . port */
  hostPortOnIP: 'host-port-on-ip',
  /** address . same address: connections of a pod to itself through a Service */
  hairpin: 'hairpin',
  /** address of a pod of this node that policies let in only some connections for -> chain */
  policedIngress: 'policed-ingress',
  /** The same for connections that the pod opens. */
  policedEgress: 'policed-egress',
  /** Networks that Services have their addresses from. */
  serviceNetworks: 'service-networks',
  /** Addresses of the cluster's nodes, which see pods' own addresses. */
  nodes: 'nodes',
} as const;

/** Packets with this bit get a source address of the node when they leave it. As upstream's kube-proxy. */
export const MASQUERADE_MARK = '0x4000';

export const MARK_FOR_MASQUERADE = `meta mark set meta mark or ${MASQUERADE_MARK}`;

/** The chain that refuses a connection; it is there whatever the cluster holds. */
export const ALWAYS_THERE = 'refuse';

/** What refuses a connection, and the verdict that drops it silently. */
export const REFUSE = `goto ${ALWAYS_THERE}`;
export const DROP = 'drop';
