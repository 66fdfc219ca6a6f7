import { resetFieldsOf, type VersionViews } from '../../api/apply/index.ts';
import type { ResourceDefinition, StrategyContext } from '../../api/definition.ts';
import {
  conflict,
  type FieldError,
  invalid,
  isStatusError,
  newStatus,
  notFound,
  StatusError,
  serverTimeout,
} from '../../api/errors.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import { validateObjectMetaUpdate } from '../../api/validation/object-meta.ts';
import { cloneJSON, equalJSON } from '../../base/json.ts';
import type { Entry } from '../watchcache/entry.ts';
import { storageKey, storedType } from '../watchcache/watch-cache.ts';
import { dryRunEntry, modifiedConflict, type RegistryCore, type WriteTarget } from './core.ts';
import { nextGeneration } from './generation.ts';
import type { HookEnd } from './hooks.ts';
import { metadataRules } from './metadata-rules.ts';
import { nextTurn, runSteps, worksOn } from './next-turn.ts';
import { dedupOwnerReferences } from './owner-references.ts';
import { ownerVersions, versionViews } from './owner-versions.ts';
import { upstreamKey } from './upstream-key.ts';

const ATTEMPTS = 30;

export interface Change {
  /**
   * The wanted state, decoded and defaulted, from the current one (which must not be changed). Called again when somebody else
   * wrote in between. `undefined` current: only called when `create` says that the object may not exist.
   */
  build(current: DeepReadonly<KubeObject>): KubeObject | Promise<KubeObject>;
  /** How managedFields come about: tracked here, or already in the built object (apply, subresources with an own body). */
  readonly tracked?: boolean;
  /** The built object was made from the current one (a patch): without another resourceVersion or uid it has no preconditions. */
  readonly basedOnCurrent?: boolean;
  /** The server's own change of a few fields (binding, eviction): no admission, no strategy, no validation. */
  readonly trusted?: boolean;
}

/** Changes one object. Resolves with its new state in the version of the target's definition, durable and visible. */
export async function updateObject(core: RegistryCore, target: WriteTarget, change: Change): Promise<Entry> {
  const { definition, namespace, name, context } = target;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = core.require(definition, namespace, name);
    worksOn(context, stored);
    const readable = core.readable(definition, [stored]);
    if (readable !== undefined) await readable;
    const current = core.view(definition, stored);
    const object = await change.build(current.object);
    const conditional = checkPreconditions(target, object, current, change.basedOnCurrent === true);
    if (change.basedOnCurrent !== true) dedupOwnerReferences(object, 'before', context.warnings);
    await nextTurn(context);
    prepare(core, target, object, current.object, change.trusted === true);
    await nextTurn(context);
    completeKeepingOwners(core, target, object);
    await nextTurn(context);
    const tracking = change.tracked === true ? undefined : track(core, target, object, current.object);
    if (tracking !== undefined) await tracking;
    await nextTurn(context);
    if (change.trusted !== true && (await core.admit('admit', 'UPDATE', target, object, current.object))) {
      prepare(core, target, object, current.object, false);
    }
    dedupOwnerReferences(object, 'after', context.warnings);
    const end = change.trusted === true ? undefined : beginUpdate(core, target, object, current.object);
    let committed = false;
    try {
      const generation =
        change.trusted === true || target.subresource === 'status'
          ? current.object.metadata.generation
          : nextGeneration(definition, object, current.object);
      if (generation === undefined) delete object.metadata.generation;
      else object.metadata.generation = generation;
      await nextTurn(context);
      core.deps.engine.complete(definition, object);
      await nextTurn(context);
      if (change.trusted !== true) {
        const pending = validate(core, target, object, current.object);
        if (pending !== undefined) await pending;
      }
      if (change.trusted !== true) await core.admit('validate', 'UPDATE', target, object, current.object);
      await nextTurn(context);
      object.metadata.resourceVersion = String(current.revision);
      keepTimes(object, current.object);
      await nextTurn(context);
      if (isSame(object, current.object)) {
        const writable = definition.storedAs?.prepare?.([object], 'stored');
        if (writable !== undefined) await writable;
        if (storedAlike(definition, object, stored) && !(await isStale(core, definition, stored))) return current;
      }
      if (target.dryRun) return dryRunEntry(object, current.revision);
      await nextTurn(context);
      if (mayGo(core, target, object)) {
        const revision = await core.commitDelete(definition, stored);
        if (revision !== undefined) return dryRunEntry(object, current.revision);
      } else {
        const entry = await core.commitUpdate(definition, object, current.revision, context);
        if (entry !== undefined) {
          committed = true;
          await nextTurn(context);
          return core.view(definition, entry);
        }
      }
    } finally {
      end?.(committed);
    }
    if (conditional) {
      core.require(definition, namespace, name);
      throw modifiedConflict(definition, name);
    }
  }
  throw serverTimeout(definition.type, 'update');
}

/** A write that changes nothing still brings what is stored into the form that is wanted now. */
function isStale(core: RegistryCore, definition: ResourceDefinition, stored: Entry): Promise<boolean> | boolean {
  return core.deps.isStale?.(storageKey(storedType(definition), stored.namespace, stored.name)) ?? false;
}

/** Whether the client wants to replace one certain state; throws when that is not the current one. */
function checkPreconditions(target: WriteTarget, object: KubeObject, current: Entry, basedOnCurrent: boolean): boolean {
  const { definition, name } = target;
  const { uid, resourceVersion } = object.metadata;
  if (uid && uid !== current.object.metadata.uid && !basedOnCurrent) {
    const key = upstreamKey(definition, current.namespace, name);
    throw conflict(
      definition.type,
      name,
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.object.metadata.uid}`,
    );
  }
  if (resourceVersion && resourceVersion !== '0') {
    if (!/^\d+$/.test(resourceVersion)) throw noVersion(resourceVersion);
    if (resourceVersion !== String(current.revision)) throw modifiedConflict(definition, name);
    return true;
  }
  // Other subresources are put into what is current.
  const isWhole = target.subresource === '' || target.subresource === 'status';
  if (definition.strategy.allowUnconditionalUpdate === false && isWhole && !basedOnCurrent) {
    const { group, resource } = definition.type;
    throw invalid({ group, kind: resource }, name, [
      {
        type: 'FieldValueInvalid',
        field: 'metadata.resourceVersion',
        message: 'Invalid value: 0: must be specified for an update',
      },
    ]);
  }
  return false;
}

/** Upstream passes on what its parser says, without a class. */
function noVersion(text: string): StatusError {
  return new StatusError(newStatus(500, '', `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`));
}

/** Carries over what the request may not change. */
function prepare(
  core: RegistryCore,
  target: WriteTarget,
  object: KubeObject,
  old: DeepReadonly<KubeObject>,
  trusted: boolean,
): void {
  const { definition, subresource } = target;
  object.apiVersion = old.apiVersion;
  object.kind = old.kind;
  carryMetadata(object, old);
  if (trusted) return;
  if (subresource === 'status') {
    for (const key of Object.keys(object)) if (!(key in old) && key !== 'status') delete object[key];
    for (const key in old) if (key !== 'status' && key !== 'metadata') object[key] = cloneJSON(old[key]);
    carryStatusMetadata(target, object, old);
  } else if (subresource === '' && definition.subresources.some(({ name }) => name === 'status')) {
    if (old['status'] === undefined) delete object['status'];
    else object['status'] = cloneJSON(old['status']);
  }
  definition.strategy.dropDisabled?.(object, old);
  definition.strategy.prepareForUpdate?.(object, old, strategyContext(core, target));
}

function beginUpdate(
  core: RegistryCore,
  target: WriteTarget,
  object: KubeObject,
  old: DeepReadonly<KubeObject>,
): HookEnd | undefined {
  return target.subresource === '' ? core.hooksOf(target.definition)?.beginUpdate?.(object, old, target) : undefined;
}

function carryMetadata(object: KubeObject, old: DeepReadonly<KubeObject>): void {
  const { metadata } = object;
  const before = old.metadata;
  metadata.name ||= before.name;
  if (before.namespace === undefined) delete metadata.namespace;
  else metadata.namespace ||= before.namespace;
  metadata.uid ||= before.uid;
  metadata.creationTimestamp = before.creationTimestamp;
  // Nothing that is being deleted comes back; what is not cannot be declared so.
  if (before.deletionTimestamp !== undefined) metadata.deletionTimestamp = before.deletionTimestamp;
  if (before.deletionGracePeriodSeconds !== undefined)
    metadata.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds;
  delete metadata.selfLink;
}

/** A status write leaves the metadata of custom resources and the labels of Deployments as they are. */
function carryStatusMetadata(target: WriteTarget, object: KubeObject, old: DeepReadonly<KubeObject>): void {
  const { type } = target.definition;
  const { managedFields, resourceVersion } = object.metadata;
  if (resetFieldsOf(target.definition, 'status').includes('metadata')) {
    object.metadata = cloneJSON(old.metadata) as KubeObject['metadata'];
    object.metadata.resourceVersion = resourceVersion;
    if (managedFields === undefined) delete object.metadata.managedFields;
    else object.metadata.managedFields = managedFields;
  } else if (type.group === 'apps' && type.resource === 'deployments') {
    if (old.metadata.labels === undefined) delete object.metadata.labels;
    else object.metadata.labels = { ...old.metadata.labels };
  }
}

/** An empty managedFields list is a request to forget all owners: tracking has to see it. */
function completeKeepingOwners(core: RegistryCore, target: WriteTarget, object: KubeObject): void {
  const { managedFields } = object.metadata;
  core.deps.engine.complete(target.definition, object);
  if (managedFields?.length === 0) object.metadata.managedFields = managedFields;
}

function track(
  core: RegistryCore,
  target: WriteTarget,
  object: KubeObject,
  live: DeepReadonly<KubeObject>,
): void | Promise<void> {
  const { definition, subresource, fieldManager, context } = target;
  const nowMs = core.deps.clock.now();
  const input = { definition, live, object, manager: fieldManager, subresource, nowMs };
  const versions = ownerVersions(core.deps.definitions, definition, live);
  if (versions.length === 0) return runSteps(context, core.deps.engine.trackUpdate(input));
  return viewsOrNone(definition, versions, live, object).then((views) =>
    runSteps(context, core.deps.engine.trackUpdate({ ...input, ...views })),
  );
}

/** A write does not fail because its owners' versions cannot be had: they keep fields of the names that they used. */
async function viewsOrNone(...wanted: Parameters<typeof versionViews>): Promise<{ views?: VersionViews }> {
  try {
    return { views: await versionViews(...wanted) };
  } catch (error) {
    if (!isStatusError(error)) throw error;
    return {};
  }
}

/** Synchronous for the kinds whose checks need nothing loaded. */
function validate(
  core: RegistryCore,
  target: WriteTarget,
  object: KubeObject,
  old: DeepReadonly<KubeObject>,
): Promise<void> | undefined {
  const { definition, context, name } = target;
  const { strategy } = definition;
  const inStrategy = strategyContext(core, target);
  const errors = [
    ...validateObjectMetaUpdate(object.metadata, old.metadata, metadataRules(definition)),
    ...((strategy.validateUpdate === undefined
      ? strategy.validate?.(object, inStrategy)
      : strategy.validateUpdate(object, old, inStrategy)) ?? []),
  ];
  const settle = (found: readonly FieldError[]): void => {
    // Upstream names the kind that it stores: Event, whatever the group of the request is.
    if (found.length > 0) throw invalid(storedType(definition), name, found);
    const ofStatus = target.subresource === 'status';
    context.warnings.push(...((ofStatus ? strategy.statusWarnings?.(object) : strategy.warnings?.(object, old)) ?? []));
  };
  if (strategy.validateLater !== undefined) {
    return strategy.validateLater(object, old, inStrategy).then((more) => settle([...errors, ...more]));
  }
  settle(errors);
  return undefined;
}

function strategyContext(core: RegistryCore, target: WriteTarget): StrategyContext {
  const { user, warnings } = target.context;
  return {
    nowMs: core.deps.clock.now(),
    user,
    subresource: target.subresource,
    warn(text) {
      if (!warnings.includes(text)) warnings.push(text);
    },
  };
}

/** Most writes change what an object holds, most objects have more owners' fields than fields: those come last. */
function isSame(object: KubeObject, old: DeepReadonly<KubeObject>): boolean {
  const { metadata, ...rest } = object;
  const { metadata: oldMetadata, ...oldRest } = old;
  return equalJSON(rest, oldRest) && equalJSON(metadata, oldMetadata);
}

/** Gives owners that own what they owned the times that they had: the time alone is no change. */
function keepTimes(object: KubeObject, old: DeepReadonly<KubeObject>): void {
  const fields = object.metadata.managedFields;
  const before = old.metadata.managedFields;
  if (fields === undefined || before === undefined || fields.length !== before.length) return;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i];
    const time = before[i]?.time;
    if (field !== undefined && time !== undefined && field.manager === before[i]?.manager) {
      if (equalJSON({ ...field, time }, before[i])) field.time = time;
    }
  }
}

/** Whether writing would leave the stored form as it is: custom resources may be stored in an older version or without defaults. */
function storedAlike(definition: ResourceDefinition, object: KubeObject, stored: Entry): boolean {
  if (definition.custom !== true || definition.storedAs === undefined) return true;
  return equalJSON(definition.storedAs.toStored(object), stored.object);
}

/** Upstream's ShouldDeleteDuringUpdate: the last thing that held a dying object is gone. */
function mayGo(core: RegistryCore, target: WriteTarget, object: DeepReadonly<KubeObject>): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
  if (deletionTimestamp === undefined || (finalizers?.length ?? 0) > 0) return false;
  if ((deletionGracePeriodSeconds ?? 0) > 0) return false;
  return core.hooksOf(target.definition)?.holds?.(object) !== true;
}

/** For a PUT of what does not exist. */
export function missing(target: WriteTarget): StatusError {
  return notFound(target.definition.type, target.name);
}
