import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { EndpointSlice, Endpoints, Service } from '../../api/generated/types.ts';
import { type DeepReadonly, keyOf } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { OwnWrites } from '../../controller/own-writes.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { newControllerRef } from '../owner.ts';
import { isNamespaceTerminating } from '../pod-control.ts';
import { TRIGGER_TIME } from '../service-pods.ts';
import { type AddressType, planSlices, type ReadSlice, type SliceContent } from '../slice-plan.ts';
import { addressesLeftOut, MAX_PER_SUBSET, mirroredGroups } from './mirrored-groups.ts';

const TYPE = resources.endpointslices;
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslicemirroring-controller.k8s.io';
const SERVICE_NAME = 'kubernetes.io/service-name';
const FAMILIES: readonly AddressType[] = ['IPv4', 'IPv6'];
/** Endpoints that are not meant for traffic. */
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
/** Annotations that do not go along. */
const NOT_COPIED = ['kubectl.kubernetes.io/last-applied-configuration', TRIGGER_TIME];

export interface EndpointSliceMirroringDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly services: Informer<Service>;
  readonly endpoints: Informer<Endpoints>;
  /** With the index `mirrored` (mirroredIndex). */
  readonly slices: Informer<EndpointSlice>;
  readonly recorder: EventRecorder;
}

/** Mirrors Endpoints that users write for Services without selector into EndpointSlices. */
export function newEndpointSliceMirroringController(deps: ControllerCommonDeps): Component {
  const services = deps.informers.for(resources.services);
  const endpoints = deps.informers.for(resources.endpoints);
  const slices = deps.informers.for(TYPE, { indexers: { mirrored: mirroredIndex } });
  const recorder = recorderFor('endpoint-slice-mirroring-controller', deps);
  return new Controller(
    {
      name: 'endpointslice-mirroring-controller',
      sources: [
        fromInformer(services),
        fromInformer(endpoints),
        fromInformer(slices, {
          map: (slice) =>
            mirroredIndex(slice).map(() => ({
              namespace: slice.metadata.namespace,
              name: slice.metadata.labels?.[SERVICE_NAME] ?? '',
            })),
        }),
      ],
      reconciler: new EndpointSliceMirroringReconciler({ ...deps, services, endpoints, slices, recorder }),
    },
    deps,
  );
}

/** Mirrored slices by the key of their Service. */
export function mirroredIndex({ metadata: { namespace, labels } }: ReadSlice): readonly string[] {
  return labels?.[MANAGED_BY] === MANAGER ? [`${namespace}/${labels[SERVICE_NAME] ?? ''}`] : [];
}

export class EndpointSliceMirroringReconciler implements Reconciler {
  readonly #deps: EndpointSliceMirroringDeps;
  readonly #writes: OwnWrites;

  constructor(deps: EndpointSliceMirroringDeps) {
    this.#deps = deps;
    this.#writes = new OwnWrites(deps.clock);
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { services, endpoints, slices, client } = this.#deps;
    const key = `${namespace}/${name}`;
    const service = services.lister.get(key);
    const source = endpoints.lister.get(key);
    const existing = slices.lister.byIndex('mirrored', key).filter((slice) => !slice.metadata.deletionTimestamp);
    if (!this.#writes.caughtUp(key, slices.lister)) return { requeueAfterMs: 1000 };
    const mirrored =
      service !== undefined && service.spec.selector === undefined && source !== undefined && isMirrored(source);
    try {
      if (!mirrored) {
        for (const slice of existing) await ignoreNotFound(client.delete(TYPE, slice.metadata));
        return undefined;
      }
      this.#tellLeftOut(source);
      for (const family of FAMILIES) await this.#syncFamily(source, existing, family);
    } catch (error) {
      if (isNamespaceTerminating(error) || isStatusError(error, 'NotFound')) return undefined;
      throw error;
    }
    return undefined;
  }

  #tellLeftOut(source: DeepReadonly<Endpoints>): void {
    const leftOut = addressesLeftOut(source);
    if (leftOut === 0) return;
    const rule = `A max of ${MAX_PER_SUBSET} addresses can be mirrored to EndpointSlices per Endpoints subset.`;
    const message = `${rule} ${leftOut} addresses were skipped`;
    this.#deps.recorder.event(source, 'Warning', 'TooManyAddressesToMirror', message);
  }

  async #syncFamily(
    source: DeepReadonly<Endpoints>,
    existing: readonly ReadSlice[],
    addressType: AddressType,
  ): Promise<void> {
    const { client } = this.#deps;
    const { namespace, name } = source.metadata;
    const own = existing.filter((slice) => slice.addressType === addressType);
    const groups = mirroredGroups(source, addressType);
    const labels = { ...source.metadata.labels, [MANAGED_BY]: MANAGER, [SERVICE_NAME]: name };
    const annotations = annotationsOf(source);
    const ownerReferences = [newControllerRef(resources.endpoints, source)];
    const isCurrent = ({ metadata }: ReadSlice): boolean =>
      equalJSON(metadata.labels, labels) &&
      equalJSON(metadata.annotations ?? {}, annotations) &&
      equalJSON(metadata.ownerReferences, ownerReferences);
    // Unlike a Service's own, mirrored slices are not kept when there is nothing in them.
    const plan =
      groups.length === 0
        ? { create: [], update: [], delete: own }
        : planSlices(groups, own, isCurrent, MAX_PER_SUBSET);
    const fields = ({ ports, endpoints }: SliceContent) => ({ addressType, endpoints, ports });
    const metadata = { labels, ...(Object.keys(annotations).length === 0 ? {} : { annotations }), ownerReferences };
    for (const content of plan.create) {
      const draft = { metadata: { generateName: `${name}-`, namespace, ...metadata }, ...fields(content) };
      this.#writes.note(keyOf(source), await client.create(TYPE, draft));
    }
    for (const { slice, content } of plan.update) {
      // Upstream writes a slice anew under its name: what its name was made from is not kept.
      const { generateName: _, ...kept } = slice.metadata;
      const next = { ...slice, metadata: { ...kept, ...metadata }, ...fields(content) };
      this.#writes.note(keyOf(source), await client.update(TYPE, next));
    }
    for (const slice of plan.delete) await ignoreNotFound(client.delete(TYPE, slice.metadata));
  }
}

function isMirrored({ metadata: { labels, annotations } }: DeepReadonly<Endpoints>): boolean {
  return labels?.[SKIP_MIRROR] !== 'true' && annotations?.[LEADER] === undefined;
}

function annotationsOf({ metadata: { annotations = {} } }: DeepReadonly<Endpoints>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !NOT_COPIED.includes(key)));
}
