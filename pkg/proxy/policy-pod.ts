import type { Pod } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import { isPort } from './endpoints.ts';
import { familyOf, normalAddress } from './family.ts';

/** What network policies need to know of a pod that has addresses of its own. */
export interface PolicyPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
  readonly ports: readonly PolicyPodPort[];
  /** On this node: policies are enforced where the pod is. */
  readonly local: boolean;
}

interface PolicyPodPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

/**
 * The pod as policies see it; undefined for one in the node's network, one that has ended, and one without an address.
 * `assigned` are the addresses that the kubelet knows before the pod's status has them.
 */
export function policyPodOf(
  pod: DeepReadonly<Pod>,
  nodeName: string,
  assigned: readonly string[] | undefined,
): PolicyPod | undefined {
  const { metadata, spec, status } = pod;
  if (spec.hostNetwork === true || status?.phase === 'Succeeded' || status?.phase === 'Failed') return undefined;
  const known = assigned ?? (status?.podIPs ?? []).map(({ ip }) => ip);
  const addresses = known.filter((ip) => familyOf(ip) !== undefined).map(normalAddress);
  if (addresses.length === 0) return undefined;
  const sidecars = (spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  const ports = [...spec.containers, ...sidecars].flatMap((container) => container.ports ?? []);
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    labels: metadata.labels ?? {},
    addresses,
    ports: ports.flatMap(({ name = '', protocol = 'TCP', containerPort }) =>
      name !== '' && isPort(containerPort) ? [{ name, protocol, port: containerPort }] : [],
    ),
    local: spec.nodeName === nodeName,
  };
}
