import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { podConditionPatch } from '../../api/pod-condition.ts';
import { formatTime } from '../../api/time.ts';
import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';
import { isPodTerminal, type ReadPod } from '../pod-status.ts';

/** Of pods that have finished and that nobody deletes so many are kept (as upstream). */
const MAX_TERMINATED = 12_500;
/** A missing node may still come (or come back): its pods are left for so long. */
const QUARANTINE_MS = 40_000;
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';
/** Told of pods that end because of it. */
const NODE_GONE = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'DeletionByPodGC',
  message: 'PodGC: node no longer exists',
} as const;
/** Stands for all finished pods together. */
const TERMINATED: Request = { namespace: '', name: 'terminated' };

type ReadNode = DeepReadonly<Node>;

export interface PodGCDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodes: Informer<Node>;
  /** With the index `terminal`. */
  readonly pods: Informer<Pod>;
  readonly maxTerminated: number;
}

/** Deletes pods that no kubelet will: of nodes that are gone, deleted before they had a node, and too many finished ones. */
export function newPodGCController(deps: ControllerCommonDeps & { readonly maxTerminated?: number }): Component {
  const maxTerminated = deps.maxTerminated ?? MAX_TERMINATED;
  const nodes = deps.informers.for(resources.nodes);
  const pods = deps.informers.for(resources.pods, {
    indexers: {
      node: ({ spec }) => (spec.nodeName ? [spec.nodeName] : []),
      terminal: (pod) => (isPodTerminal(pod) ? ['true'] : []),
    },
  });
  const requests = (pod: ReadPod): readonly Request[] => {
    const { namespace, name } = pod.metadata;
    const own = needsCollection(pod, nodes) ? [{ namespace, name }] : [];
    const tooMany = isPodTerminal(pod) && pods.lister.byIndex('terminal', 'true').length > maxTerminated;
    return tooMany ? [...own, TERMINATED] : own;
  };
  return new Controller(
    {
      name: 'pod-garbage-collector-controller',
      sources: [
        { start: (_, signal) => nodes.syncedIfServed(signal) },
        fromInformer(pods, { map: requests }),
        fromInformer(nodes, {
          map: (node) => pods.lister.byIndex('node', node.metadata.name).flatMap(requests),
          updated: (node, old) => isOutOfService(node) !== isOutOfService(old),
        }),
      ],
      reconciler: new PodGCReconciler({ ...deps, nodes, pods, maxTerminated }),
    },
    deps,
  );
}

function needsCollection(pod: ReadPod, nodes: Informer<Node>): boolean {
  const { nodeName } = pod.spec;
  if (!nodeName) return pod.metadata.deletionTimestamp !== undefined;
  if (!nodes.hasSynced) return false;
  const node = nodes.lister.get(nodeName);
  return node === undefined || isAbandoned(pod, node);
}

/** Being deleted on a node of which an administrator says that nothing runs there any more. */
function isAbandoned({ metadata }: ReadPod, node: ReadNode): boolean {
  return metadata.deletionTimestamp !== undefined && isOutOfService(node);
}

/** Not ready, and marked by an administrator. */
function isOutOfService({ spec, status }: ReadNode): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
  return !ready && spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE) === true;
}

export class PodGCReconciler implements Reconciler {
  readonly #deps: PodGCDeps;
  /** Since when pods are seen without their node. */
  readonly #orphanedMs = new Map<string, number>();

  constructor(deps: PodGCDeps) {
    this.#deps = deps;
  }

  async reconcile(request: Request): Promise<ReconcileResult> {
    const { clock, nodes, pods } = this.#deps;
    if (request.namespace === '') return this.#trimTerminated();
    const key = `${request.namespace}/${request.name}`;
    const pod = pods.lister.get(key);
    if (pod === undefined || !needsCollection(pod, nodes)) {
      this.#orphanedMs.delete(key);
      return undefined;
    }
    if (!pod.spec.nodeName) {
      await this.#fail(pod);
      return undefined;
    }
    if (nodes.lister.get(pod.spec.nodeName) !== undefined) {
      await this.#fail(pod);
      return undefined;
    }
    const sinceMs = this.#orphanedMs.get(key) ?? clock.monotonic();
    const leftMs = sinceMs + QUARANTINE_MS - clock.monotonic();
    if (leftMs > 0) {
      this.#orphanedMs.set(key, sinceMs);
      return { requeueAfterMs: leftMs };
    }
    this.#orphanedMs.delete(key);
    const node = await ignoreNotFound(this.#deps.client.get(resources.nodes, { name: pod.spec.nodeName }));
    if (node === undefined) await this.#fail(pod, NODE_GONE);
    return undefined;
  }

  /** Nobody will ever say how the pod ended. */
  async #fail(pod: ReadPod, condition?: typeof NODE_GONE): Promise<void> {
    if (!isPodTerminal(pod)) {
      const { uid } = pod.metadata;
      const lastTransitionTime = formatTime(this.#deps.clock.now());
      const { status = {} } =
        condition === undefined ? {} : podConditionPatch(pod, { ...condition, lastTransitionTime });
      const patch = { metadata: { uid }, status: { ...status, phase: 'Failed' } };
      const options = { subresource: 'status' };
      await ignoreNotFound(this.#deps.client.patch(resources.pods, pod.metadata, 'strategic', patch, options));
    }
    await this.#remove(pod);
  }

  async #trimTerminated(): Promise<ReconcileResult> {
    const { pods, maxTerminated } = this.#deps;
    const terminal = pods.lister.byIndex('terminal', 'true');
    const excess = terminal.length - maxTerminated;
    if (excess <= 0) return undefined;
    const oldest = terminal.toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1));
    for (const pod of oldest.slice(0, excess)) await this.#remove(pod);
    return undefined;
  }

  async #remove(pod: ReadPod): Promise<void> {
    const options = { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } };
    try {
      await ignoreNotFound(this.#deps.client.delete(resources.pods, pod.metadata, options));
    } catch (error) {
      // Another pod of that name has come.
      if (!isStatusError(error, 'Conflict')) throw error;
    }
  }
}
