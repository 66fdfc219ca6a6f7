import type { KubeObject } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { ResourceHooks } from '../registry/hooks.ts';
import { withCondition } from './conditions.ts';
import { CLEANUP_FINALIZER, type CRDStatus } from './types.ts';

/** A definition stays, Terminating, until its instances are gone. */
export function definitionHooks(clock: Clock): ResourceHooks {
  return {
    beginDelete(object: KubeObject): boolean {
      const { finalizers } = object.metadata;
      if (!finalizers?.includes(CLEANUP_FINALIZER)) {
        if (object.metadata.deletionTimestamp !== undefined) return (finalizers?.length ?? 0) > 0;
        object.metadata.finalizers = [...(finalizers ?? []), CLEANUP_FINALIZER];
      }
      const status = object['status'] as CRDStatus | undefined;
      const condition = {
        type: 'Terminating',
        status: 'True',
        reason: 'InstanceDeletionPending',
        message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
      } as const;
      object['status'] = { ...status, conditions: withCondition(status?.conditions, condition, clock.now()) };
      return true;
    },
  };
}
