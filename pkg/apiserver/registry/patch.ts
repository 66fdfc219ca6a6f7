import { badRequest, invalid, isStatusError, newStatus, notFound, StatusError } from '../../api/errors.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import type { PatchKind } from '../../client/client.ts';
import type { FieldValidation } from '../object-engine.ts';
import type { Entry } from '../watchcache/entry.ts';
import type { RegistryCore, WriteTarget } from './core.ts';
import { createObject } from './create.ts';
import { updateObject } from './update.ts';

export interface Patch {
  readonly kind: PatchKind;
  readonly body: unknown;
  readonly force: boolean;
  readonly fieldValidation: FieldValidation;
}

export interface PatchResult {
  readonly entry: Entry;
  readonly created: boolean;
}

/** Patches one object or a subresource of it; an apply creates what does not exist. */
export async function patchObject(core: RegistryCore, target: WriteTarget, patch: Patch): Promise<PatchResult> {
  if (patch.kind === 'apply') return applyObject(core, target, patch);
  const { definition } = target;
  const { engine } = core.deps;
  const build = async (current: DeepReadonly<KubeObject>): Promise<KubeObject> => {
    const patched = patchDocument(core, target, patch, current);
    const decoded = await engine.decode(definition, { value: patched }, patch.fieldValidation);
    const { object } = decoded;
    if (typeof patched === 'object' && patched !== null && 'kind' in patched) checkKind(target, object);
    for (const warning of decoded.warnings) {
      if (!target.context.warnings.includes(warning)) target.context.warnings.push(warning);
    }
    engine.default(definition, object);
    // A patch that names no other version applies to whatever is current: it is retried when somebody else was faster.
    if (object.metadata.resourceVersion === current.metadata.resourceVersion) object.metadata.resourceVersion = '';
    return object;
  };
  const entry = await updateObject(core, target, { build });
  return { entry, created: false };
}

function patchDocument(
  core: RegistryCore,
  target: WriteTarget,
  patch: Patch,
  current: DeepReadonly<KubeObject>,
): unknown {
  const { engine } = core.deps;
  try {
    switch (patch.kind) {
      case 'json':
        return engine.jsonPatch(current, patch.body);
      case 'merge':
        return engine.mergePatch(current, patch.body);
      default:
        return engine.strategicMergePatch(target.definition, current, patch.body);
    }
  } catch (error) {
    if (!isStatusError(error)) throw badRequest(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

async function applyObject(core: RegistryCore, target: WriteTarget, patch: Patch): Promise<PatchResult> {
  const { definition, namespace, name, subresource, fieldManager } = target;
  const { engine, clock } = core.deps;
  if (fieldManager === '') {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      {
        type: 'FieldValueRequired',
        field: 'fieldManager',
        message: 'Required value: is required for apply patch',
      },
    ]);
  }
  const merge = async (live: DeepReadonly<KubeObject> | undefined): Promise<KubeObject> => {
    const decoded = await engine.decode(definition, { value: patch.body }, patch.fieldValidation);
    checkKind(target, decoded.object);
    for (const warning of decoded.warnings) {
      if (!target.context.warnings.includes(warning)) target.context.warnings.push(warning);
    }
    const object = engine.apply({
      definition,
      live,
      patch: decoded.object,
      manager: fieldManager,
      subresource,
      nowMs: clock.now(),
      force: patch.force,
    });
    engine.default(definition, object);
    return object;
  };
  for (let attempt = 0; ; attempt++) {
    const exists = core.cacheOf(definition).get(definition.type.namespaced ? namespace : '', name) !== undefined;
    if (exists || subresource !== '') {
      const entry = await updateObject(core, target, { build: merge, tracked: true });
      return { entry, created: false };
    }
    const wanted = bodyMetadata(patch.body);
    if (wanted['uid']) {
      throw new StatusError(
        newStatus(
          409,
          'Conflict',
          `uid mismatch: the provided object specified uid ${String(wanted['uid'])}, and no existing object was found`,
        ),
      );
    }
    if (wanted['resourceVersion'] && wanted['resourceVersion'] !== '0') throw notFound(definition.type, name);
    try {
      return { entry: await createObject(core, target, await merge(undefined), { apply: true }), created: true };
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists') || attempt > 3) throw error;
    }
  }
}

function bodyMetadata(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || !('metadata' in body)) return {};
  return typeof body.metadata === 'object' && body.metadata !== null ? (body.metadata as Record<string, unknown>) : {};
}

function checkKind(target: WriteTarget, object: KubeObject): void {
  const { group, version, kind } = target.definition.type;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  if (object.kind && object.kind !== kind) {
    throw badRequest(`the kind in the data (${object.kind}) does not match the expected kind (${kind})`);
  }
  if (object.apiVersion && object.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
}
