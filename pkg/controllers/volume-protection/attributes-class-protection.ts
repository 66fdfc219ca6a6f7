import { resources } from '../../api/generated/resources.ts';
import type { PersistentVolume, PersistentVolumeClaim, VolumeAttributesClass } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Lister } from '../../client/client.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';
import { keepFinalizer } from './keep-finalizer.ts';

const FINALIZER = 'kubernetes.io/vac-protection';

/** Keeps VolumeAttributesClasses that are being deleted as long as a volume or a claim names them. */
export function newAttributesClassProtectionController(deps: ControllerCommonDeps): Component {
  const classes = deps.informers.for(resources.volumeattributesclasses);
  const volumes = deps.informers.for(resources.persistentvolumes, { indexers: { attributesClass: classesOfVolume } });
  const claims = deps.informers.for(resources.persistentvolumeclaims, {
    indexers: { attributesClass: classesOfClaim },
  });
  const waiting = (names: readonly string[]): Request[] =>
    names
      .filter((name) => classes.lister.get(name)?.metadata.deletionTimestamp !== undefined)
      .map((name) => ({ namespace: '', name }));
  return new Controller(
    {
      name: 'volumeattributesclass-protection-controller',
      sources: [
        fromInformer(classes),
        fromInformer(volumes, { map: (volume) => waiting(classesOfVolume(volume)) }),
        fromInformer(claims, { map: (claim) => waiting(classesOfClaim(claim)) }),
      ],
      reconciler: new AttributesClassProtectionReconciler({
        ...deps,
        classes: classes.lister,
        volumes: volumes.lister,
        claims: claims.lister,
      }),
    },
    deps,
  );
}

export interface AttributesClassProtectionReconcilerDeps {
  readonly client: Client;
  readonly classes: Lister<VolumeAttributesClass>;
  /** With the index `attributesClass`, like the claims. */
  readonly volumes: Lister<PersistentVolume>;
  readonly claims: Lister<PersistentVolumeClaim>;
}

export class AttributesClassProtectionReconciler implements Reconciler {
  readonly #deps: AttributesClassProtectionReconcilerDeps;

  constructor(deps: AttributesClassProtectionReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ name }: Request): Promise<ReconcileResult> {
    const { client, classes, volumes, claims } = this.#deps;
    const found = classes.get(name);
    if (found === undefined) return undefined;
    const isUsed = [volumes, claims].some((lister) => lister.byIndex('attributesClass', name).length > 0);
    await keepFinalizer(client, resources.volumeattributesclasses, found, { name: FINALIZER, isUsed });
    return undefined;
  }
}

function classesOfVolume({ spec }: DeepReadonly<PersistentVolume>): string[] {
  return [spec.volumeAttributesClassName ?? ''].filter(Boolean);
}

/** The class that a claim asks for, the one that it has, and the one that it is being changed to. */
export function classesOfClaim({ spec, status }: DeepReadonly<PersistentVolumeClaim>): string[] {
  const named = [
    spec.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return [...new Set(named.filter((name) => name !== undefined && name !== ''))] as string[];
}
