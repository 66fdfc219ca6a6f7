import { applySteps, resetFieldsOf, trackUpdateSteps, type WriteRequest } from '../../api/apply/index.ts';
import { badRequest } from '../../api/errors.ts';
import { apiVersionOf, type DeepReadonly, type KubeObject } from '../../api/object.ts';
import type { ManagedFieldsInput, ObjectEngine } from '../object-engine.ts';

/** Server-side apply and the bookkeeping of who set which field. */
export type ManagedFields = Pick<ObjectEngine, 'apply' | 'trackUpdate'>;

/** The bookkeeping of pkg/api/apply, for the registry. */
export const managedFields: ManagedFields = {
  apply(input) {
    const { definition, live, patch, force } = input;
    if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
      throw badRequest('the apply configuration must be an object');
    }
    const config = patch as DeepReadonly<Record<string, unknown>>;
    return applySteps(definition.schema, live, config, { ...writeRequest(input), kind: definition.type.kind, force });
  },
  *trackUpdate(input) {
    const { definition, live, object } = input;
    const entries = yield* trackUpdateSteps(definition.schema, live, object, writeRequest(input));
    if (entries === undefined) delete object.metadata.managedFields;
    else object.metadata.managedFields = entries as NonNullable<KubeObject['metadata']['managedFields']>;
  },
};

function writeRequest(input: ManagedFieldsInput): WriteRequest {
  const { definition, manager, subresource, nowMs, views, isLarge = false } = input;
  const apiVersion = apiVersionOf(definition.type);
  const resetFields = resetFieldsOf(definition, subresource);
  return { manager, apiVersion, subresource, nowMs, resetFields, isLarge, ...(views === undefined ? {} : { views }) };
}
