import { resources } from '../../api/generated/resources.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Lister } from '../../client/client.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { claimsOfPod } from '../claims-of-pod.ts';
import type { ControllerCommonDeps } from '../deps.ts';
import type { ReadPod } from '../pod-status.ts';
import { keepFinalizer } from './keep-finalizer.ts';

const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';

/** Keeps claims that are being deleted as long as pods use them. */
export function newClaimProtectionController(deps: ControllerCommonDeps): Component {
  const claims = deps.informers.for(resources.persistentvolumeclaims);
  const pods = deps.informers.for(resources.pods, { indexers: { claim: claimsOfPod } });
  const waits = (key: string): boolean => claims.lister.get(key)?.metadata.deletionTimestamp !== undefined;
  return new Controller(
    {
      name: 'pvc-protection-controller',
      sources: [
        fromInformer(claims),
        fromInformer(pods, {
          map: (pod) => claimsOfPod(pod).filter(waits).map(requestOf),
          updated: () => false,
        }),
      ],
      reconciler: new ClaimProtectionReconciler({ ...deps, claims: claims.lister, pods: pods.lister }),
    },
    deps,
  );
}

export interface ClaimProtectionReconcilerDeps {
  readonly client: Client;
  readonly claims: Lister<PersistentVolumeClaim>;
  /** With the index `claim`: `namespace/name` of the claims that a pod uses. */
  readonly pods: Lister<Pod>;
}

export class ClaimProtectionReconciler implements Reconciler {
  readonly #deps: ClaimProtectionReconcilerDeps;

  constructor(deps: ClaimProtectionReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { client, claims, pods } = this.#deps;
    const key = `${namespace}/${name}`;
    const claim = claims.get(key);
    if (claim === undefined) return undefined;
    const isUsed = pods.byIndex('claim', key).some(usesVolumes);
    await keepFinalizer(client, resources.persistentvolumeclaims, claim, { name: CLAIM_FINALIZER, isUsed });
    return undefined;
  }
}

/** Keeps volumes that are being deleted as long as they are bound. */
export function newVolumeProtectionController(deps: ControllerCommonDeps): Component {
  const volumes = deps.informers.for(resources.persistentvolumes);
  return new Controller(
    {
      name: 'pv-protection-controller',
      sources: [fromInformer(volumes)],
      reconciler: new VolumeProtectionReconciler({ ...deps, volumes: volumes.lister }),
    },
    deps,
  );
}

export interface VolumeProtectionReconcilerDeps {
  readonly client: Client;
  readonly volumes: Lister<PersistentVolume>;
}

export class VolumeProtectionReconciler implements Reconciler {
  readonly #deps: VolumeProtectionReconcilerDeps;

  constructor(deps: VolumeProtectionReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ name }: Request): Promise<ReconcileResult> {
    const volume = this.#deps.volumes.get(name);
    if (volume === undefined) return undefined;
    const isUsed = volume.status?.phase === 'Bound';
    await keepFinalizer(this.#deps.client, resources.persistentvolumes, volume, { name: VOLUME_FINALIZER, isUsed });
    return undefined;
  }
}

/** A pod that was never scheduled holds no volume; any other may until it is gone. */
function usesVolumes(pod: ReadPod): boolean {
  return Boolean(pod.spec.nodeName);
}

function requestOf(key: string): Request {
  const [namespace = '', name = ''] = key.split('/');
  return { namespace, name };
}
