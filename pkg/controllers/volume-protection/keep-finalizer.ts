import type { ObjectMeta } from '../../api/generated/types.ts';
import type { DeepReadonly, Draft, ResourceType } from '../../api/object.ts';
import type { Client } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';

export interface Finalizer {
  readonly name: string;
  /** Something still needs the object. */
  readonly isUsed: boolean;
}

/** Gives an object the finalizer, or takes it away once the object is being deleted and unused. */
export async function keepFinalizer<T extends { metadata: ObjectMeta }>(
  client: Client,
  type: ResourceType<T>,
  object: DeepReadonly<T>,
  { name, isUsed }: Finalizer,
): Promise<void> {
  const present = object.metadata.finalizers ?? [];
  const has = present.includes(name);
  const isGoing = object.metadata.deletionTimestamp !== undefined;
  if (isGoing ? isUsed || !has : has) return;
  const finalizers = isGoing ? present.filter((item) => item !== name) : [...present, name];
  await ignoreNotFound(client.update(type, { ...object, metadata: { ...object.metadata, finalizers } } as Draft<T>));
}
