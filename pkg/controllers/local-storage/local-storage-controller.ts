import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Lister } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { afterSync, fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { messageOf } from '../pod-control.ts';
import { LOCAL_PROVISIONER, localVolume, STORAGE_NODE } from './local-volume.ts';

const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';

type Claim = DeepReadonly<PersistentVolumeClaim>;
type Volume = DeepReadonly<PersistentVolume>;

/** Deletes a volume's directory on a node. Rejects when the node does not answer. */
export type RemoveLocalVolume = (nodeName: string, volumeName: string, signal: AbortSignal) => Promise<void>;

export interface LocalStorageDeps extends ControllerCommonDeps {
  readonly removeLocalVolume: RemoveLocalVolume;
}

/** Makes volumes on nodes' disks for claims of its classes, and deletes them. Corresponds to Rancher's local-path-provisioner. */
export function newLocalStorageController(deps: LocalStorageDeps): Component {
  const claims = deps.informers.for(resources.persistentvolumeclaims);
  const volumes = deps.informers.for(resources.persistentvolumes);
  const classes = deps.informers.for(resources.storageclasses);
  const nodes = deps.informers.for(resources.nodes);
  return new Controller(
    {
      name: 'local-storage-controller',
      sources: [
        fromInformer(claims, {
          map: (claim) => (isOurs(claim) ? [{ namespace: claim.metadata.namespace, name: claim.metadata.name }] : []),
        }),
        fromInformer(volumes, {
          map: (volume) => (isReleased(volume) ? [{ namespace: '', name: volume.metadata.name }] : []),
        }),
        afterSync(classes),
        afterSync(nodes),
      ],
      reconciler: new LocalStorageReconciler({
        ...deps,
        claims: claims.lister,
        volumes: volumes.lister,
        classes: classes.lister,
        nodes: nodes.lister,
        recorder: recorderFor(LOCAL_PROVISIONER, deps),
      }),
    },
    deps,
  );
}

export interface LocalStorageReconcilerDeps {
  readonly client: Client;
  readonly claims: Lister<PersistentVolumeClaim>;
  readonly volumes: Lister<PersistentVolume>;
  readonly classes: Lister<StorageClass>;
  readonly nodes: Lister<Node>;
  readonly removeLocalVolume: RemoveLocalVolume;
  readonly recorder: EventRecorder;
}

/** A request without namespace is that of a volume. */
export class LocalStorageReconciler implements Reconciler {
  readonly #deps: LocalStorageReconcilerDeps;

  constructor(deps: LocalStorageReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<ReconcileResult> {
    if (namespace === '') {
      const volume = this.#deps.volumes.get(name);
      if (volume !== undefined && isReleased(volume)) await this.#remove(volume, signal);
      return undefined;
    }
    const claim = this.#deps.claims.get(`${namespace}/${name}`);
    if (claim !== undefined && isOurs(claim)) await this.#provision(claim);
    return undefined;
  }

  async #provision(claim: Claim): Promise<void> {
    const { client, classes, nodes, volumes, recorder } = this.#deps;
    const storageClass = classes.get(claim.spec.storageClassName ?? '');
    const node = nodes.get(claim.metadata.annotations?.[SELECTED_NODE] ?? '');
    // Without a node the class does not wait for a consumer, or the node has gone: the scheduler chooses again.
    if (storageClass === undefined || volumes.get(`pvc-${claim.metadata.uid}`) !== undefined) return;
    const planned = node === undefined ? undefined : localVolume({ claim, storageClass, node });
    if (planned === undefined || 'problem' in planned) {
      const problem = planned?.problem ?? 'the class has to have volumeBindingMode WaitForFirstConsumer';
      const message = `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${problem}`;
      recorder.event(claim, 'Warning', 'ProvisioningFailed', message);
      return;
    }
    const key = `${claim.metadata.namespace}/${claim.metadata.name}`;
    recorder.event(claim, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim "${key}"`);
    try {
      const { metadata } = await client.create(resources.persistentvolumes, planned.volume);
      recorder.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${metadata.name}`);
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists')) throw error;
    }
  }

  async #remove(volume: Volume, signal: AbortSignal): Promise<void> {
    const { client, nodes, removeLocalVolume, recorder } = this.#deps;
    const { name, uid, annotations } = volume.metadata;
    const nodeName = annotations?.[STORAGE_NODE] ?? '';
    // What was on a node that is no more went with it.
    if (nodes.get(nodeName) !== undefined) {
      try {
        await removeLocalVolume(nodeName, name, signal);
      } catch (error) {
        recorder.event(volume, 'Warning', 'VolumeFailedDelete', messageOf(error));
        throw error;
      }
    }
    await ignoreNotFound(client.delete(resources.persistentvolumes, { name }, { preconditions: { uid } }));
  }
}

/** A claim that is to get a volume from here. */
function isOurs({ metadata, spec }: Claim): boolean {
  return (
    metadata.annotations?.[STORAGE_PROVISIONER] === LOCAL_PROVISIONER &&
    metadata.deletionTimestamp === undefined &&
    !spec.volumeName
  );
}

/** A volume from here that nobody wants any more. */
function isReleased({ metadata, spec, status }: Volume): boolean {
  return (
    metadata.annotations?.[PROVISIONED_BY] === LOCAL_PROVISIONER &&
    metadata.deletionTimestamp === undefined &&
    spec.persistentVolumeReclaimPolicy === 'Delete' &&
    (status?.phase === 'Released' || status?.phase === 'Failed')
  );
}
