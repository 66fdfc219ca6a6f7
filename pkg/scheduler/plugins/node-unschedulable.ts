import { toleratedByAny } from '../../api/scheduling/tolerations.ts';
import type { Rejection, SchedulerPlugin } from '../framework/framework.ts';

const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;
const REJECTED: Rejection = { plugin: 'NodeUnschedulable', reasons: ['node(s) were unschedulable'], resolvable: false };

/** Keeps pods off cordoned nodes. */
export const nodeUnschedulable: SchedulerPlugin = {
  name: 'NodeUnschedulable',
  filter(_state, { pod }, { node }) {
    if (node?.spec.unschedulable !== true) return undefined;
    return toleratedByAny(pod.spec.tolerations, TAINT) ? undefined : REJECTED;
  },
  mayHelp: (event) => event.resource === 'Node' && event.node.node?.spec.unschedulable !== true,
};
