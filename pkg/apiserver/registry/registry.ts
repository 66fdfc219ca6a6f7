import type { ResourceDefinition } from '../../api/definition.ts';
import { badRequest, isStatusError, newStatus, notFound, StatusError } from '../../api/errors.ts';
import type { DeleteOptions } from '../../api/generated/types.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import type { PatchKind } from '../../client/client.ts';
import type { FieldValidation, ObjectBody } from '../object-engine.ts';
import type { RequestContext } from '../request/request-context.ts';
import { parseFilter } from '../selection/filter.ts';
import type { Answer } from './answer.ts';
import type { RegistryCore, WriteTarget } from './core.ts';
import { createObject } from './create.ts';
import { deleteObject, deletionStatus } from './delete.ts';
import { listObjects, waitForVersion } from './list.ts';
import { parseListOptions, parseResourceVersion } from './list-options.ts';
import { nextTurn } from './next-turn.ts';
import { patchObject } from './patch.ts';
import { checkPlace } from './place.ts';
import { updateObject } from './update.ts';
import { parseDeleteOptions, parseWriteOptions } from './write-options.ts';

const COLLECTION_CONCURRENCY = 16;

/** One request to a resource or to a subresource that has the resource's own kind. */
export interface ResourceRequest {
  readonly definition: ResourceDefinition;
  readonly context: RequestContext;
  /** Reads and parses the body; undefined when there is none. */
  body(): Promise<ObjectBody | undefined>;
  readonly patchKind?: PatchKind;
}

/** Answers one request; throws StatusError. */
export type Verb = (core: RegistryCore, request: ResourceRequest) => Promise<Answer>;

export const get: Verb = async (core, { definition, context }) => {
  const { namespace, name } = context.info;
  const text = context.query.get('resourceVersion');
  const version = parseResourceVersion(text, 'get');
  const pending =
    version > 0 ? waitForVersion(core, version, context.signal) : text === '0' ? undefined : core.deps.cache.current();
  if (pending !== undefined) await pending;
  const stored = core.require(definition, namespace, name);
  const readable = core.readable(definition, [stored]);
  if (readable !== undefined) await readable;
  const entry = core.view(definition, stored);
  return { kind: 'entry', code: 200, definition, entry };
};

export const list: Verb = async (core, { definition, context }) => {
  const namespace = context.info.namespace === '' ? undefined : context.info.namespace;
  const result = await listObjects(core, definition, namespace, context.query, context.signal);
  return { kind: 'list', list: result };
};

export const create: Verb = async (core, request) => {
  const { definition, context } = request;
  const options = parseWriteOptions(context, 'CreateOptions');
  const object = await decodeBody(core, request, options.fieldValidation);
  const target = targetOf(request, { ...options, kind: 'CreateOptions' });
  const entry = await createObject(core, target, object);
  return { kind: 'entry', code: 201, definition, entry: core.view(definition, entry) };
};

export const update: Verb = async (core, request) => {
  const { definition, context } = request;
  const { namespace, name, subresource } = context.info;
  const options = parseWriteOptions(context, 'UpdateOptions');
  const target = targetOf(request, { ...options, kind: 'UpdateOptions' });
  let decoded: KubeObject | undefined = await decodeBody(core, request, options.fieldValidation);
  checkPlace(target, decoded);
  const take = async (): Promise<KubeObject> => {
    const object = decoded ?? (await decodeBody(core, request, options.fieldValidation));
    decoded = undefined;
    return object;
  };
  const { strategy } = definition;
  const exists = core.cacheOf(definition).get(definition.type.namespaced ? namespace : '', name) !== undefined;
  if (!exists && subresource === '' && strategy.allowCreateOnUpdate === true) {
    if (decoded.metadata.uid) throw uidPrecondition(target, decoded.metadata.uid);
    try {
      const object = await take();
      if (object.metadata.resourceVersion === '0') object.metadata.resourceVersion = '';
      if (object.metadata.resourceVersion) throw notFound(definition.type, name);
      const entry = await createObject(core, target, object);
      return { kind: 'entry', code: 201, definition, entry: core.view(definition, entry) };
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists')) throw error;
    }
  }
  const entry = await updateObject(core, target, { build: take });
  return { kind: 'entry', code: 200, definition, entry };
};

export const patch: Verb = async (core, request) => {
  const { definition, context, patchKind } = request;
  if (patchKind === undefined) throw badRequest('the patch type is missing');
  const options = parseWriteOptions(context, 'PatchOptions', patchKind === 'apply');
  const body = (await request.body()) ?? { value: undefined };
  const target = targetOf(request, { ...options, kind: 'PatchOptions' });
  const { value, findings } = await core.deps.engine.parsePatch(body, patchKind, options.fieldValidation);
  context.audit?.requested(value);
  const result = await patchObject(core, target, {
    kind: patchKind,
    body: value,
    findings,
    force: options.force,
    fieldValidation: options.fieldValidation,
  });
  const entry = core.view(definition, result.entry);
  return { kind: 'entry', code: result.created ? 201 : 200, definition, entry };
};

export const remove: Verb = async (core, request) => {
  const { definition } = request;
  const { target, options } = await deletionOf(core, request);
  const deletion = await deleteObject(core, target, options);
  const status = deletionStatus(target, deletion);
  const code = !deletion.gone && options.orphanDependents === false ? 202 : 200;
  if (status !== undefined) return { kind: 'object', code, object: { ...status } };
  return { kind: 'entry', code, definition, entry: deletion.entry };
};

export const removeCollection: Verb = async (core, request) => {
  const { definition, context } = request;
  const { query, info, signal } = context;
  parseListOptions(query, 'list');
  const namespace = info.namespace === '' ? undefined : info.namespace;
  parseFilter(definition, namespace, {
    labelSelector: query.get('labelSelector'),
    fieldSelector: query.get('fieldSelector'),
  });
  const { target, options } = await deletionOf(core, request);
  const doomed = await listObjects(core, definition, namespace, query, signal);
  const queue = [...doomed.entries];
  const work = async (): Promise<void> => {
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      try {
        await deleteObject(core, { ...target, namespace: entry.namespace, name: entry.name }, options);
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(COLLECTION_CONCURRENCY, queue.length) }, work));
  return { kind: 'list', list: doomed };
};

async function deletionOf(
  core: RegistryCore,
  request: ResourceRequest,
): Promise<{ target: WriteTarget; options: DeepReadonly<DeleteOptions> }> {
  const body = await request.body();
  const options = parseDeleteOptions(request.context, body && (await core.deps.engine.parse(body)));
  if (body !== undefined)
    request.context.audit?.requested({ kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', ...options });
  const { propagationWarning } = request.definition.strategy;
  const isSaid = options['propagationPolicy'] !== undefined || options['orphanDependents'] !== undefined;
  if (propagationWarning !== undefined && !isSaid) request.context.warnings.push(propagationWarning);
  const dryRun = Array.isArray(options['dryRun']) && options['dryRun'].length > 0;
  const target = { ...targetOf(request, { dryRun, fieldManager: '', kind: 'DeleteOptions' }), options };
  return { target, options: options as DeepReadonly<DeleteOptions> };
}

export function targetOf(
  { definition, context }: Pick<ResourceRequest, 'definition' | 'context'>,
  options: { readonly dryRun: boolean; readonly fieldManager: string; readonly kind: string },
): WriteTarget {
  const { namespace, name, subresource } = context.info;
  const given = (parameter: string): Record<string, string> => {
    const value = context.query.get(parameter);
    return value === '' ? {} : { [parameter]: value };
  };
  return {
    definition,
    namespace: definition.type.namespaced ? namespace : '',
    name,
    subresource,
    context,
    dryRun: options.dryRun,
    fieldManager: options.fieldManager,
    options: {
      kind: options.kind,
      apiVersion: 'meta.k8s.io/v1',
      ...(options.dryRun ? { dryRun: ['All'] } : {}),
      ...given('fieldManager'),
      ...given('fieldValidation'),
    },
  };
}

const NO_BODY: ObjectBody = { bytes: Buffer.alloc(0), contentType: 'application/json' };

/** The object of a create or update, decoded, checked against the resource's kind, and defaulted. */
export async function decodeBody(
  core: RegistryCore,
  request: ResourceRequest,
  validation: FieldValidation,
): Promise<KubeObject> {
  const { definition, context } = request;
  const body = (await request.body()) ?? NO_BODY;
  const { object, warnings } = await core.deps.engine.decode(definition, body, validation);
  for (const warning of warnings) if (!context.warnings.includes(warning)) context.warnings.push(warning);
  await nextTurn(context);
  core.deps.engine.default(definition, object);
  await nextTurn(context);
  context.audit?.requested(object);
  return object;
}

function uidPrecondition(target: WriteTarget, uid: string): StatusError {
  return new StatusError(
    newStatus(409, 'Conflict', `Precondition failed: UID in precondition: ${uid}, UID in object meta: `, {
      name: target.name,
      kind: target.definition.type.resource,
    }),
  );
}

/** The verb functions by name. */
export const verbs: Readonly<Record<string, Verb>> = {
  get,
  list,
  create,
  update,
  patch,
  delete: remove,
  deletecollection: removeCollection,
};
