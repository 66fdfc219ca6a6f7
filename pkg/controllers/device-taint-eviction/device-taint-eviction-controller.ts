import { resources } from '../../api/generated/resources.ts';
import type { Pod, ResourceResourceClaim, ResourceSlice } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Lister } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer, requestOf } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { disruptPod } from '../disrupt-pod.ts';
import type { ReadPod } from '../pod-status.ts';
import { evicting, evictionTime, poolOf, poolsOf, type ReadClaim, type ReadSlice } from './eviction-time.ts';

const NAME = 'device-taint-eviction-controller';
const EVENT = 'DeviceTaintManagerEviction';

/** Deletes pods whose claims do not tolerate a NoExecute taint of one of their devices, or not any longer. */
export function newDeviceTaintEvictionController(deps: ControllerCommonDeps): Component {
  const pods = deps.informers.for(resources.pods);
  const claims = deps.informers.for(resources.resourceclaims, { indexers: { consumer: consumerUIDs, pool: poolsOf } });
  const slices = deps.informers.for(resources.resourceslices, { indexers: { pool: (slice) => [poolOf(slice)] } });
  return new Controller(
    {
      name: NAME,
      sources: [
        fromInformer(pods, {
          map: (pod) => (usesDevices(pod) ? requestOf(pod) : []),
          updated: (pod, old) => pod.spec.nodeName !== old.spec.nodeName,
        }),
        fromInformer(claims, { map: consumers }),
        fromInformer(slices, {
          map: (slice) => claims.lister.byIndex('pool', poolOf(slice)).flatMap(consumers),
          updated: (slice, old) => !equalJSON(evictingBy(slice), evictingBy(old)),
        }),
      ],
      reconciler: new DeviceTaintEvictionReconciler({
        ...deps,
        pods: pods.lister,
        claims: claims.lister,
        slices: slices.lister,
        recorder: recorderFor(NAME, deps),
      }),
    },
    deps,
  );
}

export interface DeviceTaintEvictionDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  readonly pods: Lister<Pod>;
  /** With the index `consumer`: the uids of the pods that a claim is reserved for. */
  readonly claims: Lister<ResourceResourceClaim>;
  /** With the index `pool`: `driver/pool`. */
  readonly slices: Lister<ResourceSlice>;
}

export class DeviceTaintEvictionReconciler implements Reconciler {
  readonly #deps: DeviceTaintEvictionDeps;
  /** The uids of pods that are to go, by key. */
  readonly #pending = new Map<string, string>();

  constructor(deps: DeviceTaintEvictionDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const key = `${namespace}/${name}`;
    const pod = this.#deps.pods.get(key);
    const wasPending = pod !== undefined && this.#pending.get(key) === pod.metadata.uid;
    this.#pending.delete(key);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return undefined;
    const time = this.#evictionTime(pod);
    if (time === undefined) {
      if (wasPending) this.#deps.recorder.event(pod, 'Normal', EVENT, 'Cancelling deletion');
      return undefined;
    }
    const leftMs = time - this.#deps.clock.now();
    if (leftMs > 0) {
      this.#pending.set(key, pod.metadata.uid);
      return { requeueAfterMs: leftMs };
    }
    await this.#evict(pod);
    return undefined;
  }

  #evictionTime({ metadata, spec }: ReadPod): number | undefined {
    if (!spec.nodeName) return undefined;
    const { claims, slices } = this.#deps;
    const times = claims
      .byIndex('consumer', metadata.uid)
      .map((claim) => evictionTime(claim, (pool) => slices.byIndex('pool', pool)))
      .filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  async #evict(pod: ReadPod): Promise<void> {
    this.#deps.recorder.event(pod, 'Normal', EVENT, 'Marking for deletion');
    const message = 'Device Taint manager: deleting due to NoExecute taint';
    await disruptPod(pod, { reason: 'DeletionByDeviceTaintManager', message }, this.#deps);
  }
}

function usesDevices({ spec, status }: ReadPod): boolean {
  return (spec.resourceClaims ?? []).length > 0 || status?.extendedResourceClaimStatus !== undefined;
}

function consumerUIDs({ status }: ReadClaim): readonly string[] {
  return (status?.reservedFor ?? []).map(({ uid }) => uid);
}

function consumers({ metadata, status }: ReadClaim): readonly Request[] {
  return (status?.reservedFor ?? [])
    .filter(({ resource }) => resource === 'pods')
    .map(({ name }) => ({ namespace: metadata.namespace, name }));
}

/** What an update of a slice may change about evictions. */
function evictingBy({ spec }: ReadSlice): unknown {
  return [spec.pool.generation, (spec.devices ?? []).map(({ name, taints }) => [name, evicting(taints)])];
}
