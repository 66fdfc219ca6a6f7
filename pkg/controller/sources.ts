import type { DeepReadonly, KubeObject, ResourceType } from '../api/object.ts';
import type { Informer } from '../client/client.ts';
import type { Request, Source } from './controller.ts';

type MapObject<T> = (object: DeepReadonly<T>) => readonly Request[];

export interface InformerSourceOptions<T> {
  /** Which requests an object concerns. Default: its own. For updates both the old and the new object are asked. */
  readonly map?: MapObject<T>;
  /** False: the update changes nothing that the controller looks at. */
  readonly updated?: (object: DeepReadonly<T>, old: DeepReadonly<T>) => boolean;
  /**
   * True for new objects that have no pods to wait for: they wait for UNHURRIED_MS, so that a client which goes on writing to
   * what it has just created is not overtaken by a status.
   */
  readonly unhurried?: (object: DeepReadonly<T>) => boolean;
}

const UNHURRIED_MS = 150;

/** Feeds a controller from an informer; started when the informer has synced. */
export function fromInformer<T>(informer: Informer<T>, options: InformerSourceOptions<T> = {}): Source {
  const { map = requestOf as MapObject<T>, updated, unhurried } = options;
  return {
    async start(enqueue, signal) {
      const add = (object: DeepReadonly<T>, delayMs = 0): void => {
        for (const request of map(object)) enqueue(request, delayMs);
      };
      const remove = informer.addHandler({
        onAdd: (object) => add(object, unhurried?.(object) === true ? UNHURRIED_MS : 0),
        onDelete: (object) => add(object),
        onUpdate(object, old) {
          if (updated !== undefined && !updated(object, old)) return;
          add(object);
          if (options.map !== undefined) add(old);
        },
      });
      signal.addEventListener('abort', remove, { once: true });
      await informer.syncedIfServed(signal);
    },
  };
}

/** Waits for an informer whose objects the controller only reads. */
export function afterSync<T>(informer: Informer<T>): Source {
  return { start: (_, signal) => informer.syncedIfServed(signal) };
}

/** The request that names an object itself. */
export function requestOf(object: unknown): readonly Request[] {
  const { namespace = '', name } = (object as DeepReadonly<KubeObject>).metadata;
  return [{ namespace, name }];
}

/** The request of the object's controlling owner, when that is of type `owner`. */
export function controllerOf(owner: ResourceType<unknown>): (object: unknown) => readonly Request[] {
  return (object) => {
    const { namespace = '', ownerReferences } = (object as DeepReadonly<KubeObject>).metadata;
    const reference = ownerReferences?.find((entry) => entry.controller === true);
    if (reference === undefined || reference.kind !== owner.kind) return [];
    const slash = reference.apiVersion.indexOf('/');
    const group = slash < 0 ? '' : reference.apiVersion.slice(0, slash);
    if (group !== owner.group) return [];
    return [{ namespace: owner.namespaced ? namespace : '', name: reference.name }];
  };
}
