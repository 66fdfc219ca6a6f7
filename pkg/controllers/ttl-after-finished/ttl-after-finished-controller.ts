import { resources } from '../../api/generated/resources.ts';
import type { Job } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Lister } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';

export interface TTLReconcilerDeps {
  readonly client: Client;
  readonly jobs: Lister<Job>;
  readonly clock: ControllerCommonDeps['clock'];
}

/** Deletes finished Jobs, with their pods, when their time to live is over. */
export function newTTLAfterFinishedController(deps: ControllerCommonDeps): Component {
  const jobs = deps.informers.for(resources.jobs);
  return new Controller(
    {
      name: 'ttl-after-finished-controller',
      sources: [fromInformer(jobs, { map: (job) => (expiryMs(job) === undefined ? [] : [requestFor(job)]) })],
      reconciler: new TTLReconciler({ ...deps, jobs: jobs.lister }),
    },
    deps,
  );
}

export class TTLReconciler implements Reconciler {
  readonly #deps: TTLReconcilerDeps;

  constructor(deps: TTLReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile(request: Request): Promise<ReconcileResult> {
    const { client, clock, jobs } = this.#deps;
    const job = jobs.get(`${request.namespace}/${request.name}`);
    const atMs = job === undefined ? undefined : expiryMs(job);
    if (job === undefined || atMs === undefined) return undefined;
    const leftMs = atMs - clock.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    // The TTL may have been raised a moment ago.
    const fresh = await ignoreNotFound(client.get(resources.jobs, request));
    const freshMs = fresh === undefined ? undefined : expiryMs(fresh);
    if (fresh === undefined || freshMs === undefined) return undefined;
    if (freshMs > clock.now()) return { requeueAfterMs: freshMs - clock.now() };
    const { uid, resourceVersion } = fresh.metadata;
    const preconditions = { uid, resourceVersion };
    await ignoreNotFound(client.delete(resources.jobs, request, { propagationPolicy: 'Foreground', preconditions }));
    return undefined;
  }
}

/** When a finished job is to go, in milliseconds since 1970; undefined: not by us. */
export function expiryMs({ metadata, spec, status }: DeepReadonly<Job>): number | undefined {
  if (metadata.deletionTimestamp !== undefined || spec.ttlSecondsAfterFinished === undefined) return undefined;
  const end = status?.conditions?.find(
    ({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True',
  );
  const endMs = Date.parse(end?.lastTransitionTime ?? '');
  return Number.isNaN(endMs) ? undefined : endMs + spec.ttlSecondsAfterFinished * 1000;
}

function requestFor({ metadata }: DeepReadonly<Job>): Request {
  return { namespace: metadata.namespace, name: metadata.name };
}
