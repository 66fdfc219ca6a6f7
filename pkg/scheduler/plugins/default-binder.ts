import { resources } from '../../api/generated/resources.ts';
import type { PluginHandle } from '../framework/handle.ts';
import type { SchedulerPlugin } from '../framework/plugin.ts';

/** Binds through the API server. */
export function defaultBinder({ client }: Pick<PluginHandle, 'client'>): SchedulerPlugin {
  return {
    name: 'DefaultBinder',
    async bind(_state, { pod, uid }, node, signal) {
      const key = { namespace: pod.metadata.namespace, name: pod.metadata.name };
      const binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { ...key, uid },
        target: { kind: 'Node', name: node.name },
      };
      await client.createSubresource(resources.pods, key, 'binding', binding, signal);
      return true;
    },
  };
}
