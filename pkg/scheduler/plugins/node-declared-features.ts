import { featuresToRun, undeclared } from '../../api/scheduling/declared-features.ts';
import { equalJSON } from '../../base/json.ts';
import type { Rejection, SchedulerPlugin } from '../framework/plugin.ts';

const REJECTED: Rejection = {
  plugin: 'NodeDeclaredFeatures',
  reasons: ["node(s) didn't match Pod's required features"],
  resolvable: false,
};

/** Keeps pods off nodes that do not declare what the pod needs to run as it says. */
export const nodeDeclaredFeatures: SchedulerPlugin = {
  name: 'NodeDeclaredFeatures',
  preFilter: (_state, { pod }) => (featuresToRun(pod.spec).length === 0 ? { skip: true } : undefined),
  filter: (_state, { pod }, { node }) =>
    undeclared(featuresToRun(pod.spec), node?.status?.declaredFeatures).length === 0 ? undefined : REJECTED,
  mayHelp(event) {
    if (event.resource === 'Pod') return true;
    if (event.resource !== 'Node' || event.action === 'Delete') return false;
    const now = event.node.node?.status?.declaredFeatures;
    return event.action === 'Add' || !equalJSON(now, event.old.status?.declaredFeatures);
  },
};
