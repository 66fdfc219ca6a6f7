import type { SchedulerPlugin } from '../framework/plugin.ts';

/** Pods with scheduling gates stay out of the queue until the last gate is removed. */
export const schedulingGates: SchedulerPlugin = {
  name: 'SchedulingGates',
  preEnqueue({ pod }) {
    const gates = pod.spec.schedulingGates ?? [];
    if (gates.length === 0) return undefined;
    const names = gates.map((gate) => gate.name).join(' ');
    return { plugin: 'SchedulingGates', reasons: [`waiting for scheduling gates: [${names}]`], resolvable: false };
  },
  mayHelp: (event) => event.resource === 'Pod',
};
