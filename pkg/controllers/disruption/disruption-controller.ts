import { resources } from '../../api/generated/resources.ts';
import type {
  Deployment,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../../api/generated/types.ts';
import { type DeepReadonly, parseAPIVersion } from '../../api/object.ts';
import { matchesLabelSelector } from '../../api/selector.ts';
import { goSelectorText } from '../../api/selector-text.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer, Lister } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { controllerRef } from '../owner.ts';
import { messageOf } from '../pod-control.ts';
import { isPodReady, type ReadPod } from '../pod-status.ts';
import {
  budgetStatus,
  disruptedPods,
  expectedPods,
  failedStatus,
  needsScale,
  type ReadBudget,
} from './budget-status.ts';

const TYPE = resources.poddisruptionbudgets;

export interface DisruptionReconcilerDeps {
  readonly client: Client;
  readonly clock: ControllerCommonDeps['clock'];
  readonly budgets: Lister<PodDisruptionBudget>;
  readonly pods: Lister<Pod>;
  readonly deployments: Lister<Deployment>;
  readonly replicaSets: Lister<ReplicaSet>;
  readonly replicationControllers: Lister<ReplicationController>;
  readonly statefulSets: Lister<StatefulSet>;
  readonly recorder: EventRecorder;
}

/** Keeps count of how many pods of each PodDisruptionBudget may be evicted. */
export function newDisruptionController(deps: ControllerCommonDeps): Component {
  const { informers } = deps;
  const budgets = informers.for(TYPE);
  const pods = informers.for(resources.pods);
  const deployments = informers.for(resources.deployments);
  const replicaSets = informers.for(resources.replicasets);
  const replicationControllers = informers.for(resources.replicationcontrollers);
  const statefulSets = informers.for(resources.statefulsets);
  const recorder = recorderFor('controllermanager', deps);
  const reconciler = new DisruptionReconciler({
    ...deps,
    budgets: budgets.lister,
    pods: pods.lister,
    deployments: deployments.lister,
    replicaSets: replicaSets.lister,
    replicationControllers: replicationControllers.lister,
    statefulSets: statefulSets.lister,
    recorder,
  });
  const concerned = (object: DeepReadonly<{ metadata: { namespace: string } }>): readonly Request[] =>
    [...budgets.lister.list(object.metadata.namespace)].filter(needsScale).map(requestFor);
  const resized = (
    object: DeepReadonly<{ spec?: { replicas?: number } }>,
    old: DeepReadonly<{ spec?: { replicas?: number } }>,
  ): boolean => object.spec?.replicas !== old.spec?.replicas;
  return new Controller(
    {
      name: 'disruption-controller',
      sources: [
        fromInformer(budgets, { unhurried: () => true }),
        fromInformer(deployments, { map: concerned, updated: resized }),
        fromInformer(replicaSets, { map: concerned, updated: resized }),
        fromInformer(replicationControllers, { map: concerned, updated: resized }),
        fromInformer(statefulSets, { map: concerned, updated: resized }),
        fromInformer(pods, { map: (pod) => budgetsOf(pod, budgets, recorder), updated: changesCounts }),
      ],
      reconciler,
    },
    deps,
  );
}

export class DisruptionReconciler implements Reconciler {
  readonly #deps: DisruptionReconcilerDeps;

  constructor(deps: DisruptionReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { budgets, clock, recorder } = this.#deps;
    const budget = budgets.get(`${namespace}/${name}`);
    if (budget === undefined) return undefined;
    const nowMs = clock.now();
    const pods = this.#podsOf(budget);
    if (pods.length === 0) recorder.event(budget, 'Normal', 'NoPods', 'No matching pods found');
    let numbers: ReturnType<typeof expectedPods>;
    try {
      numbers = expectedPods(budget, pods.length, () => this.#scaleOf(budget, pods));
    } catch (error) {
      const message = `Failed to calculate the number of expected pods: ${messageOf(error)}`;
      recorder.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', message);
      await this.#write(budget, failedStatus(budget, messageOf(error), nowMs));
      // The owner may not be known yet, or is of a kind that has no scale.
      return undefined;
    }
    const { pending, overdue, recheckInMs } = disruptedPods(budget, pods, nowMs);
    for (const pod of overdue) {
      const message = `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`;
      recorder.event(pod, 'Warning', 'NotDeleted', message);
    }
    await this.#write(budget, budgetStatus(budget, pods, { ...numbers, pending }, nowMs));
    return recheckInMs === undefined ? undefined : { requeueAfterMs: recheckInMs };
  }

  #podsOf(budget: ReadBudget): ReadPod[] {
    const selector = budget.spec?.selector;
    if (selector === undefined) return [];
    return [...this.#deps.pods.list(budget.metadata.namespace)].filter((pod) =>
      matchesLabelSelector(selector, pod.metadata.labels),
    );
  }

  async #write(budget: ReadBudget, status: ReadBudget['status']): Promise<void> {
    if (equalJSON(budget.status, status)) return;
    await this.#deps.client.updateStatus(TYPE, { ...budget, ...(status === undefined ? {} : { status }) });
  }

  /** How many pods the controllers of these pods want, each counted once. Throws when that cannot be known. */
  #scaleOf(budget: ReadBudget, pods: readonly ReadPod[]): number {
    const seen = new Set<string>();
    const unmanaged: ReadPod[] = [];
    let total = 0;
    for (const pod of pods) {
      const reference = controllerRef(pod);
      if (reference === undefined) {
        unmanaged.push(pod);
        continue;
      }
      const owner = this.#ownerOf(pod.metadata.namespace, reference);
      if (seen.has(owner.uid)) continue;
      seen.add(owner.uid);
      total += owner.replicas;
    }
    if (unmanaged.length > 0) {
      const message = `Pods selected by this PodDisruptionBudget (selector: ${goSelectorText(budget.spec?.selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
      this.#deps.recorder.event(budget, 'Warning', 'UnmanagedPods', message);
    }
    return total;
  }

  #ownerOf(
    namespace: string,
    { apiVersion, kind, name, uid }: { apiVersion: string; kind: string; name: string; uid: string },
  ) {
    const key = `${namespace}/${name}`;
    const { group } = parseAPIVersion(apiVersion);
    if (group === 'apps' && kind === 'ReplicaSet') {
      const set = this.#deps.replicaSets.get(key);
      const parent = set === undefined ? undefined : controllerRef(set);
      const deployment =
        parent?.kind === 'Deployment' ? this.#deps.deployments.get(`${namespace}/${parent.name}`) : undefined;
      if (deployment !== undefined) return sized(deployment);
      if (set?.metadata.uid === uid) return sized(set);
    }
    const owner =
      group === 'apps' && kind === 'StatefulSet'
        ? this.#deps.statefulSets.get(key)
        : group === '' && kind === 'ReplicationController'
          ? this.#deps.replicationControllers.get(key)
          : undefined;
    if (owner?.metadata.uid === uid) return sized(owner);
    const resource = Object.values(resources).find((type) => type.group === group && type.kind === kind)?.resource;
    const named = resource ?? kind.toLowerCase();
    throw new Error(`${group === '' ? named : `${named}.${group}`} does not implement the scale subresource`);
  }
}

function sized(owner: DeepReadonly<{ metadata: { uid: string }; spec?: { replicas?: number } }>) {
  return { uid: owner.metadata.uid, replicas: owner.spec?.replicas ?? 1 };
}

function requestFor({ metadata }: ReadBudget): Request {
  return { namespace: metadata.namespace, name: metadata.name };
}

function budgetsOf(pod: ReadPod, budgets: Informer<PodDisruptionBudget>, recorder: EventRecorder): readonly Request[] {
  const { namespace, name, labels } = pod.metadata;
  const matching = [...budgets.lister.list(namespace)].filter(
    ({ spec }) => spec?.selector !== undefined && matchesLabelSelector(spec.selector, labels),
  );
  if (matching.length > 1) {
    // Whichever: upstream takes the first of a map.
    const chosen = matching[Number(pod.metadata.resourceVersion) % matching.length]?.metadata.name;
    const message = `Pod "${namespace}"/"${name}" matches multiple PodDisruptionBudgets.  Chose "${chosen}" arbitrarily.`;
    recorder.event(pod, 'Warning', 'MultiplePodDisruptionBudgets', message);
  }
  return matching.map(requestFor);
}

function changesCounts(pod: ReadPod, old: ReadPod): boolean {
  return (
    isPodReady(pod) !== isPodReady(old) ||
    pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    controllerRef(pod)?.uid !== controllerRef(old)?.uid ||
    !equalJSON(pod.metadata.labels, old.metadata.labels)
  );
}
