import { resources } from '../../api/generated/resources.ts';
import type { ControllerRevision, Pod, StatefulSet } from '../../api/generated/types.ts';
import { keyOf } from '../../api/object.ts';
import { matchesLabelSelector } from '../../api/selector.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Informer } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { retryOnConflict } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Expectations } from '../../controller/expectations.ts';
import { Controller } from '../../controller/run-controller.ts';
import { afterSync, fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { claimable, claimObjects, controllerIndex } from '../owner.ts';
import { podSource } from '../pod-source.ts';
import type { ReadPod } from '../pod-status.ts';
import type { ReadRevision } from '../revision-history.ts';
import { sameStatus } from '../same-status.ts';
import { slowStart } from '../slow-start.ts';
import { isInRange, ordinalOf, type ReadClaim, type ReadStatefulSet } from './identity.ts';
import { nextStep, type Step } from './plan.ts';
import { PodWriter } from './pod-writer.ts';
import { type SetRevisions, setRevisions, truncateHistory } from './revisions.ts';
import { type Counted, statefulSetStatus } from './status.ts';

const TYPE = resources.statefulsets;

export interface StatefulSetReconcilerDeps {
  readonly client: ControllerCommonDeps['client'];
  readonly clock: ControllerCommonDeps['clock'];
  readonly statefulSets: Informer<StatefulSet>;
  /** Both with the index `controller` (controllerIndex). */
  readonly pods: Informer<Pod>;
  readonly revisions: Informer<ControllerRevision>;
  readonly expectations: Expectations;
  readonly recorder: EventRecorder;
  readonly writer: PodWriter;
}

/** Keeps the pods of each StatefulSet: one per ordinal, with its own name and claims. */
export function newStatefulSetController(deps: ControllerCommonDeps): Component {
  const { informers } = deps;
  const pods = informers.for(resources.pods, { indexers: { controller: controllerIndex } });
  const revisions = informers.for(resources.controllerrevisions, { indexers: { controller: controllerIndex } });
  const statefulSets = informers.for(TYPE);
  const claims = informers.for(resources.persistentvolumeclaims);
  const expectations = new Expectations(deps.clock);
  const recorder = recorderFor('statefulset-controller', deps);
  const writer = new PodWriter({ client: deps.client, claims: claims.lister, recorder });
  return new Controller(
    {
      name: 'statefulset-controller',
      sources: [
        fromInformer(statefulSets, { unhurried: ({ spec }) => spec?.replicas === 0 }),
        afterSync(revisions),
        fromInformer(claims, { map: (claim) => claimants(claim, statefulSets), updated: () => false }),
        podSource({ type: TYPE, owners: statefulSets, selectorOf: (set) => set.spec.selector, pods, expectations }),
      ],
      reconciler: new StatefulSetReconciler({ ...deps, pods, revisions, statefulSets, expectations, recorder, writer }),
    },
    deps,
  );
}

export class StatefulSetReconciler implements Reconciler {
  readonly #deps: StatefulSetReconcilerDeps;

  constructor(deps: StatefulSetReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { client, clock, expectations, statefulSets } = this.#deps;
    const key = `${namespace}/${name}`;
    const set = statefulSets.lister.get(key);
    if (set === undefined) {
      expectations.forget(key);
      return undefined;
    }
    const upToDate = expectations.satisfied(key);
    const history = await this.#claimRevisions(set);
    const pods = await this.#claimPods(set);
    const revisions = await setRevisions(set, history, this.#deps);
    if (revisions === undefined) return this.#recount(key, set, pods);
    const names = { current: revisions.current.metadata.name, update: revisions.update.metadata.name };
    const mayAct = upToDate && set.metadata.deletionTimestamp === undefined;
    const step = mayAct ? nextStep(set, pods, names, clock.now()) : undefined;
    let failure: { error: unknown } | undefined;
    try {
      if (step !== undefined) await this.#carryOut(key, set, step, revisions);
    } catch (error) {
      failure = { error };
    }
    const { collisionCount } = revisions;
    const counted = statefulSetStatus(set, pods, names, collisionCount, clock.now(), step?.replace);
    await this.#writeStatus(key, set, counted.status);
    if (failure !== undefined) throw failure.error;
    await truncateHistory(set, pods, history, revisions, client);
    return counted.nextAvailableInMs === undefined ? undefined : { requeueAfterMs: counted.nextAvailableInMs };
  }

  /** A set that is being deleted and has no revisions any more says how many pods are left. */
  async #recount(key: string, set: ReadStatefulSet, pods: readonly ReadPod[]): Promise<undefined> {
    const { currentRevision: current, updateRevision: update, collisionCount = 0 } = set.status ?? {};
    if (!current || !update) return undefined;
    const { status } = statefulSetStatus(set, pods, { current, update }, collisionCount, this.#deps.clock.now());
    await this.#writeStatus(key, set, status);
    return undefined;
  }

  #claimPods(set: ReadStatefulSet): Promise<ReadPod[]> {
    return claimObjects(claimable(this.#deps.pods.lister, set), {
      client: this.#deps.client,
      childType: resources.pods,
      ownerType: TYPE,
      owner: set,
      matches: (pod) =>
        ordinalOf(set, pod) !== undefined && matchesLabelSelector(set.spec.selector, pod.metadata.labels),
    });
  }

  #claimRevisions(set: ReadStatefulSet): Promise<ReadRevision[]> {
    return claimObjects(claimable(this.#deps.revisions.lister, set), {
      client: this.#deps.client,
      childType: resources.controllerrevisions,
      ownerType: TYPE,
      owner: set,
      matches: (revision) => matchesLabelSelector(set.spec.selector, revision.metadata.labels),
    });
  }

  async #carryOut(key: string, set: ReadStatefulSet, step: Step, revisions: SetRevisions): Promise<void> {
    const { expectations, writer } = this.#deps;
    const remove = [...step.remove, ...step.replace];
    for (const { pod, ordinal } of step.keep) await writer.keep(set, pod, ordinal);
    if (step.create.length > 0 || remove.length > 0) {
      expectations.expect(key, step.create.length, remove.map(keyOf));
    }
    const byName = new Map([revisions.current, revisions.update].map((item) => [item.metadata.name, item]));
    const { successes, error } = await slowStart(step.create.length, async (index) => {
      const { ordinal, revision } = step.create[index] ?? { ordinal: 0, revision: '' };
      const created = await writer.create(set, byName.get(revision) ?? revisions.update, ordinal);
      if (!created) expectations.creationObserved(key);
    });
    if (error !== undefined) expectations.creationObserved(key, step.create.length - successes);
    const errors: unknown[] = error === undefined ? [] : [error];
    for (const pod of remove) {
      try {
        const ordinal = ordinalOf(set, pod);
        if (ordinal !== undefined && !isInRange(set, ordinal)) await writer.syncClaimOwners(set, pod, true);
        await writer.remove(set, pod);
      } catch (cause) {
        expectations.deletionObserved(key, keyOf(pod));
        errors.push(cause);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  async #writeStatus(key: string, set: ReadStatefulSet, status: Counted['status']): Promise<void> {
    const { client, statefulSets } = this.#deps;
    if (sameStatus(set.status, status) && set.status?.collisionCount === status.collisionCount) return;
    await retryOnConflict(async () => {
      await client.updateStatus(TYPE, { ...(statefulSets.lister.get(key) ?? set), status });
    }, 2);
  }
}

/** The set whose pod uses a claim, by the claim's name. */
function claimants(claim: ReadClaim, statefulSets: Informer<StatefulSet>): readonly Request[] {
  const { namespace, name } = claim.metadata;
  const requests: Request[] = [];
  for (const { metadata, spec } of statefulSets.lister.list(namespace)) {
    const isUser = spec.volumeClaimTemplates?.some((template) =>
      name.startsWith(`${template.metadata.name}-${metadata.name}-`),
    );
    if (isUser === true) requests.push({ namespace, name: metadata.name });
  }
  return requests;
}
