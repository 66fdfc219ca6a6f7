import type { SchedulerPlugin } from '../framework/plugin.ts';

const NAME = 'DynamicResources';

/** Devices are not allocated here: pods that claim some are left pending, and told why. */
export const dynamicResources: SchedulerPlugin = {
  name: NAME,
  preFilter(_state, { pod }) {
    if ((pod.spec.resourceClaims ?? []).length === 0) return { skip: true };
    return {
      plugin: NAME,
      reasons: ['resource claims (dynamic resource allocation) are not supported'],
      resolvable: false,
    };
  },
  mayHelp: (event) => event.resource === 'Pod',
};
