import { resources } from '../../api/generated/resources.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../api/generated/types.ts';
import { newestDefault } from '../../api/newest-default.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Lister } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { afterSync, fromInformer } from '../../controller/sources.ts';
import { claimsOfPod } from '../claims-of-pod.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { messageOf } from '../pod-control.ts';
import { Binder } from './binder.ts';
import { type ClaimPlan, type ClaimView, planClaim } from './claim-plan.ts';
import {
  BIND_COMPLETED,
  type Claim,
  claimKey,
  classNameOf,
  hasAnnotation,
  hasNoClass,
  type Volume,
} from './claims-and-volumes.ts';
import { Latest } from './latest.ts';
import { externalProvisioning } from './provisioner.ts';
import { findVolume } from './volume-match.ts';
import { deleterOf, planVolume } from './volume-plan.ts';

/** Claims that wait and volumes whose deletion failed are looked at again so often, as upstream does. */
const RESYNC_MS = 15_000;
const DEFAULT_ANNOTATIONS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

export interface PersistentVolumeControllerDeps extends ControllerCommonDeps {
  /** Deletes a directory of this machine with all that is in it; one that is missing is no error. */
  readonly removeDirectory: (path: string) => Promise<void>;
}

/** Binds claims to volumes, names the provisioner that is to make one, and reclaims volumes whose claim is gone. */
export function newPersistentVolumeController(deps: PersistentVolumeControllerDeps): Component {
  const unboundClaims = (claim: Claim): readonly string[] =>
    hasAnnotation(claim, BIND_COMPLETED) ? [] : [classNameOf(claim)];
  const claims = deps.informers.for(resources.persistentvolumeclaims, { indexers: { unboundOfClass: unboundClaims } });
  const volumes = deps.informers.for(resources.persistentvolumes);
  const classes = deps.informers.for(resources.storageclasses);
  const pods = deps.informers.for(resources.pods, { indexers: { claim: claimsOfPod } });
  const ofClass = (name: string): readonly Claim[] => claims.lister.byIndex('unboundOfClass', name);
  const waitingFor = (volume: Volume): readonly Claim[] => {
    if (volume.status?.phase !== 'Available') return [];
    const className = classNameOf(volume);
    const reservedOnly = classes.lister.get(className)?.volumeBindingMode === 'WaitForFirstConsumer';
    return ofClass(className).filter((claim) => findVolume(claim, [volume], reservedOnly) !== undefined);
  };
  return new Controller(
    {
      name: 'persistentvolume-binder-controller',
      // One after the other: two claims must not be given the same volume.
      workers: 1,
      sources: [
        fromInformer(claims, {
          map: (claim) => [requestFor(claim), ...(claim.spec.volumeName ? [volumeRequest(claim.spec.volumeName)] : [])],
        }),
        fromInformer(volumes, {
          map: (volume) => [
            volumeRequest(volume.metadata.name),
            ...claimRequest(volume),
            ...waitingFor(volume).map(requestFor),
          ],
        }),
        fromInformer(classes, {
          map: (storageClass) => [
            ...ofClass(storageClass.metadata.name).map(requestFor),
            ...(newestDefault([storageClass], DEFAULT_ANNOTATIONS) === undefined
              ? []
              : ofClass('').filter(hasNoClass).map(requestFor)),
          ],
        }),
        afterSync(pods),
      ],
      reconciler: new PersistentVolumeReconciler({
        ...deps,
        claims: claims.lister,
        volumes: volumes.lister,
        classes: classes.lister,
        pods: pods.lister,
        recorder: recorderFor('persistentvolume-controller', deps),
      }),
    },
    deps,
  );
}

export interface PersistentVolumeReconcilerDeps {
  readonly client: Client;
  readonly claims: Lister<PersistentVolumeClaim>;
  readonly volumes: Lister<PersistentVolume>;
  readonly classes: Lister<StorageClass>;
  /** With the index `claim`: `namespace/name` of the claims that a pod uses. */
  readonly pods: Lister<Pod>;
  readonly recorder: EventRecorder;
  readonly removeDirectory: (path: string) => Promise<void>;
}

/** A request without namespace is that of a volume. */
export class PersistentVolumeReconciler implements Reconciler {
  readonly #deps: PersistentVolumeReconcilerDeps;
  readonly #claims: Latest<PersistentVolumeClaim>;
  readonly #volumes: Latest<PersistentVolume>;
  readonly #binder: Binder;
  readonly #view: ClaimView;

  constructor(deps: PersistentVolumeReconcilerDeps) {
    this.#deps = deps;
    this.#claims = new Latest(deps.claims);
    this.#volumes = new Latest(deps.volumes);
    this.#binder = new Binder({ client: deps.client, claims: this.#claims, volumes: this.#volumes });
    this.#view = {
      volume: (name) => this.#volumes.get(name),
      volumes: () => this.#volumes.list(),
      storageClass: (name) => deps.classes.get(name),
      defaultClass: () => newestDefault(deps.classes.list(), DEFAULT_ANNOTATIONS),
      waitingPods: (claim) =>
        deps.pods
          .byIndex('claim', claimKey(claim))
          .filter(({ spec }) => !spec.nodeName)
          .map(({ metadata }) => metadata.name),
    };
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    if (namespace === '') {
      const volume = this.#volumes.get(name);
      return volume === undefined ? undefined : this.#syncVolume(volume);
    }
    const claim = this.#claims.get(`${namespace}/${name}`);
    return claim === undefined ? undefined : this.#syncClaim(claim, planClaim(claim, this.#view));
  }

  async #syncClaim(claim: Claim, plan: ClaimPlan): Promise<ReconcileResult> {
    const { recorder } = this.#deps;
    switch (plan.kind) {
      case 'bind':
        await this.#binder.bind(plan.volume, claim);
        return undefined;
      case 'set-class':
        await this.#binder.setClass(claim, plan.className);
        return undefined;
      case 'provision': {
        const marked = await this.#binder.setProvisioner(claim, plan.provisioner);
        recorder.event(marked, 'Normal', 'ExternalProvisioning', externalProvisioning(plan.provisioner));
        return { requeueAfterMs: RESYNC_MS };
      }
      case 'wait':
        if (plan.event !== undefined) {
          recorder.event(claim, plan.event.type, plan.event.reason, plan.event.message);
        }
        await this.#binder.setClaimStatus(claim, 'Pending');
        return { requeueAfterMs: RESYNC_MS };
      case 'lost':
        if (claim.status?.phase === 'Lost') return undefined;
        await this.#binder.setClaimStatus(claim, 'Lost');
        recorder.event(claim, plan.event.type, plan.event.reason, plan.event.message);
        return undefined;
      case 'invalid':
        throw new Error(plan.message);
    }
  }

  async #syncVolume(volume: Volume): Promise<ReconcileResult> {
    const { claimRef } = volume.spec;
    const claim = claimRef && this.#claims.get(`${claimRef.namespace}/${claimRef.name}`);
    const plan = planVolume(volume, claim);
    switch (plan.kind) {
      case 'phase':
        await this.#binder.setPhase(volume, plan.phase);
        return undefined;
      case 'unbind':
        await this.#binder.unbind(volume);
        return undefined;
      case 'bind-claim':
        // The claim's own request, which the same change has enqueued, binds it.
        return undefined;
      case 'mode-mismatch':
        if (claim !== undefined) this.#tellOfModes(volume, claim);
        return { requeueAfterMs: RESYNC_MS };
      case 'reclaim':
        return this.#reclaim(volume);
    }
  }

  #tellOfModes(volume: Volume, claim: Claim): void {
    const { recorder } = this.#deps;
    const [volumeName, claimName] = [volume, claim].map(({ metadata }) => JSON.stringify(metadata.name));
    const why = 'due to incompatible volumeMode.';
    const onVolume = `Cannot bind PersistentVolume to requested PersistentVolumeClaim ${claimName} ${why}`;
    recorder.event(volume, 'Warning', 'VolumeMismatch', onVolume);
    const onClaim = `Cannot bind PersistentVolume ${volumeName} to requested PersistentVolumeClaim ${why}`;
    recorder.event(claim, 'Warning', 'VolumeMismatch', onClaim);
  }

  async #reclaim(volume: Volume): Promise<ReconcileResult> {
    const { phase } = volume.status ?? {};
    // What has failed stays so for the user to see, while it is tried again.
    const released =
      phase === 'Released' || phase === 'Failed' ? volume : await this.#binder.setPhase(volume, 'Released');
    switch (volume.spec.persistentVolumeReclaimPolicy) {
      case 'Retain':
        return undefined;
      case 'Recycle':
        return this.#failed(released, 'VolumeFailedRecycle', 'No recycler plugin found for the volume!');
      case 'Delete':
        return this.#delete(released);
      default: {
        const message = 'Volume has an unrecognized PersistentVolumeReclaimPolicy';
        return this.#failed(released, 'VolumeUnknownReclaimPolicy', message);
      }
    }
  }

  async #delete(volume: Volume): Promise<ReconcileResult> {
    const deleter = deleterOf(volume);
    if (deleter.kind === 'external') return undefined;
    if (deleter.kind === 'none') return this.#failed(volume, 'VolumeFailedDelete', deleter.message);
    try {
      await this.#deps.removeDirectory(deleter.path);
    } catch (error) {
      await this.#failed(volume, 'VolumeFailedDelete', messageOf(error));
      return { requeueAfterMs: RESYNC_MS };
    }
    const { name, uid } = volume.metadata;
    await ignoreNotFound(this.#deps.client.delete(resources.persistentvolumes, { name }, { preconditions: { uid } }));
    return undefined;
  }

  async #failed(volume: Volume, reason: string, message: string): Promise<undefined> {
    if (volume.status?.phase === 'Failed') return;
    const failed = await this.#binder.setPhase(volume, 'Failed', message);
    this.#deps.recorder.event(failed, 'Warning', reason, message);
  }
}

function requestFor({ metadata }: Claim): Request {
  return { namespace: metadata.namespace, name: metadata.name };
}

function volumeRequest(name: string): Request {
  return { namespace: '', name };
}

function claimRequest({ spec }: Volume): readonly Request[] {
  const { namespace, name } = spec.claimRef ?? {};
  return namespace && name ? [{ namespace, name }] : [];
}
