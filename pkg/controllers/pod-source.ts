import type { LabelSelector, Pod } from '../api/generated/types.ts';
import { type DeepReadonly, keyOf, type ResourceType } from '../api/object.ts';
import { matchesLabelSelector } from '../api/selector.ts';
import type { Informer } from '../client/client.ts';
import type { Request, Source } from '../controller/controller.ts';
import type { Expectations } from '../controller/expectations.ts';
import { controllerRef } from './owner.ts';
import type { ReadPod } from './pod-status.ts';

export interface PodSourceOptions<T> {
  readonly type: ResourceType<T>;
  readonly owners: Informer<T>;
  readonly selectorOf: (owner: DeepReadonly<T>) => DeepReadonly<LabelSelector> | undefined;
  readonly pods: Informer<Pod>;
  /** Absent: the controller keeps none. */
  readonly expectations?: Expectations;
  /** Also called for every pod that is seen, new or changed. */
  readonly onSeen?: (pod: ReadPod) => void;
}

/** Pods feed their workload (orphans: those that would have them) and meet its expectations. */
export function podSource<T extends { metadata: { name: string; namespace: string } }>(
  options: PodSourceOptions<T>,
): Source {
  const { type, owners, selectorOf, pods, expectations, onSeen } = options;
  function requests(pod: ReadPod): readonly Request[] {
    const { namespace, labels } = pod.metadata;
    const reference = controllerRef(pod);
    if (reference !== undefined) {
      return reference.kind === type.kind && reference.apiVersion.split('/').at(-2) === (type.group || undefined)
        ? [{ namespace, name: reference.name }]
        : [];
    }
    if (labels === undefined) return [];
    return [...owners.lister.list(namespace)]
      .filter((owner) => {
        const selector = selectorOf(owner);
        return selector !== undefined && matchesLabelSelector(selector, labels);
      })
      .map((owner) => ({ namespace, name: (owner as DeepReadonly<{ metadata: { name: string } }>).metadata.name }));
  }
  return {
    async start(enqueue, signal) {
      await owners.syncedIfServed(signal);
      const gone = (pod: ReadPod): void => {
        onSeen?.(pod);
        for (const request of requests(pod)) {
          expectations?.deletionObserved(`${request.namespace}/${request.name}`, keyOf(pod));
          enqueue(request);
        }
      };
      const remove = pods.addHandler({
        onAdd(pod) {
          if (pod.metadata.deletionTimestamp !== undefined) {
            gone(pod);
            return;
          }
          onSeen?.(pod);
          for (const request of requests(pod)) {
            if (controllerRef(pod) !== undefined) {
              expectations?.creationObserved(`${request.namespace}/${request.name}`);
            }
            enqueue(request);
          }
        },
        onUpdate(pod, old) {
          if (pod.metadata.deletionTimestamp !== undefined) {
            gone(pod);
          } else {
            onSeen?.(pod);
            for (const request of requests(pod)) enqueue(request);
          }
          if (controllerRef(pod)?.uid !== controllerRef(old)?.uid)
            for (const request of requests(old)) enqueue(request);
        },
        onDelete: gone,
      });
      signal.addEventListener('abort', remove, { once: true });
      await pods.syncedIfServed(signal);
    },
  };
}
