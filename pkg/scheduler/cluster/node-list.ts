import type { NodeInfo } from '../framework/node-info.ts';

const ZONE = 'topology.kubernetes.io/zone';
const REGION = 'topology.kubernetes.io/region';

/** The zone of a node, as far as spreading the search goes. Upstream: GetZoneKey. */
export function zoneKey({ labels }: NodeInfo): string {
  return `${labels[REGION] ?? ''}/${labels[ZONE] ?? ''}`;
}

/** Nodes with zones taking turns, so that a search of a part of the list looks at every zone. Upstream: nodeTree. */
export function interleaveZones(nodes: Iterable<NodeInfo>): NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>();
  let count = 0;
  for (const node of nodes) {
    const key = zoneKey(node);
    const zone = zones.get(key);
    if (zone === undefined) zones.set(key, [node]);
    else zone.push(node);
    count++;
  }
  const lists = [...zones.values()];
  if (lists.length === 1) return lists[0] ?? [];
  const ordered: NodeInfo[] = [];
  for (let turn = 0; ordered.length < count; turn++) {
    for (const list of lists) {
      const node = list[turn];
      if (node !== undefined) ordered.push(node);
    }
  }
  return ordered;
}
