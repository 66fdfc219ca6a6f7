import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { ControllerRevision, DaemonSet, Node, Pod } from '../../api/generated/types.ts';
import { keyOf } from '../../api/object.ts';
import { isEmptySelector, matchesLabelSelector } from '../../api/selector.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Informer } from '../../client/client.ts';
import { retryOnConflict } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Expectations } from '../../controller/expectations.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { claimable, claimObjects, controllerIndex, controllerRef, newControllerRef } from '../owner.ts';
import { createPod, deletePod, isNamespaceTerminating, type PodControlDeps } from '../pod-control.ts';
import { podSource } from '../pod-source.ts';
import { isPodTerminal, type ReadPod } from '../pod-status.ts';
import type { ReadRevision } from '../revision-history.ts';
import { sameStatus } from '../same-status.ts';
import { slowStart } from '../slow-start.ts';
import { FailedPodBackoff } from './failed-pod-backoff.ts';
import { daemonTemplate, pinnedTo, type ReadDaemonSet, type ReadNode, targetNode } from './placement.ts';
import { type DaemonPlan, managePlan, type NodePlacement, type PodsByNode, placements, rollingPlan } from './plan.ts';
import { cleanUpHistory, daemonRevisions, hashOf } from './revisions.ts';
import { daemonSetStatus } from './status.ts';

/** At most so many pods are created or deleted in one go. */
const BURST = 250;
const TYPE = resources.daemonsets;

export interface DaemonSetReconcilerDeps {
  readonly client: ControllerCommonDeps['client'];
  readonly clock: ControllerCommonDeps['clock'];
  readonly daemonSets: Informer<DaemonSet>;
  /** Both with the index `controller` (controllerIndex). */
  readonly pods: Informer<Pod>;
  readonly revisions: Informer<ControllerRevision>;
  readonly nodes: Informer<Node>;
  readonly expectations: Expectations;
  readonly recorder: PodControlDeps['recorder'];
}

/** Keeps one pod of each DaemonSet on every node that it is meant for. */
export function newDaemonSetController(deps: ControllerCommonDeps): Component {
  const { informers } = deps;
  const pods = informers.for(resources.pods, { indexers: { controller: controllerIndex } });
  const revisions = informers.for(resources.controllerrevisions, { indexers: { controller: controllerIndex } });
  const daemonSets = informers.for(TYPE);
  const nodes = informers.for(resources.nodes);
  const expectations = new Expectations(deps.clock);
  const recorder = recorderFor('daemonset-controller', deps);
  return new Controller(
    {
      name: 'daemonset-controller',
      sources: [
        fromInformer(daemonSets),
        fromInformer(nodes, { map: () => [...daemonSets.lister.list()].map(requestFor), updated: concernsDaemons }),
        // What happens to its own revisions is no reason for a pass: they are looked at when the set or its pods change.
        fromInformer(revisions, { map: (revision) => adopters(revision, daemonSets) }),
        podSource({ type: TYPE, owners: daemonSets, selectorOf: (set) => set.spec.selector, pods, expectations }),
      ],
      reconciler: new DaemonSetReconciler({ ...deps, pods, revisions, daemonSets, nodes, expectations, recorder }),
    },
    deps,
  );
}

/** The sets that may adopt a revision that no controller manages. */
function adopters({ metadata }: ReadRevision, daemonSets: Informer<DaemonSet>): readonly Request[] {
  if (controllerRef({ metadata }) !== undefined) return [];
  return [...daemonSets.lister.list(metadata.namespace)]
    .filter(({ spec }) => matchesLabelSelector(spec.selector, metadata.labels))
    .map(requestFor);
}

/** What one pass has read. */
interface Pass {
  readonly key: string;
  readonly set: ReadDaemonSet;
  readonly nodes: readonly NodePlacement[];
  readonly hash: string;
}

export class DaemonSetReconciler implements Reconciler {
  readonly #deps: DaemonSetReconcilerDeps;
  readonly #backoff: FailedPodBackoff;

  constructor(deps: DaemonSetReconcilerDeps) {
    this.#deps = deps;
    this.#backoff = new FailedPodBackoff(deps.clock);
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { client, expectations, daemonSets, nodes: allNodes, recorder } = this.#deps;
    const key = `${namespace}/${name}`;
    const set = daemonSets.lister.get(key);
    if (set === undefined) {
      expectations.forget(key);
      return undefined;
    }
    if (isEmptySelector(set.spec.selector)) {
      const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
      recorder.event(set, 'Warning', 'SelectingAll', message);
      return undefined;
    }
    if (set.metadata.deletionTimestamp !== undefined) return undefined;
    const upToDate = expectations.satisfied(key);
    const claimed = await this.#claimPods(set);
    const history = await daemonRevisions(set, await this.#claimRevisions(set), claimed, this.#deps);
    const nodes = placements(set, allNodes.lister.list());
    const pods = byNode(claimed);
    if (history === undefined) return this.#countCollision({ key, set, nodes, hash: '' }, pods);
    const pass: Pass = { key, set, nodes, hash: hashOf(history.current) };
    if (!upToDate) return this.#finish(pass, pods, { isObserved: false });
    let waitMs: number | undefined;
    let failure: { error: unknown } | undefined;
    try {
      const managed = await this.#manage(pass, pods);
      ({ waitMs } = managed);
      if (expectations.satisfied(key) && set.spec.updateStrategy?.type !== 'OnDelete') {
        // What has been deleted just now is not deleted again.
        const present = managed.hasActed ? byNode(await this.#claimPods(set)) : pods;
        await this.#carryOut(pass, rollingPlan(set, nodes, present, pass.hash, this.#deps.clock.now()));
      }
      await cleanUpHistory(set, history.old, claimed, client);
    } catch (error) {
      failure = { error };
    }
    const result = await this.#finish(pass, pods, { isObserved: failure === undefined, waitMs });
    if (failure !== undefined) throw failure.error;
    return result;
  }

  #claimPods(set: ReadDaemonSet): Promise<ReadPod[]> {
    return claimObjects(claimable(this.#deps.pods.lister, set), {
      client: this.#deps.client,
      childType: resources.pods,
      ownerType: TYPE,
      owner: set,
      matches: (pod) => matchesLabelSelector(set.spec.selector, pod.metadata.labels),
    });
  }

  #claimRevisions(set: ReadDaemonSet): Promise<ReadRevision[]> {
    return claimObjects(claimable(this.#deps.revisions.lister, set), {
      client: this.#deps.client,
      childType: resources.controllerrevisions,
      ownerType: TYPE,
      owner: set,
      matches: (revision) => matchesLabelSelector(set.spec.selector, revision.metadata.labels),
    });
  }

  /** `waitMs`: when a failed pod's back-off ends. */
  async #manage(pass: Pass, pods: PodsByNode): Promise<{ waitMs: number | undefined; hasActed: boolean }> {
    const { set, nodes, hash } = pass;
    const { clock, recorder } = this.#deps;
    const plan = managePlan(set, nodes, pods, hash, clock.now());
    const remove = [...plan.remove];
    let waitMs: number | undefined;
    for (const { pod, node } of plan.ended) {
      const where = `${pod.metadata.namespace}/${pod.metadata.name} on node ${node}`;
      if (pod.status?.phase === 'Succeeded') {
        const message = `Found succeeded daemon pod ${where}, will try to delete it`;
        recorder.event(set, 'Normal', 'SucceededDaemonPod', message);
      } else {
        const leftMs = this.#backoff.leftMs(`${set.metadata.uid}/${set.status?.observedGeneration ?? 0}/${node}`);
        if (leftMs > 0) {
          waitMs = Math.min(leftMs, waitMs ?? leftMs);
          continue;
        }
        const message = `Found failed daemon pod ${where}, will try to kill it`;
        recorder.event(set, 'Warning', 'FailedDaemonPod', message);
      }
      remove.push(pod);
    }
    await this.#carryOut(pass, { create: plan.create, remove });
    return { waitMs, hasActed: plan.create.length + remove.length > 0 };
  }

  async #carryOut({ key, set, hash }: Pass, plan: DaemonPlan): Promise<void> {
    const { expectations } = this.#deps;
    const create = plan.create.slice(0, BURST);
    const remove = plan.remove.slice(0, BURST);
    if (create.length === 0 && remove.length === 0) return;
    const template = daemonTemplate(set, hash);
    const reference = newControllerRef(TYPE, set);
    expectations.expect(key, create.length, remove.map(keyOf));
    const removals = Promise.allSettled(remove.map((pod) => this.#remove(key, set, pod)));
    const { successes, error } = await slowStart(create.length, async (index) => {
      try {
        await createPod(pinnedTo(template, create[index] ?? ''), set, reference, this.#deps);
      } catch (cause) {
        if (!isNamespaceTerminating(cause)) throw cause;
        expectations.creationObserved(key);
      }
    });
    if (error !== undefined) expectations.creationObserved(key, create.length - successes);
    const failed = (await removals).find((result) => result.status === 'rejected');
    if (error !== undefined) throw error;
    if (failed !== undefined) throw failed.reason;
  }

  async #remove(key: string, set: ReadDaemonSet, pod: ReadPod): Promise<void> {
    try {
      await deletePod(pod, set, this.#deps);
    } catch (error) {
      this.#deps.expectations.deletionObserved(key, keyOf(pod));
      if (!isStatusError(error, 'NotFound')) throw error;
    }
  }

  async #countCollision(pass: Pass, pods: PodsByNode): Promise<ReconcileResult> {
    const collisionCount = (pass.set.status?.collisionCount ?? 0) + 1;
    await this.#finish(pass, pods, { isObserved: false, collisionCount });
    return undefined;
  }

  async #finish(
    { key, set, nodes, hash }: Pass,
    pods: PodsByNode,
    options: { isObserved: boolean; collisionCount?: number; waitMs?: number | undefined },
  ): Promise<ReconcileResult> {
    const { client, clock, daemonSets } = this.#deps;
    const collisionCount = options.collisionCount ?? set.status?.collisionCount;
    const counted = daemonSetStatus(set, nodes, pods, {
      hash,
      nowMs: clock.now(),
      collisionCount,
      isObserved: options.isObserved,
    });
    if (!sameStatus(set.status, counted.status)) {
      await retryOnConflict(async () => {
        await client.updateStatus(TYPE, { ...(daemonSets.lister.get(key) ?? set), status: counted.status });
      }, 2);
    }
    const waits = [options.waitMs, counted.nextAvailableInMs].filter((ms) => ms !== undefined);
    return waits.length === 0 ? undefined : { requeueAfterMs: Math.min(...waits) };
  }
}

/** Pods that have ended and are being deleted count no more. */
function byNode(pods: readonly ReadPod[]): PodsByNode {
  const result = new Map<string, ReadPod[]>();
  for (const pod of pods) {
    if (isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined) continue;
    const node = targetNode(pod);
    if (node === undefined) continue;
    const present = result.get(node);
    if (present === undefined) result.set(node, [pod]);
    else present.push(pod);
  }
  return result;
}

function requestFor(set: ReadDaemonSet): Request {
  return { namespace: set.metadata.namespace, name: set.metadata.name };
}

function concernsDaemons(node: ReadNode, old: ReadNode): boolean {
  return !equalJSON(node.metadata.labels, old.metadata.labels) || !equalJSON(node.spec?.taints, old.spec?.taints);
}
