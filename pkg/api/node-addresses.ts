import { isIPv6 } from 'node:net';
import type { Node } from './generated/types.ts';
import type { DeepReadonly } from './object.ts';

const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';
const TO_BE_DELETED = 'ToBeDeletedByClusterAutoscaler';

/** Whether traffic from outside may be sent to a node: it is Ready, not excluded by its label and not about to be removed. */
export function takesOutsideTraffic(node: DeepReadonly<Node>): boolean {
  if (node.metadata.labels?.[EXCLUDED] !== undefined) return false;
  if ((node.spec?.taints ?? []).some((taint) => taint.key === TO_BE_DELETED)) return false;
  return (node.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** The addresses of one family by which a node is reached from outside: its external ones, or else its internal ones. */
export function outsideAddresses(node: DeepReadonly<Node>, family: 'IPv4' | 'IPv6'): string[] {
  const own = (node.status?.addresses ?? []).filter(({ address }) => isIPv6(address) === (family === 'IPv6'));
  const ofType = (wanted: string): string[] => own.filter(({ type }) => type === wanted).map(({ address }) => address);
  const external = ofType('ExternalIP');
  return external.length > 0 ? external : ofType('InternalIP');
}
