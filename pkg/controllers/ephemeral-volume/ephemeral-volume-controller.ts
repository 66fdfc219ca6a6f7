import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import type { Draft } from '../../api/object.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { controllerOf, fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { isControlledBy, newControllerRef } from '../owner.ts';
import { messageOf } from '../pod-control.ts';
import type { ReadPod } from '../pod-status.ts';

export interface EphemeralVolumeReconcilerDeps {
  readonly client: Client;
  readonly pods: Informer<Pod>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly recorder: EventRecorder;
}

/** Creates the claims of pods' generic ephemeral volumes; the pods own them. */
export function newEphemeralVolumeController(deps: ControllerCommonDeps): Component {
  const pods = deps.informers.for(resources.pods);
  const claims = deps.informers.for(resources.persistentvolumeclaims);
  const recorder = recorderFor('ephemeral_volume', deps);
  return new Controller(
    {
      name: 'ephemeral-volume-controller',
      sources: [
        fromInformer(pods, {
          map: (pod) => (hasEphemeral(pod) ? [{ namespace: pod.metadata.namespace, name: pod.metadata.name }] : []),
          updated: () => false,
        }),
        fromInformer(claims, { map: controllerOf(resources.pods), updated: () => false }),
      ],
      reconciler: new EphemeralVolumeReconciler({ ...deps, pods, claims, recorder }),
    },
    deps,
  );
}

export class EphemeralVolumeReconciler implements Reconciler {
  readonly #deps: EphemeralVolumeReconcilerDeps;

  constructor(deps: EphemeralVolumeReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const pod = this.#deps.pods.lister.get(`${namespace}/${name}`);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return undefined;
    for (const volume of pod.spec.volumes ?? []) {
      const template = volume.ephemeral?.volumeClaimTemplate;
      if (template === undefined) continue;
      const claim = `${name}-${volume.name}`;
      const present = this.#deps.claims.lister.get(`${namespace}/${claim}`);
      if (present !== undefined) {
        if (!isControlledBy(present, pod)) {
          const problem = `PVC ${namespace}/${claim} was not created for pod ${namespace}/${name} (pod is not owner)`;
          this.#deps.recorder.event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume.name}: ${problem}`);
          throw new Error(problem);
        }
        continue;
      }
      const { labels, annotations } = template.metadata ?? {};
      const metadata = {
        namespace,
        name: claim,
        ownerReferences: [newControllerRef(resources.pods, pod)],
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
      };
      await this.#create(pod, volume.name, { metadata, spec: template.spec });
    }
    return undefined;
  }

  async #create(pod: ReadPod, volume: string, claim: Draft<PersistentVolumeClaim>): Promise<void> {
    try {
      await this.#deps.client.create(resources.persistentvolumeclaims, claim);
    } catch (error) {
      if (isStatusError(error, 'AlreadyExists')) throw error;
      const message = `ephemeral volume ${volume}: create PVC ${claim.metadata.name}: ${messageOf(error)}`;
      this.#deps.recorder.event(pod, 'Warning', 'FailedBinding', message);
      throw error;
    }
  }
}

function hasEphemeral({ spec }: ReadPod): boolean {
  return spec.volumes?.some(({ ephemeral }) => ephemeral !== undefined) ?? false;
}
