import { isStatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { Pod, ReplicaSet } from '../api/generated/types.ts';
import { type DeepReadonly, type Draft, keyOf, type NamespacedMeta, type ResourceType } from '../api/object.ts';
import { matchesLabelSelector } from '../api/selector.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Client, Informer } from '../client/client.ts';
import { retryOnConflict } from '../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../controller/controller.ts';
import { Expectations } from '../controller/expectations.ts';
import { Controller } from '../controller/run-controller.ts';
import { fromInformer } from '../controller/sources.ts';
import { deletionOrder, rankByNode } from './deletion-order.ts';
import { type ControllerCommonDeps, recorderFor } from './deps.ts';
import { claimable, claimObjects, controllerIndex, controllerRef, newControllerRef } from './owner.ts';
import { createPod, deletePod, isNamespaceTerminating, type PodControlDeps } from './pod-control.ts';
import { podSource } from './pod-source.ts';
import { isPodActive, isPodTerminating, type ReadPod } from './pod-status.ts';
import { replicaSetStatus } from './replica-status.ts';
import { sameStatus } from './same-status.ts';
import { slowStart } from './slow-start.ts';

type ReadReplicaSet = DeepReadonly<ReplicaSet>;

/** At most so many pods are created or deleted in one go. */
const BURST = 500;

/** A kind whose objects keep a number of equal pods, and how to read one of them as a ReplicaSet. */
export interface ReplicaKind<T> {
  readonly type: ResourceType<T>;
  readonly view: (owner: DeepReadonly<T>) => ReadReplicaSet;
}

export interface ReplicaReconcilerDeps<T> extends ReplicaKind<T> {
  readonly client: Client;
  /** With the index `controller` (controllerIndex), as `pods`. */
  readonly owners: Informer<T>;
  readonly pods: Informer<Pod>;
  readonly expectations: Expectations;
  readonly clock: ControllerCommonDeps['clock'];
  readonly recorder: PodControlDeps['recorder'];
}

/** Keeps as many pods of each object of a kind as its spec wants. */
export function newReplicaController<T extends { metadata: NamespacedMeta }>(
  name: string,
  kind: ReplicaKind<T>,
  deps: ControllerCommonDeps,
): Component {
  const pods = deps.informers.for(resources.pods, { indexers: { controller: controllerIndex } });
  const index = (owner: DeepReadonly<T>): readonly string[] => controllerIndex(kind.view(owner));
  const owners = deps.informers.for(kind.type, { indexers: { controller: index } });
  const expectations = new Expectations(deps.clock);
  const recorder = recorderFor(name, deps);
  const selectorOf = (owner: DeepReadonly<T>) => kind.view(owner).spec.selector;
  return new Controller(
    {
      name,
      sources: [
        fromInformer(owners, { unhurried: (owner) => kind.view(owner).spec.replicas === 0 }),
        podSource({ type: kind.type, owners, selectorOf, pods, expectations }),
      ],
      reconciler: new ReplicaReconciler({ ...deps, ...kind, pods, owners, expectations, recorder }),
    },
    deps,
  );
}

export class ReplicaReconciler<T extends { metadata: NamespacedMeta }> implements Reconciler {
  readonly #deps: ReplicaReconcilerDeps<T>;

  constructor(deps: ReplicaReconcilerDeps<T>) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { client, clock, expectations, owners, type, view } = this.#deps;
    const key = `${namespace}/${name}`;
    const owner = owners.lister.get(key);
    if (owner === undefined) {
      expectations.forget(key);
      return undefined;
    }
    const set = view(owner);
    const upToDate = expectations.satisfied(key);
    const active = await claimObjects(claimable(this.#deps.pods.lister, set).filter(isPodActive), {
      client,
      childType: resources.pods,
      ownerType: type,
      owner: set as unknown as DeepReadonly<T> & ReadReplicaSet,
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
        const current = owners.lister.get(key) ?? owner;
        await client.updateStatus(type, { ...current, status } as unknown as Draft<T>);
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
    const reference = newControllerRef(this.#deps.type, set);
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
    const siblings =
      owner === undefined ? [set] : this.#deps.owners.lister.byIndex('controller', owner.uid).map(this.#deps.view);
    const related = siblings.flatMap(({ metadata }) => this.#podsOf(metadata.uid).filter(isPodActive));
    const ranked = rankByNode(active, related).sort(deletionOrder(this.#deps.clock.now()));
    return ranked.slice(0, count).map(({ pod }) => pod);
  }
}
