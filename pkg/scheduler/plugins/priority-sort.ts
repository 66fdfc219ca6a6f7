import type { SchedulerPlugin } from '../framework/plugin.ts';

/** Higher priority is tried first; equal ones in the order in which they came. */
export const prioritySort: SchedulerPlugin = {
  name: 'PrioritySort',
  sortsBefore: (a, b) => a.priority - b.priority,
};
