import type { Rejection, SchedulerPlugin } from '../framework/plugin.ts';

const REJECTED: Rejection = {
  plugin: 'NodePorts',
  reasons: ["node(s) didn't have free ports for the requested pod ports"],
  resolvable: true,
};

/** Host ports are used once a node. */
export const nodePorts: SchedulerPlugin = {
  name: 'NodePorts',
  preFilter: (_state, { hostPorts }) => (hostPorts.length === 0 ? { skip: true } : undefined),
  filter: (_state, { hostPorts }, node) => (hostPorts.some((port) => node.portTaken(port)) ? REJECTED : undefined),
  mayHelp(event, { hostPorts }) {
    if (event.resource === 'Node') return event.action === 'Add';
    if (event.resource !== 'AssignedPod' || event.action !== 'Delete') return false;
    return event.pod.hostPorts.some((freed) => hostPorts.some((wanted) => wanted.port === freed.port));
  },
};
