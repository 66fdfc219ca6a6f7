import {
  apply as applyConfiguration,
  managedFieldsAfterScale,
  scaleManagedFields,
  trackUpdate,
  type WriteRequest,
} from '../../api/apply/index.ts';
import type { ResourceDefinition, ScalePaths } from '../../api/definition.ts';
import { badRequest, internalError, invalid, newStatus, StatusError } from '../../api/errors.ts';
import type { ObjectMeta, Scale } from '../../api/generated/types.ts';
import { AccessorError, nestedInteger, nestedString } from '../../api/nested-field.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import { builtinSchema } from '../../api/schema/builtin.ts';
import { decodeParsed, strictMessage } from '../../api/schema/codec.ts';
import { formatLabelSelector, type LooseLabelSelector } from '../../api/selector.ts';
import { cloneJSON } from '../../base/json.ts';
import type { Answer } from '../registry/answer.ts';
import type { RegistryCore, SubresourceBody } from '../registry/core.ts';
import { invalidPatch, type Patch } from '../registry/patch.ts';
import { checkPlace } from '../registry/place.ts';
import { type ResourceRequest, targetOf, type Verb } from '../registry/registry.ts';
import { updateObject } from '../registry/update.ts';
import { parseWriteOptions } from '../registry/write-options.ts';
import { PathNotFound } from '../request/plain-text-error.ts';
import { subresourceBody } from './token.ts';

const SCALE_SCHEMA = 'autoscaling.v1.Scale';
const SCALE_TYPE = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

/** GET, PUT and PATCH of the scale of anything that has replicas. */
export const scale: Verb = async (core, request) => {
  const { scale: paths } = request.definition;
  if (paths === undefined) throw new PathNotFound();
  return answerScale(core, request, paths);
};

async function answerScale(core: RegistryCore, request: ResourceRequest, paths: ScalePaths): Promise<Answer> {
  const { definition, context } = request;
  const { namespace, name, verb } = context.info;
  if (verb === 'patch') return patchScale(core, request, paths);
  if (verb !== 'get') return putScale(core, request, paths);
  await core.deps.cache.current();
  const stored = core.require(definition, namespace, name);
  const readable = core.readable(definition, [stored]);
  if (readable !== undefined) await readable;
  const entry = core.view(definition, stored);
  return answer(liveScale(definition, entry.object, paths));
}

type NextScale = (live: Scale) => Scale;

/** Stands for replicas that a custom resource lacks: a write has to say how many there shall be. */
const UNSET_REPLICAS = -(2 ** 31);

async function putScale(core: RegistryCore, request: ResourceRequest, paths: ScalePaths): Promise<Answer> {
  const { context } = request;
  const options = parseWriteOptions(context, 'UpdateOptions');
  const body = await subresourceBody(core, request, SCALE_TYPE, SCALE_SCHEMA, options.fieldValidation);
  checkPlace(targetOf(request, { ...options, kind: 'UpdateOptions' }), body);
  return write(core, request, paths, { ...options, kind: 'UpdateOptions' }, () => body as unknown as Scale);
}

async function patchScale(core: RegistryCore, request: ResourceRequest, paths: ScalePaths): Promise<Answer> {
  const { context, patchKind } = request;
  const { engine, clock } = core.deps;
  const options = parseWriteOptions(context, 'PatchOptions', patchKind === 'apply');
  const raw = await request.body();
  if (raw === undefined) throw badRequest('the body of the request is empty');
  if (patchKind === undefined) throw badRequest('the patch type is missing');
  const { value: patch, findings } = await engine.parsePatch(raw, patchKind, options.fieldValidation);
  const decode = (value: unknown): Scale => {
    const { object, unknown } = decodeScale(value, { kind: patchKind, body: patch });
    const warnings = options.fieldValidation === 'Ignore' ? [] : [...findings, ...unknown];
    if (options.fieldValidation === 'Strict' && warnings.length > 0)
      throw invalidPatch({ kind: patchKind, body: patch }, value, strictMessage(warnings));
    for (const warning of warnings) if (!context.warnings.includes(warning)) context.warnings.push(warning);
    return object;
  };
  context.audit?.requested(patch);
  return write(core, request, paths, { ...options, kind: 'PatchOptions' }, (live) => {
    const before = live as unknown as DeepReadonly<KubeObject>;
    if (patchKind === 'json') return decode(engine.jsonPatch(before, patch));
    if (patchKind === 'strategic') return decode(engine.strategicMergePatch(scaleDefinition(request), before, patch));
    if (patchKind === 'merge') return decode(engine.mergePatch(before, patch));
    const apply = { ...scaleWrite(options.fieldManager, clock.now()), kind: 'Scale', force: options.force };
    const config = patch as DeepReadonly<Record<string, unknown>>;
    return decode(applyConfiguration(builtinSchema(SCALE_SCHEMA), before, config, apply));
  });
}

/** What a patch made of a scale has to be one still. Throws Invalid. */
function decodeScale(
  value: unknown,
  patch: Pick<Patch, 'kind' | 'body'>,
): { object: Scale; unknown: readonly string[] } {
  try {
    const schema = builtinSchema(SCALE_SCHEMA);
    const { object, findings } = decodeParsed(schema, cloneJSON(value), { mode: 'warn' });
    return { object: object as unknown as Scale, unknown: findings };
  } catch (error) {
    throw invalidPatch(patch, value, error instanceof Error ? error.message : String(error));
  }
}

/** Patches are merged by the schema of a scale, not by that of the object. */
function scaleDefinition({ definition }: ResourceRequest): ResourceDefinition {
  return { ...definition, schema: builtinSchema(SCALE_SCHEMA) };
}

function scaleWrite(manager: string, nowMs: number): WriteRequest {
  return { manager, apiVersion: 'autoscaling/v1', subresource: 'scale', nowMs };
}

async function write(
  core: RegistryCore,
  request: ResourceRequest,
  paths: ScalePaths,
  options: { readonly dryRun: boolean; readonly fieldManager: string; readonly kind: string },
  wanted: NextScale,
): Promise<Answer> {
  const { definition, patchKind } = request;
  const target = { ...targetOf(request, options), subresource: 'scale', body: scaleBody(paths) };
  const path = paths.specReplicasPath;
  const entry = await updateObject(core, target, {
    tracked: true,
    build: (current) => {
      const isUnset = definition.custom === true && !hasReplicas(current, paths);
      const live = toScale(current, paths);
      if (isUnset) live.spec = { replicas: UNSET_REPLICAS };
      const owners = scaleManagedFields(current.metadata.managedFields, path);
      if (owners !== undefined) Object.assign(live.metadata ?? {}, { managedFields: owners });
      const next = wanted(live);
      if (isUnset && next.spec?.replicas === UNSET_REPLICAS) {
        throw badRequest(`the spec replicas field "${path}" cannot be empty`);
      }
      checkScale(next, target.name, definition.custom === true);
      const object = cloneJSON(current) as KubeObject;
      const metadata: ObjectMeta = next.metadata ?? {};
      const repeated = patchKind !== undefined && metadata.resourceVersion === live.metadata?.resourceVersion;
      object.metadata.resourceVersion = repeated ? '' : (metadata.resourceVersion ?? '');
      if (metadata.uid) object.metadata.uid = metadata.uid;
      setAt(object, path, next.spec?.replicas ?? 0);
      const after =
        patchKind === 'apply'
          ? metadata.managedFields
          : trackUpdate(
              builtinSchema(SCALE_SCHEMA),
              live as unknown as KubeObject,
              next as unknown as KubeObject,
              scaleWrite(target.fieldManager, core.deps.clock.now()),
            );
      const entries = managedFieldsAfterScale(current.metadata.managedFields, after, path, current.apiVersion);
      if (entries === undefined) delete object.metadata.managedFields;
      else object.metadata.managedFields = entries;
      return object;
    },
  });
  return answer(toScale(entry.object, paths));
}

/** Of custom resources the whole object says what replicas may be. */
function checkScale(scaleObject: Scale, name: string, custom: boolean): void {
  const replicas = scaleObject.spec?.replicas ?? 0;
  if (!Number.isInteger(replicas)) throw badRequest('spec.replicas must be an integer');
  if (
    scaleObject.metadata?.name !== undefined &&
    scaleObject.metadata.name !== '' &&
    scaleObject.metadata.name !== name
  ) {
    throw badRequest(
      `the name of the object (${scaleObject.metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  if (replicas >= 0 || custom) return;
  throw invalid(SCALE_TYPE, name, [
    {
      type: 'FieldValueInvalid',
      field: 'spec.replicas',
      message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
    },
  ]);
}

/** Webhooks and policies see the scale, and can change its replicas. */
function scaleBody(paths: ScalePaths): SubresourceBody {
  return {
    of: (object) => toScale(object, paths) as unknown as KubeObject,
    into: (body, object) => setAt(object, paths.specReplicasPath, (body as DeepReadonly<Scale>).spec?.replicas ?? 0),
  };
}

/** Custom resources may lack the field that a scale is about. */
function liveScale(definition: ResourceDefinition, object: DeepReadonly<KubeObject>, paths: ScalePaths): Scale {
  if (definition.custom === true && !hasReplicas(object, paths)) {
    throw internalError(`the spec replicas field "${paths.specReplicasPath}" does not exist`);
  }
  return toScale(object, paths);
}

/** Whether a custom resource says how many replicas there shall be. Throws StatusError for fields of another type. */
function hasReplicas(object: DeepReadonly<KubeObject>, paths: ScalePaths): boolean {
  try {
    const replicas = nestedInteger(object, paths.specReplicasPath);
    nestedInteger(object, paths.statusReplicasPath);
    if (paths.labelSelectorPath !== undefined) nestedString(object, paths.labelSelectorPath);
    return replicas !== undefined;
  } catch (error) {
    if (error instanceof AccessorError) throw unclassified(error.message);
    throw error;
  }
}

function unclassified(message: string): StatusError {
  return new StatusError(newStatus(500, '', message));
}

export function toScale(object: DeepReadonly<KubeObject>, paths: ScalePaths): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = valueAt(object, paths.specReplicasPath);
  const current = valueAt(object, paths.statusReplicasPath);
  const selector =
    paths.labelSelectorPath === undefined ? undefined : selectorText(valueAt(object, paths.labelSelectorPath));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp },
    spec: typeof replicas === 'number' && replicas !== 0 ? { replicas } : {},
    status: { replicas: typeof current === 'number' ? current : 0, ...(selector ? { selector } : {}) },
  } as Scale;
}

/** A selector in the form of a query parameter. */
function selectorText(selector: unknown): string | undefined {
  if (typeof selector === 'string') return selector;
  if (typeof selector !== 'object' || selector === null) return undefined;
  const isLabelSelector = 'matchLabels' in selector || 'matchExpressions' in selector;
  return formatLabelSelector((isLabelSelector ? selector : { matchLabels: selector }) as LooseLabelSelector);
}

function valueAt(object: unknown, path: string): unknown {
  let value = object;
  for (const part of path.split('.').slice(1)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** Throws StatusError where something else than an object stands on the way. */
function setAt(object: Record<string, unknown>, path: string, value: unknown): void {
  const parts = path.split('.').slice(1);
  const last = parts.pop();
  let parent = object;
  for (const [i, part] of parts.entries()) {
    if (parent[part] === undefined) parent[part] = {};
    const child = parent[part];
    if (typeof child !== 'object' || child === null || Array.isArray(child)) {
      const way = `.${parts.slice(0, i + 1).join('.')}`;
      throw unclassified(`value cannot be set because ${way} is not a map[string]interface{}`);
    }
    parent = child as Record<string, unknown>;
  }
  if (last !== undefined) parent[last] = value;
}

function answer(object: Scale): Answer {
  return { kind: 'object', code: 200, object: { ...object } };
}
