import { conflict } from '../api/errors.ts';
import type { ObjectMeta, OwnerReference } from '../api/generated/types.ts';
import { apiVersionOf, type DeepReadonly, type ResourceType } from '../api/object.ts';
import type { Client, Lister } from '../client/client.ts';
import { ignoreNotFound } from '../client/retry.ts';

interface Owned {
  readonly metadata: DeepReadonly<ObjectMeta>;
}

/** The reference of the controller that manages an object. */
export function controllerRef(object: Owned): DeepReadonly<OwnerReference> | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

export function isControlledBy(object: Owned, owner: Owned): boolean {
  const uid = controllerRef(object)?.uid;
  return uid !== undefined && uid === owner.metadata.uid;
}

export function newControllerRef(type: ResourceType<unknown>, owner: Owned): OwnerReference {
  const { name = '', uid = '' } = owner.metadata;
  return {
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The index value of the objects of a namespace that no controller manages. */
function orphansOf(namespace: string): string {
  return `orphans of ${namespace}`;
}

/** Indexes objects by the uid of their controller, and orphans by namespace. */
export function controllerIndex(object: Owned): readonly string[] {
  const reference = controllerRef(object);
  return [reference === undefined ? orphansOf(object.metadata.namespace ?? '') : reference.uid];
}

/** What an owner may claim, of objects with `controllerIndex` as their index `controller`: its own, and its namespace's orphans. */
export function claimable<T>(
  lister: Pick<Lister<T>, 'byIndex'>,
  { metadata: { uid = '', namespace = '' } }: Owned,
): DeepReadonly<T>[] {
  return [...lister.byIndex('controller', uid), ...lister.byIndex('controller', orphansOf(namespace))];
}

export interface ClaimOptions<T, O> {
  readonly client: Client;
  readonly childType: ResourceType<T>;
  readonly ownerType: ResourceType<O>;
  readonly owner: DeepReadonly<O> & Owned;
  readonly matches: (object: DeepReadonly<T>) => boolean;
}

/**
 * Of `candidates` (see `claimable`) those that belong to the owner: matching orphans are adopted, owned ones that
 * no longer match are released. Corresponds to upstream's ControllerRefManager.
 */
export async function claimObjects<T extends Owned, O>(
  candidates: Iterable<DeepReadonly<T>>,
  options: ClaimOptions<T, O>,
): Promise<DeepReadonly<T>[]> {
  const { owner, matches } = options;
  const claimed: DeepReadonly<T>[] = [];
  let mayAdopt: Promise<void> | undefined;
  for (const object of candidates) {
    const { metadata } = object as Owned;
    const reference = controllerRef(object as Owned);
    if (reference !== undefined) {
      if (reference.uid !== owner.metadata.uid) continue;
      if (matches(object)) claimed.push(object);
      else if (owner.metadata.deletionTimestamp === undefined) await release(object as Owned, options);
    } else if (owner.metadata.deletionTimestamp === undefined && matches(object)) {
      if (metadata.deletionTimestamp !== undefined) continue;
      mayAdopt ??= checkOwner(options);
      await mayAdopt;
      if (await adopt(object as Owned, options)) claimed.push(object);
    }
  }
  return claimed;
}

/** Our view of the owner may be old: before adopting, its uid and its being alive are confirmed. */
async function checkOwner<T, O>({ client, ownerType, owner }: ClaimOptions<T, O>): Promise<void> {
  const { namespace = '', name = '', uid } = owner.metadata;
  const fresh = (await client.get(ownerType, { namespace, name })) as unknown as Owned;
  if (fresh.metadata.uid !== uid || fresh.metadata.deletionTimestamp !== undefined) {
    throw conflict(ownerType, name, 'the owner is being deleted or has been replaced');
  }
}

async function adopt<T, O>(object: Owned, options: ClaimOptions<T, O>): Promise<boolean> {
  const { namespace = '', name = '', uid } = object.metadata;
  const ownerReferences = [newControllerRef(options.ownerType, options.owner)];
  const patch = { metadata: { uid, ownerReferences } };
  const result = await ignoreNotFound(options.client.patch(options.childType, { namespace, name }, 'strategic', patch));
  return result !== undefined;
}

async function release<T, O>(object: Owned, options: ClaimOptions<T, O>): Promise<void> {
  const { namespace = '', name = '', uid } = object.metadata;
  const patch = { metadata: { uid, ownerReferences: [{ $patch: 'delete', uid: options.owner.metadata.uid }] } };
  await ignoreNotFound(options.client.patch(options.childType, { namespace, name }, 'strategic', patch));
}
