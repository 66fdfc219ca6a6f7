import { resources } from '../../api/generated/resources.ts';
import type { Job, Pod } from '../../api/generated/types.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';
import { controllerIndex, controllerRef } from '../owner.ts';
import type { ReadPod } from '../pod-status.ts';
import { isFinished, isManagedElsewhere, isTracked, TRACKING_FINALIZER } from './job-pods.ts';

export interface AbandonedPodReconcilerDeps {
  readonly client: Client;
  readonly jobs: Informer<Job>;
  readonly pods: Informer<Pod>;
}

/** Takes the tracking finalizer from pods whose job is gone or over: nobody counts them any more. */
export function newAbandonedPodController(deps: ControllerCommonDeps): Component {
  const pods = deps.informers.for(resources.pods, { indexers: { controller: controllerIndex } });
  const jobs = deps.informers.for(resources.jobs);
  return new Controller(
    {
      name: 'job-abandoned-pods',
      sources: [
        fromInformer(jobs, {
          map: ({ metadata }) => pods.lister.byIndex('controller', metadata.uid).filter(isTracked).map(requestFor),
          updated: isFinished,
        }),
        fromInformer(pods, {
          map: (pod) => (isTracked(pod) ? [requestFor(pod)] : []),
          updated: (pod, old) => isTracked(pod) && controllerRef(pod)?.uid !== controllerRef(old)?.uid,
        }),
      ],
      reconciler: new AbandonedPodReconciler({ ...deps, pods, jobs }),
    },
    deps,
  );
}

export class AbandonedPodReconciler implements Reconciler {
  readonly #deps: AbandonedPodReconcilerDeps;

  constructor(deps: AbandonedPodReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { client, pods } = this.#deps;
    const pod = pods.lister.get(`${namespace}/${name}`);
    if (pod === undefined || !isTracked(pod) || this.#isCounted(pod)) return undefined;
    const { uid } = pod.metadata;
    const patch = { metadata: { uid, '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] } };
    await ignoreNotFound(client.patch(resources.pods, { namespace, name }, 'strategic', patch));
    return undefined;
  }

  /** Its job still counts it, or is none of ours. */
  #isCounted(pod: ReadPod): boolean {
    const reference = controllerRef(pod);
    if (reference === undefined) return false;
    if (reference.kind !== resources.jobs.kind || !reference.apiVersion.startsWith('batch/')) return true;
    const job = this.#deps.jobs.lister.get(`${pod.metadata.namespace}/${reference.name}`);
    if (job === undefined || job.metadata.uid !== reference.uid) return false;
    return isManagedElsewhere(job) || !isFinished(job);
  }
}

function requestFor({ metadata }: ReadPod): Request {
  return { namespace: metadata.namespace, name: metadata.name };
}
