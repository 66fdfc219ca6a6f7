import { isAnsweredWithObject } from '../../api/answers-to-deletes.ts';
import { conflict, serverTimeout } from '../../api/errors.ts';
import type { DeleteOptions, Status } from '../../api/generated/types.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import type { Entry } from '../watchcache/entry.ts';
import { dryRunEntry, type RegistryCore, type WriteTarget } from './core.ts';
import { worksOn } from './next-turn.ts';

const ATTEMPTS = 30;
const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

export interface Deletion {
  /** The last or present state, in the version of the target's definition. */
  readonly entry: Entry;
  /** False: the object stays until its finalizers or its grace period end. */
  readonly gone: boolean;
}

/** Deletes one object or begins its deletion (upstream's Store.Delete). */
export async function deleteObject(
  core: RegistryCore,
  target: WriteTarget,
  options: DeepReadonly<DeleteOptions>,
): Promise<Deletion> {
  const { definition, namespace, name } = target;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = core.require(definition, namespace, name);
    worksOn(target.context, stored);
    const readable = core.readable(definition, [stored]);
    if (readable !== undefined) await readable;
    const current = core.view(definition, stored);
    checkPreconditions(target, options, current);
    await core.admit('admit', 'DELETE', target, undefined, current.object);
    await core.admit('validate', 'DELETE', target, undefined, current.object);
    const plan = planDeletion(core, target, options, current.object);
    if (plan.kind === 'pending') return { entry: current, gone: false };
    let last = stored;
    if (plan.kind === 'mark') {
      if (target.dryRun) return { entry: dryRunEntry(plan.object, current.revision), gone: !plan.stays };
      const marked = await core.commitUpdate(definition, plan.object, current.revision, target.context);
      if (marked === undefined) continue;
      if (plan.stays) return { entry: core.view(definition, marked), gone: false };
      last = marked;
    }
    if (target.dryRun) return { entry: current, gone: true };
    const revision = await core.commitDelete(definition, last);
    if (revision !== undefined) return { entry: core.view(definition, last), gone: true };
  }
  throw serverTimeout(definition.type, 'delete');
}

type Plan =
  /** Remove it now. */
  | { readonly kind: 'remove' }
  /** Its deletion is under way and this request changes nothing. */
  | { readonly kind: 'pending' }
  /** Write this state first; unless it `stays`, remove it then. */
  | { readonly kind: 'mark'; readonly object: KubeObject; readonly stays: boolean };

function planDeletion(
  core: RegistryCore,
  target: WriteTarget,
  options: DeepReadonly<DeleteOptions>,
  current: DeepReadonly<KubeObject>,
): Plan {
  const nowMs = core.deps.clock.now();
  // Only metadata, and what a hook puts in the place of another member, differs.
  const object = { ...current, metadata: { ...current.metadata } } as KubeObject;
  const grace = applyGrace(target, options, object, current, nowMs);
  if (grace === 'pending') return { kind: 'pending' };
  const finalizers = wantedFinalizers(target, options, current.metadata.finalizers ?? []);
  const held = finalizers.length > 0;
  const finalizersChange = finalizers.join(',') !== (current.metadata.finalizers ?? []).join(',');
  if (held) object.metadata.finalizers = finalizers;
  else delete object.metadata.finalizers;
  const heldByHook = core.hooksOf(target.definition)?.beginDelete?.(object) === true;
  if (grace === undefined && !held && !heldByHook) return { kind: 'remove' };
  if (grace === undefined && current.metadata.deletionTimestamp === undefined) {
    object.metadata.deletionTimestamp = formatTime(nowMs);
    if (!heldByHook) {
      object.metadata.deletionGracePeriodSeconds = 0;
      raiseGeneration(object);
    }
  } else if (grace === undefined && !finalizersChange) {
    return { kind: 'pending' };
  }
  return { kind: 'mark', object, stays: held || heldByHook || (grace ?? 0) > 0 };
}

/** Upstream's BeforeDelete. undefined: not graceful; a number: the seconds that were set in `object`. */
function applyGrace(
  target: WriteTarget,
  options: DeepReadonly<DeleteOptions>,
  object: KubeObject,
  current: DeepReadonly<KubeObject>,
  nowMs: number,
): number | undefined | 'pending' {
  const { strategy } = target.definition;
  if (strategy.gracefulDelete === undefined) return undefined;
  const { deletionTimestamp, deletionGracePeriodSeconds: present } = current.metadata;
  if (deletionTimestamp !== undefined) {
    if (present === undefined || present === 0) return undefined;
    const wanted = positiveGrace(options.gracePeriodSeconds);
    if (wanted === undefined || wanted >= present) return 'pending';
    const endMs = Date.parse(deletionTimestamp) + (wanted - present) * 1000;
    // What should have ended in the past ends now; its holder still hears of it.
    const seconds = endMs < nowMs && wanted > 0 ? 1 : wanted;
    object.metadata.deletionTimestamp = formatTime(Math.max(endMs, nowMs));
    object.metadata.deletionGracePeriodSeconds = seconds;
    return seconds;
  }
  const seconds = strategy.gracefulDelete(current, positiveGrace(options.gracePeriodSeconds));
  if (seconds === undefined) return undefined;
  object.metadata.deletionTimestamp = formatTime(nowMs + seconds * 1000);
  object.metadata.deletionGracePeriodSeconds = seconds;
  raiseGeneration(object);
  return seconds;
}

/** Of a negative period one second is left. */
function positiveGrace(seconds: number | undefined): number | undefined {
  return seconds !== undefined && seconds < 0 ? 1 : seconds;
}

/** The finalizers by which the garbage collector knows what to do with dependents. */
function wantedFinalizers(
  target: WriteTarget,
  options: DeepReadonly<DeleteOptions>,
  present: readonly string[],
): string[] {
  const propagation =
    options.propagationPolicy ??
    (options.orphanDependents === undefined ? undefined : options.orphanDependents ? 'Orphan' : 'Background');
  const kept =
    propagation ??
    (present.includes(ORPHAN)
      ? 'Orphan'
      : present.includes(FOREGROUND)
        ? 'Foreground'
        : target.definition.strategy.defaultPropagation);
  const others = present.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  const added = kept === 'Orphan' ? ORPHAN : kept === 'Foreground' ? FOREGROUND : undefined;
  if (added === undefined) return others;
  return present.includes(added) ? [...present].filter((f) => f === added || others.includes(f)) : [...others, added];
}

function raiseGeneration(object: KubeObject): void {
  if ((object.metadata.generation ?? 0) > 0) object.metadata.generation = (object.metadata.generation ?? 0) + 1;
}

function checkPreconditions(target: WriteTarget, options: DeepReadonly<DeleteOptions>, current: Entry): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const about = { group: target.definition.type.group, resource: target.definition.type.kind };
  if (uid !== undefined && uid !== current.object.metadata.uid) {
    throw conflict(
      about,
      target.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${current.object.metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== String(current.revision)) {
    throw conflict(
      about,
      target.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${current.revision}). The object might have been modified`,
    );
  }
}

/** What a DELETE is answered with when the object is not the answer. */
export function deletionStatus(target: WriteTarget, deletion: Deletion): Status | undefined {
  const { type } = target.definition;
  const { group, resource } = type;
  if (!deletion.gone || isAnsweredWithObject(type)) return undefined;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: deletion.entry.name,
      ...(group === '' ? {} : { group }),
      kind: resource,
      uid: deletion.entry.object.metadata.uid,
    },
  };
}
