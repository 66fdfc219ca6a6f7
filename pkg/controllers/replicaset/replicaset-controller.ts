import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Pod, ReplicaSet } from '../../api/generated/types.ts';
import { type DeepReadonly, keyOf } from '../../api/object.ts';
import { matchesLabelSelector } from '../../api/selector.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import { retryOnConflict } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request, Source } from '../../controller/controller.ts';
import { Expectations } from '../../controller/expectations.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { deletionOrder, rankByNode } from '../deletion-order.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { claimObjects, controllerIndex, controllerRef, newControllerRef, orphansOf } from '../owner.ts';
import { createPod, deletePod, isNamespaceTerminating, type PodControlDeps } from '../pod-control.ts';
import { isPodActive, isPodTerminating, type ReadPod } from '../pod-status.ts';
import { sameStatus } from '../same-status.ts';
import { slowStart } from '../slow-start.ts';
import { replicaSetStatus } from './status.ts';

type ReadReplicaSet = DeepReadonly<ReplicaSet>;

/** At most so many pods are created or deleted in one go. */
const BURST = 500;
const TYPE = resources.replicasets;

export interface ReplicaSetReconcilerDeps {
  readonly client: Client;
  readonly replicaSets: Informer<ReplicaSet>;
  /** With the index `controller` (controllerIndex). */
  readonly pods: Informer<Pod>;
  readonly expectations: Expectations;
  readonly clock: ControllerCommonDeps['clock'];
  readonly recorder: PodControlDeps['recorder'];
}

/** Keeps as many pods of each ReplicaSet as its spec wants. */
export function newReplicaSetController(deps: ControllerCommonDeps): Component {
  const pods = deps.informers.for(resources.pods, { indexers: { controller: controllerIndex } });
  const replicaSets = deps.informers.for(TYPE, { indexers: { controller: controllerIndex } });
  const expectations = new Expectations(deps.clock);
  const recorder = recorderFor('replicaset-controller', deps);
  return new Controller(
    {
      name: 'replicaset-controller',
      sources: [fromInformer(replicaSets), podSource(pods, replicaSets, expectations)],
      reconciler: new ReplicaSetReconciler({ ...deps, pods, replicaSets, expectations, recorder }),
    },
    deps,
  );
}

export class ReplicaSetReconciler implements Reconciler {
  readonly #deps: ReplicaSetReconcilerDeps;

  constructor(deps: ReplicaSetReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { client, clock, expectations, replicaSets } = this.#deps;
    const key = `${namespace}/${name}`;
    const set = replicaSets.lister.get(key);
    if (set === undefined) {
      expectations.forget(key);
      return undefined;
    }
    const upToDate = expectations.satisfied(key);
    const candidates = [...this.#podsOf(set.metadata.uid), ...this.#podsOf(orphansOf(namespace))];
    const active = await claimObjects(candidates.filter(isPodActive), {
      client,
      childType: resources.pods,
      ownerType: TYPE,
      owner: set,
      matches: (pod) => matchesLabelSelector(set.spec.selector, pod.metadata.labels),
    });
    const terminating = this.#podsOf(set.metadata.uid).filter(isPodTerminating).length;
    const missing = (set.spec.replicas ?? 1) - active.length;
    const failure =
      upToDate && set.metadata.deletionTimestamp === undefined ? await this.#manage(key, set, active) : undefined;
    const failed = failure === undefined ? undefined : { error: failure.error, missing };
    const { status, nextAvailableInMs } = replicaSetStatus(set, active, terminating, failed, clock.now());
    if (!sameStatus(set.status, status)) {
      await retryOnConflict(async () => {
        const current = replicaSets.lister.get(key) ?? set;
        await client.updateStatus(TYPE, { ...current, status });
      }, 2);
    }
    if (failure !== undefined) throw failure.error;
    return nextAvailableInMs === undefined ? undefined : { requeueAfterMs: nextAvailableInMs };
  }

  #podsOf(index: string): readonly ReadPod[] {
    return this.#deps.pods.lister.byIndex('controller', index);
  }

  #manage(key: string, set: ReadReplicaSet, active: readonly ReadPod[]): Promise<{ error: unknown } | undefined> {
    const difference = active.length - (set.spec.replicas ?? 1);
    if (difference < 0) return this.#createPods(key, set, Math.min(-difference, BURST));
    if (difference > 0) return this.#deletePods(key, set, active, Math.min(difference, BURST));
    return Promise.resolve(undefined);
  }

  async #createPods(key: string, set: ReadReplicaSet, count: number): Promise<{ error: unknown } | undefined> {
    const { expectations } = this.#deps;
    const template = set.spec.template ?? {};
    const reference = newControllerRef(TYPE, set);
    expectations.expectCreations(key, count);
    const { successes, error } = await slowStart(count, async () => {
      try {
        await createPod(template, set, reference, this.#deps);
      } catch (cause) {
        // Nothing can be created any more; the set goes away with its namespace.
        if (!isNamespaceTerminating(cause)) throw cause;
        expectations.creationObserved(key);
      }
    });
    if (error === undefined) return undefined;
    expectations.creationObserved(key, count - successes);
    return { error };
  }

  async #deletePods(
    key: string,
    set: ReadReplicaSet,
    active: readonly ReadPod[],
    count: number,
  ): Promise<{ error: unknown } | undefined> {
    const { expectations } = this.#deps;
    const victims = count < active.length ? this.#choose(set, active, count) : active;
    expectations.expectDeletions(key, victims.map(keyOf));
    const results = await Promise.allSettled(
      victims.map(async (pod) => {
        try {
          await deletePod(pod, set, this.#deps);
        } catch (error) {
          expectations.deletionObserved(key, keyOf(pod));
          if (!isStatusError(error, 'NotFound')) throw error;
        }
      }),
    );
    const failed = results.find((result) => result.status === 'rejected');
    return failed === undefined ? undefined : { error: failed.reason };
  }

  #choose(set: ReadReplicaSet, active: readonly ReadPod[], count: number): readonly ReadPod[] {
    const owner = controllerRef(set);
    const siblings = owner === undefined ? [set] : this.#deps.replicaSets.lister.byIndex('controller', owner.uid);
    const related = siblings.flatMap(({ metadata }) => this.#podsOf(metadata.uid).filter(isPodActive));
    const ranked = rankByNode(active, related).sort(deletionOrder(this.#deps.clock.now()));
    return ranked.slice(0, count).map(({ pod }) => pod);
  }
}

/** Pods feed their ReplicaSet (orphans: those that would have them) and meet its expectations. */
function podSource(pods: Informer<Pod>, replicaSets: Informer<ReplicaSet>, expectations: Expectations): Source {
  function requests(pod: ReadPod): readonly Request[] {
    const { namespace } = pod.metadata;
    const reference = controllerRef(pod);
    if (reference !== undefined) {
      return reference.kind === TYPE.kind ? [{ namespace, name: reference.name }] : [];
    }
    if (pod.metadata.labels === undefined) return [];
    return [...replicaSets.lister.list(namespace)]
      .filter((set) => matchesLabelSelector(set.spec.selector, pod.metadata.labels))
      .map((set) => ({ namespace, name: set.metadata.name }));
  }
  return {
    async start(enqueue, signal) {
      await replicaSets.synced(signal);
      const gone = (pod: ReadPod): void => {
        for (const request of requests(pod)) {
          expectations.deletionObserved(`${request.namespace}/${request.name}`, keyOf(pod));
          enqueue(request);
        }
      };
      const remove = pods.addHandler({
        onAdd(pod) {
          if (pod.metadata.deletionTimestamp !== undefined) {
            gone(pod);
            return;
          }
          for (const request of requests(pod)) {
            if (controllerRef(pod) !== undefined) {
              expectations.creationObserved(`${request.namespace}/${request.name}`);
            }
            enqueue(request);
          }
        },
        onUpdate(pod, old) {
          if (pod.metadata.deletionTimestamp !== undefined) gone(pod);
          else for (const request of requests(pod)) enqueue(request);
          if (controllerRef(pod)?.uid !== controllerRef(old)?.uid)
            for (const request of requests(old)) enqueue(request);
        },
        onDelete: gone,
      });
      signal.addEventListener('abort', remove, { once: true });
      await pods.synced(signal);
    },
  };
}
