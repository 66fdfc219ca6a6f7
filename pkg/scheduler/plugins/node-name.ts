import type { Rejection, SchedulerPlugin } from '../framework/plugin.ts';

const REJECTED: Rejection = {
  plugin: 'NodeName',
  reasons: ["node(s) didn't match the requested node name"],
  resolvable: false,
};

/** Honours spec.nodeName where it is set before scheduling. */
export const nodeName: SchedulerPlugin = {
  name: 'NodeName',
  preFilter: (_state, { pod }) => (pod.spec.nodeName ? undefined : { skip: true }),
  filter: (_state, { pod }, node) => (pod.spec.nodeName === node.name ? undefined : REJECTED),
  mayHelp: (event) => event.resource === 'Node' && event.action === 'Add',
};
