import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
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
/** Stands for all finished pods together. */
const TERMINATED: Request = { namespace: '', name: 'terminated' };

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
        { start: (_, signal) => nodes.synced(signal) },
        fromInformer(pods, { map: requests }),
        fromInformer(nodes, {
          map: (node) => pods.lister.byIndex('node', node.metadata.name).flatMap(requests),
          updated: () => false,
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
  return nodes.hasSynced && nodes.lister.get(nodeName) === undefined;
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
      await this.#remove(pod);
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
    if (node === undefined) await this.#fail(pod);
    return undefined;
  }

  /** Nobody will ever say how the pod ended. */
  async #fail(pod: ReadPod): Promise<void> {
    if (!isPodTerminal(pod)) {
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        lastTransitionTime: formatTime(this.#deps.clock.now()),
        reason: 'DeletionByPodGC',
        message: 'PodGC: node no longer exists',
      };
      const patch = { metadata: { uid: pod.metadata.uid }, status: { phase: 'Failed', conditions: [condition] } };
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
