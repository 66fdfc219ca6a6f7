import { resources } from '../../api/generated/resources.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import type { EventRecorder, EventSubject } from '../../client/event-recorder.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { disruptPod } from '../disrupt-pod.ts';
import type { ReadPod } from '../pod-status.ts';
import { toleratedMs } from './tolerations.ts';

export interface TaintEvictionDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  readonly nodes: Informer<Node>;
  readonly pods: Informer<Pod>;
}

/** Deletes pods that do not tolerate a NoExecute taint of their node, or not any longer. */
export function newTaintEvictionController(deps: ControllerCommonDeps): Component {
  const nodes = deps.informers.for(resources.nodes);
  const pods = deps.informers.for(resources.pods, {
    indexers: { node: ({ spec }) => (spec.nodeName ? [spec.nodeName] : []) },
  });
  const recorder = recorderFor('taint-eviction-controller', deps);
  return new Controller(
    {
      name: 'taint-eviction-controller',
      sources: [
        fromInformer(nodes, {
          map: (node) =>
            pods.lister
              .byIndex('node', node.metadata.name)
              .map(({ metadata: { namespace, name } }) => ({ namespace, name })),
          updated: (node, old) => !equalJSON(noExecute(node), noExecute(old)),
        }),
        fromInformer(pods, {
          updated: (pod, old) =>
            pod.spec.nodeName !== old.spec.nodeName || !equalJSON(pod.spec.tolerations, old.spec.tolerations),
        }),
      ],
      reconciler: new TaintEvictionReconciler({ ...deps, nodes, pods, recorder }),
    },
    deps,
  );
}

interface Deadline {
  readonly uid: string;
  readonly startMs: number;
}

export class TaintEvictionReconciler implements Reconciler {
  readonly #deps: TaintEvictionDeps;
  /** Since when pods are counting down. */
  readonly #deadlines = new Map<string, Deadline>();

  constructor(deps: TaintEvictionDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { clock, nodes, pods, recorder } = this.#deps;
    const key = `${namespace}/${name}`;
    const pod = pods.lister.get(key);
    const node = pod?.spec.nodeName ? nodes.lister.get(pod.spec.nodeName) : undefined;
    if (pod === undefined || node === undefined || pod.metadata.deletionTimestamp !== undefined) {
      this.#deadlines.delete(key);
      return undefined;
    }
    const taints = noExecute(node);
    const allowedMs = taints.length === 0 ? undefined : toleratedMs(pod.spec.tolerations ?? [], taints);
    const deadline = this.#deadlines.get(key);
    const counting = deadline?.uid === pod.metadata.uid ? deadline : undefined;
    if (allowedMs === undefined) {
      this.#deadlines.delete(key);
      if (counting !== undefined) {
        recorder.event(subjectOf(pod), 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
      }
      return undefined;
    }
    const startMs = counting?.startMs ?? clock.monotonic();
    const leftMs = startMs + allowedMs - clock.monotonic();
    if (leftMs > 0) {
      this.#deadlines.set(key, { uid: pod.metadata.uid, startMs });
      return { requeueAfterMs: leftMs };
    }
    this.#deadlines.delete(key);
    await this.#evict(pod, key);
    return undefined;
  }

  async #evict(pod: ReadPod, key: string): Promise<void> {
    const text = `Marking for deletion Pod ${key}`;
    this.#deps.recorder.event(subjectOf(pod), 'Normal', 'TaintManagerEviction', text);
    const message = 'Taint manager: deleting due to NoExecute taint';
    await disruptPod(pod, { reason: 'DeletionByTaintManager', message }, this.#deps);
  }
}

function noExecute(node: DeepReadonly<Node>) {
  return (node.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
}

/** Upstream's events about evictions do not say of which version of the pod they speak. */
function subjectOf({ metadata: { namespace, name, uid } }: ReadPod): EventSubject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, uid } };
}
