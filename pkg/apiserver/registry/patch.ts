import type { VersionViews } from '../../api/apply/index.ts';
import { badRequest, invalid, isStatusError, newStatus, StatusError } from '../../api/errors.ts';
import { apiVersionOf, type DeepReadonly, type KubeObject } from '../../api/object.ts';
import { goFormat } from '../../api/patch/go-format.ts';
import { strictMessage, warningTexts } from '../../api/schema/codec.ts';
import { limitFields } from '../../api/schema/field-limit.ts';
import { canonicalJSON } from '../../base/json.ts';
import type { PatchKind } from '../../client/client.ts';
import type { DecodedObject, FieldValidation, ManagedFieldsInput } from '../object-engine.ts';
import type { Entry } from '../watchcache/entry.ts';
import type { RegistryCore, WriteTarget } from './core.ts';
import { createObject } from './create.ts';
import { isLarge, nextTurn, runSteps } from './next-turn.ts';
import { ownerVersions, versionViews } from './owner-versions.ts';
import { checkPlace, undeterminable } from './place.ts';
import { updateObject } from './update.ts';

export interface Patch {
  readonly kind: PatchKind;
  readonly body: unknown;
  /** What field validation found in the patch itself. */
  readonly findings: readonly string[];
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
    await nextTurn(target.context);
    const patched = asType(target, patch, patchDocument(core, target, patch, current));
    await nextTurn(target.context);
    if (isLarge(target.context)) limitFields(patched, bodyMetadata(patched)['managedFields']);
    await nextTurn(target.context);
    const decoded = await decodePatched(core, target, patch, patched);
    await nextTurn(target.context);
    const { object } = decoded;
    checkPlace(target, object);
    for (const warning of decoded.warnings) {
      if (!target.context.warnings.includes(warning)) target.context.warnings.push(warning);
    }
    engine.default(definition, object);
    return forgetCurrentVersion(object, current);
  };
  const entry = await updateObject(core, target, { build, basedOnCurrent: true });
  return { entry, created: false };
}

/** Go's structs, into which a strategic merge patch goes, are of their type whatever kind and version it says. */
function asType({ definition }: WriteTarget, { kind }: Patch, patched: unknown): unknown {
  if (kind !== 'strategic') return patched;
  const object = patched as Readonly<Record<string, unknown>>;
  return {
    ...object,
    ...(typeof object['kind'] === 'string' ? { kind: definition.type.kind } : {}),
    ...(typeof object['apiVersion'] === 'string' ? { apiVersion: apiVersionOf(definition.type) } : {}),
  };
}

/** What does not decode after the patch is the patch's fault. */
async function decodePatched(
  core: RegistryCore,
  target: WriteTarget,
  patch: Patch,
  patched: unknown,
): Promise<DecodedObject> {
  const { definition } = target;
  const { kind, apiVersion } = (patched ?? {}) as { readonly kind?: unknown; readonly apiVersion?: unknown };
  try {
    const expected = apiVersionOf(definition.type);
    const isOther = (kind ?? definition.type.kind) !== definition.type.kind || (apiVersion ?? expected) !== expected;
    if (isOther && patch.kind !== 'strategic') {
      throw badRequest(
        `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} of this resource`,
      );
    }
    const strict = patch.fieldValidation === 'Strict';
    const validation = strict ? 'Warn' : patch.fieldValidation;
    const value = { value: patched, isConverted: patch.kind === 'strategic' };
    const decoded = await runSteps(target.context, core.deps.engine.decodeValue(definition, value, validation));
    const warnings = [...patch.findings, ...decoded.warnings];
    if (strict && warnings.length > 0) throw badRequest(strictMessage(warnings));
    const managed = bodyMetadata(patched)['managedFields'];
    if (Array.isArray(managed) && managed.length === 0) decoded.object.metadata.managedFields = [];
    return { object: decoded.object, warnings };
  } catch (error) {
    if (!isStatusError(error, 'BadRequest')) throw error;
    throw invalidPatch(patch, patched, error.message.replace(/^.* cannot be handled as an? \S+: /, ''));
  }
}

/** Invalid: what is shown is the patched document, of a strategic merge patch the patch as Go prints it. */
export function invalidPatch(
  { kind, body }: Pick<Patch, 'kind' | 'body'>,
  patched: unknown,
  cause: string,
): StatusError {
  const shown = kind === 'strategic' ? goFormat(body) : canonicalJSON(patched);
  const message = `Invalid value: ${JSON.stringify(shown)}: ${cause}`;
  return invalid({ group: '', kind: '' }, '', [{ type: 'FieldValueInvalid', field: 'patch', message }]);
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
  // As upstream's accessors have it: what is no string is not there.
  const { name: given = '' } = bodyMetadata(patch.body);
  if (typeof given !== 'string') throw undeterminable(name);
  const merge = async (live: DeepReadonly<KubeObject> | undefined): Promise<KubeObject> => {
    await nextTurn(target.context);
    const about = { definition, live, manager: fieldManager, subresource, nowMs: clock.now() };
    const input = { ...about, isLarge: isLarge(target.context) };
    const apply = (more: Partial<ManagedFieldsInput> & { readonly force: boolean }) =>
      runSteps(target.context, engine.apply({ ...input, patch: patch.body, ...more }));
    const versions = live === undefined ? [] : ownerVersions(core.deps.definitions, definition, live);
    let views: VersionViews | undefined;
    if (live !== undefined && versions.length > 0) {
      // What there would be without conflicts, in the versions of those who own something.
      views = await versionViews(definition, versions, live, await apply({ force: true }));
    }
    const value = await apply({ force: patch.force, ...(views === undefined ? {} : { views }) });
    await nextTurn(target.context);
    if (isLarge(target.context)) limitFields(value, value.metadata.managedFields);
    await nextTurn(target.context);
    const decoding = engine.decodeValue(definition, { value, keepsNulls: true }, 'Ignore');
    const { object } = await runSteps(target.context, decoding);
    await nextTurn(target.context);
    engine.default(definition, object);
    checkStrict(target, patch);
    checkPlace(target, object);
    return live === undefined ? object : forgetCurrentVersion(object, live);
  };
  for (let attempt = 0; ; attempt++) {
    const exists = core.cacheOf(definition).get(definition.type.namespaced ? namespace : '', name) !== undefined;
    if (exists || subresource !== '') {
      const entry = await updateObject(core, target, { build: merge, tracked: true, basedOnCurrent: true });
      return { entry, created: false };
    }
    const wanted = bodyMetadata(patch.body);
    if (typeof wanted['uid'] === 'string' && wanted['uid'] !== '') {
      throw new StatusError(
        newStatus(
          409,
          'Conflict',
          `uid mismatch: the provided object specified uid ${wanted['uid']}, and no existing object was found`,
        ),
      );
    }
    try {
      return {
        entry: await createObject(core, target, withoutVersion(await merge(undefined)), { apply: true }),
        created: true,
      };
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists') || attempt > 3) throw error;
    }
  }
}

/** Of an apply, conflicts come before what is wrong with its text. */
function checkStrict({ context }: WriteTarget, { findings, fieldValidation }: Patch): void {
  if (fieldValidation === 'Strict' && findings.length > 0) {
    throw badRequest(`error strict decoding YAML: ${findings.join(', ')}`);
  }
  for (const text of findings.flatMap(warningTexts)) if (!context.warnings.includes(text)) context.warnings.push(text);
}

/** A patch that names no other version applies to whatever is current: it is retried when somebody else was faster. */
function forgetCurrentVersion(object: KubeObject, current: DeepReadonly<KubeObject>): KubeObject {
  if (object.metadata.resourceVersion === current.metadata.resourceVersion) object.metadata.resourceVersion = '';
  return object;
}

function withoutVersion(object: KubeObject): KubeObject {
  object.metadata.resourceVersion = '';
  return object;
}

function bodyMetadata(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || !('metadata' in body)) return {};
  return typeof body.metadata === 'object' && body.metadata !== null ? (body.metadata as Record<string, unknown>) : {};
}
