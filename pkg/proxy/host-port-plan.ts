import type { Node, Pod } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import { isPort } from './endpoints.ts';
import { familyOf, normalAddress } from './family.ts';
import { SETS } from './names.ts';
import { type Plan, PlanBuilder } from './plan.ts';

/** Ports of the host that lead to a pod of this node. */
export function planHostPorts(pod: DeepReadonly<Pod>): Plan {
  const plan = new PlanBuilder();
  const { spec, status } = pod;
  if (spec.hostNetwork === true || status.phase === 'Succeeded' || status.phase === 'Failed') return plan;
  const addresses = (status.podIPs ?? []).map((entry) => entry.ip);
  // Sidecars among the init containers serve as long as the pod lives.
  const sidecars = (spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  const ports = [...spec.containers, ...sidecars].flatMap((container) => container.ports ?? []);
  for (const { hostPort, hostIP = '', containerPort, protocol = 'TCP' } of ports) {
    if (!isPort(hostPort) || !isPort(containerPort)) continue;
    for (const address of addresses) {
      const family = familyOf(address);
      if (family === undefined) continue;
      const target = `${normalAddress(address)} . ${containerPort}`;
      const port = `${protocol.toLowerCase()} . ${hostPort}`;
      if (hostIP === '' || hostIP === '0.0.0.0' || hostIP === '::') {
        plan.element(`${SETS.hostPort}${family.suffix}`, port, target);
      } else if (familyOf(hostIP) === family) {
        plan.element(`${SETS.hostPortOnIP}${family.suffix}`, `${normalAddress(hostIP)} . ${port}`, target);
      }
      plan.element(`${SETS.hairpin}${family.suffix}`, `${normalAddress(address)} . ${normalAddress(address)}`);
    }
  }
  return plan;
}

/** The node's addresses in the cluster's network, which pods reach without masquerading. */
export function planNode(node: DeepReadonly<Node>): Plan {
  const plan = new PlanBuilder();
  for (const { type, address } of node.status?.addresses ?? []) {
    const family = familyOf(address);
    if (family === undefined || type !== 'InternalIP') continue;
    plan.element(`${SETS.nodes}${family.suffix}`, normalAddress(address));
  }
  return plan;
}
