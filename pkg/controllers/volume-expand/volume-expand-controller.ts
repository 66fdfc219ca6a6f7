import { resources } from '../../api/generated/resources.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { quantityValue } from '../../api/quantity.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Lister } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { afterSync, fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;

/**
 * Tells users of a bound claim that asks for more than it has who has to give it: since no volume plugin of Kubernetes' own
 * can grow a volume, always a driver's resizer.
 */
export function newVolumeExpandController(deps: ControllerCommonDeps): Component {
  const claims = deps.informers.for(resources.persistentvolumeclaims);
  const volumes = deps.informers.for(resources.persistentvolumes);
  return new Controller(
    {
      name: 'persistentvolume-expander-controller',
      sources: [
        fromInformer(claims, {
          updated: (claim, old) => requested(claim) > requested(old) || capacity(claim) > capacity(old),
        }),
        afterSync(volumes),
      ],
      reconciler: new VolumeExpandReconciler({
        claims: claims.lister,
        volumes: volumes.lister,
        recorder: recorderFor('volume_expand', deps),
      }),
    },
    deps,
  );
}

export interface VolumeExpandReconcilerDeps {
  readonly claims: Lister<PersistentVolumeClaim>;
  readonly volumes: Lister<PersistentVolume>;
  readonly recorder: EventRecorder;
}

export class VolumeExpandReconciler implements Reconciler {
  readonly #deps: VolumeExpandReconcilerDeps;

  constructor(deps: VolumeExpandReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const claim = this.#deps.claims.get(`${namespace}/${name}`);
    if (claim?.status?.phase !== 'Bound' || requested(claim) <= capacity(claim)) return undefined;
    const volume = this.#deps.volumes.get(claim.spec.volumeName ?? '');
    if (volume?.spec.claimRef?.uid !== claim.metadata.uid) return undefined;
    const message = 'waiting for an external controller to expand this PVC';
    this.#deps.recorder.event(claim, 'Normal', 'ExternalExpanding', message);
    return undefined;
  }
}

function requested({ spec }: Claim): number {
  return quantityValue(spec.resources?.requests?.['storage'] ?? '0');
}

function capacity({ status }: Claim): number {
  return quantityValue(status?.capacity?.['storage'] ?? '0');
}
