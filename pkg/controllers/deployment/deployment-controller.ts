import { resources } from '../../api/generated/resources.ts';
import type { Deployment, Pod, ReplicaSet } from '../../api/generated/types.ts';
import { keyOf } from '../../api/object.ts';
import { isEmptySelector, matchesLabelSelector } from '../../api/selector.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Informer } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { claimable, claimObjects, controllerIndex, controllerRef } from '../owner.ts';
import { isPodTerminal, type ReadPod } from '../pod-status.ts';
import { revisionOf } from './annotations.ts';
import { activeSets, type ReadDeployment, type ReadReplicaSet, replicasOf } from './replica-counts.ts';
import { Rollout, type RolloutDeps } from './rollout.ts';
import { isScalingEvent, scaleAll, scaleNewest, scaleOld } from './scaling.ts';
import { countedStatus, isComplete, pauseConditions, rolloutStatus, timeoutCheckInMs } from './status.ts';

const TYPE = resources.deployments;

export interface DeploymentReconcilerDeps extends RolloutDeps {
  readonly deployments: Informer<Deployment>;
  /** Both with the index `controller` (controllerIndex). */
  readonly replicaSets: Informer<ReplicaSet>;
  readonly pods: Informer<Pod>;
}

/** Rolls Deployments out: one ReplicaSet per template, replaced step by step. */
export function newDeploymentController(deps: ControllerCommonDeps): Component {
  const { informers } = deps;
  const deployments = informers.for(TYPE);
  const replicaSets = informers.for(resources.replicasets, { indexers: { controller: controllerIndex } });
  const pods = informers.for(resources.pods, { indexers: { controller: controllerIndex } });
  const recorder = recorderFor('deployment-controller', deps);
  return new Controller(
    {
      name: 'deployment-controller',
      sources: [
        fromInformer(deployments, { unhurried: ({ spec }) => spec.replicas === 0 }),
        fromInformer(replicaSets, { map: (set) => ownersOf(set, deployments) }),
        fromInformer(pods, {
          map: (pod) => recreatedBy(pod, deployments, replicaSets),
          updated: (pod, old) => pod.status?.phase !== old.status?.phase,
        }),
      ],
      reconciler: new DeploymentReconciler({ ...deps, recorder, deployments, replicaSets, pods }),
    },
    deps,
  );
}

export class DeploymentReconciler implements Reconciler {
  readonly #deps: DeploymentReconcilerDeps;

  constructor(deps: DeploymentReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const deployment = this.#deps.deployments.lister.get(`${namespace}/${name}`);
    if (deployment === undefined) return undefined;
    if (isEmptySelector(deployment.spec.selector)) {
      const message = 'This deployment is selecting all pods. A non-empty selector is required.';
      this.#deps.recorder.event(deployment, 'Warning', 'SelectingAll', message);
      return undefined;
    }
    const rollout = new Rollout(deployment, await this.#claim(deployment), this.#deps);
    if (deployment.metadata.deletionTimestamp !== undefined) return this.#finish(rollout, 'counts');
    const conditions = pauseConditions(deployment, this.#deps.clock.now());
    if (conditions !== undefined) await rollout.notePause(conditions);
    if (deployment.spec.paused === true || isScalingEvent(rollout.deployment, rollout.sets)) {
      return this.#scaleOnly(rollout);
    }
    if (deployment.spec.strategy?.type === 'Recreate') return this.#recreate(rollout);
    return this.#roll(rollout);
  }

  async #claim(deployment: ReadDeployment): Promise<ReadReplicaSet[]> {
    return claimObjects(claimable(this.#deps.replicaSets.lister, deployment), {
      client: this.#deps.client,
      childType: resources.replicasets,
      ownerType: TYPE,
      owner: deployment,
      matches: (set) => matchesLabelSelector(deployment.spec.selector, set.metadata.labels),
    });
  }

  /** Paused, or the size has changed: sizes follow, but no new ReplicaSet is made. */
  async #scaleOnly(rollout: Rollout): Promise<ReconcileResult> {
    await rollout.syncNewest();
    for (const { set, replicas } of scaleAll(rollout.deployment, rollout.newest, rollout.old)) {
      await rollout.scale(set, replicas);
    }
    if (rollout.deployment.spec.paused === true) await this.#cleanUp(rollout);
    return this.#finish(rollout, 'counts');
  }

  async #roll(rollout: Rollout): Promise<ReconcileResult> {
    const newest = await rollout.ensureNewest();
    if (newest === undefined) return undefined;
    const size = scaleNewest(rollout.deployment, rollout.sets, newest);
    if (size !== undefined) {
      await rollout.scale(newest, size);
      return this.#finish(rollout, 'progress');
    }
    await rollout.scale(newest, replicasOf(newest));
    const shrinking = scaleOld(rollout.deployment, rollout.newest ?? newest, rollout.old);
    for (const { set, replicas } of shrinking) await rollout.scale(set, replicas);
    if (shrinking.length === 0 && isComplete(rollout.deployment, rollout.deployment.status ?? {})) {
      await this.#cleanUp(rollout);
    }
    return this.#finish(rollout, 'progress');
  }

  async #recreate(rollout: Rollout): Promise<ReconcileResult> {
    await rollout.syncNewest();
    const active = activeSets(rollout.old);
    for (const set of active) await rollout.scale(set, 0);
    if (active.length > 0 || this.#hasOldPods(rollout)) return this.#finish(rollout, 'progress');
    const newest = rollout.newest ?? (await rollout.ensureNewest());
    if (newest === undefined) return undefined;
    await rollout.scale(newest, replicasOf(rollout.deployment));
    if (isComplete(rollout.deployment, rollout.deployment.status ?? {})) await this.#cleanUp(rollout);
    return this.#finish(rollout, 'progress');
  }

  #hasOldPods(rollout: Rollout): boolean {
    return rollout.old.some(
      (set) =>
        (set.status?.replicas ?? 0) > 0 ||
        this.#deps.pods.lister.byIndex('controller', set.metadata.uid).some((pod) => !isPodTerminal(pod)),
    );
  }

  async #finish(rollout: Rollout, kind: 'counts' | 'progress'): Promise<ReconcileResult> {
    const nowMs = this.#deps.clock.now();
    const { deployment, sets, newest } = rollout;
    const status = (kind === 'counts' ? countedStatus : rolloutStatus)(deployment, sets, newest, nowMs);
    if ((await rollout.writeStatus(status)) || kind === 'counts') return undefined;
    const requeueAfterMs = timeoutCheckInMs(deployment, status, nowMs);
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  }

  /** Deletes the oldest empty ReplicaSets beyond the history limit. */
  async #cleanUp(rollout: Rollout): Promise<void> {
    const limit = rollout.deployment.spec.revisionHistoryLimit;
    if (limit === undefined || limit === 2 ** 31 - 1) return;
    const alive = rollout.old.filter((set) => set.metadata.deletionTimestamp === undefined);
    const excess = alive
      .toSorted((a, b) => Number(revisionOf(a) - revisionOf(b)))
      .slice(0, Math.max(0, alive.length - limit));
    for (const { metadata, spec, status } of excess) {
      const settled = (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);
      if (replicasOf({ spec }) !== 0 || (status?.replicas ?? 0) !== 0 || !settled) continue;
      await ignoreNotFound(this.#deps.client.delete(resources.replicasets, metadata));
    }
  }
}

/** The Deployment that owns the set; for an orphan those that would have it. */
function ownersOf(set: ReadReplicaSet, deployments: Informer<Deployment>): readonly Request[] {
  const { namespace, labels } = set.metadata;
  const reference = controllerRef(set);
  if (reference !== undefined) return reference.kind === TYPE.kind ? [{ namespace, name: reference.name }] : [];
  if (labels === undefined) return [];
  return [...deployments.lister.list(namespace)]
    .filter((deployment) => matchesLabelSelector(deployment.spec.selector, labels))
    .map((deployment) => ({ namespace, name: deployment.metadata.name }));
}

/** Only a Deployment that waits for its last old pod to go cares for pods. */
function recreatedBy(
  pod: ReadPod,
  deployments: Informer<Deployment>,
  replicaSets: Informer<ReplicaSet>,
): readonly Request[] {
  const { namespace } = pod.metadata;
  const reference = controllerRef(pod);
  if (reference?.kind !== resources.replicasets.kind) return [];
  const set = replicaSets.lister.get(`${namespace}/${reference.name}`);
  const owner = set === undefined ? undefined : controllerRef(set);
  if (owner?.kind !== TYPE.kind) return [];
  const deployment = deployments.lister.get(keyOf({ metadata: { namespace, name: owner.name } }));
  return deployment?.spec.strategy?.type === 'Recreate' ? [{ namespace, name: owner.name }] : [];
}
