import { toleratedByAny } from '../../api/scheduling/tolerations.ts';
import type { Rejection, SchedulerPlugin } from '../framework/plugin.ts';

const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;
const REJECTED: Rejection = { plugin: 'NodeUnschedulable', reasons: ['node(s) were unschedulable'], resolvable: false };

/** Keeps pods off cordoned nodes. */
export const nodeUnschedulable: SchedulerPlugin = {
  name: 'NodeUnschedulable',
  filter(_state, { pod }, { node }) {
    if (node?.spec.unschedulable !== true) return undefined;
    return toleratedByAny(pod.spec.tolerations, TAINT) ? undefined : REJECTED;
  },
  mayHelp(event) {
    if (event.resource === 'Pod') return true;
    return event.resource === 'Node' && event.action !== 'Delete' && event.node.node?.spec.unschedulable !== true;
  },
};
