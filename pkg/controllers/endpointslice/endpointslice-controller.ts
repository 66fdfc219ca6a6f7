import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { EndpointSlice, Node, Pod, Service } from '../../api/generated/types.ts';
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
import { isNamespaceTerminating, messageOf } from '../pod-control.ts';
import type { ReadPod } from '../pod-status.ts';
import {
  HEADLESS_LABEL,
  hasEndpoints,
  podsOf,
  type ReadService,
  serviceSources,
  TRIGGER_TIME,
} from '../service-pods.ts';
import { type AddressType, planSlices, type ReadSlice, type SliceContent, type SlicePlan } from '../slice-plan.ts';
import { TriggerTimes } from '../trigger-time.ts';
import { endpointGroups } from './desired-slices.ts';
import { capacityOf, wantsTopologyHints, withTopologyHints, zoneShares } from './topology-hints.ts';

const TYPE = resources.endpointslices;
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslice-controller.k8s.io';
const FAMILIES = ['IPv4', 'IPv6'] as const;
const SERVICE_NAME = 'kubernetes.io/service-name';

export interface EndpointSliceReconcilerDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly services: Informer<Service>;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  /** With the index `service` (serviceIndex). */
  readonly slices: Informer<EndpointSlice>;
  readonly recorder: EventRecorder;
}

/** Keeps the EndpointSlices of each Service that selects pods. */
export function newEndpointSliceController(deps: ControllerCommonDeps): Component {
  const services = deps.informers.for(resources.services);
  const pods = deps.informers.for(resources.pods);
  const nodes = deps.informers.for(resources.nodes);
  const slices = deps.informers.for(TYPE, { indexers: { service: serviceIndex } });
  return new Controller(
    {
      name: 'endpointslice-controller',
      sources: [
        ...serviceSources(services, pods),
        fromInformer(slices, { map: ownerOf }),
        // A node's zone goes into the endpoints of its pods.
        fromInformer(nodes, {
          map: () => [...services.lister.list()].map(({ metadata: { namespace, name } }) => ({ namespace, name })),
          updated: (node, old) => zoneOf(node) !== zoneOf(old),
        }),
        // The shares of the zones follow from the nodes that are ready, and how large they are.
        fromInformer(nodes, {
          map: () =>
            [...services.lister.list()]
              .filter(wantsTopologyHints)
              .map(({ metadata: { namespace, name } }) => ({ namespace, name })),
          updated: (node, old) => !equalJSON(capacityOf(node), capacityOf(old)),
        }),
      ],
      reconciler: new EndpointSliceReconciler({
        ...deps,
        ...{ services, pods, nodes, slices },
        recorder: recorderFor('endpoint-slice-controller', deps),
      }),
    },
    deps,
  );
}

/** Our slices by the key of their Service. */
export function serviceIndex({ metadata: { namespace, labels } }: ReadSlice): readonly string[] {
  return labels?.[MANAGED_BY] === MANAGER ? [`${namespace}/${labels[SERVICE_NAME] ?? ''}`] : [];
}

export class EndpointSliceReconciler implements Reconciler {
  readonly #deps: EndpointSliceReconcilerDeps;
  readonly #triggers = new TriggerTimes();
  readonly #writes: OwnWrites;
  /** `namespace/name family` of the Services that have topology hints. */
  readonly #hinted = new Set<string>();

  constructor(deps: EndpointSliceReconcilerDeps) {
    this.#deps = deps;
    this.#writes = new OwnWrites(deps.clock);
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { services, pods, slices, client } = this.#deps;
    const key = `${namespace}/${name}`;
    const service = services.lister.get(key);
    const existing = slices.lister.byIndex('service', key).filter((slice) => !slice.metadata.deletionTimestamp);
    // The slices of a deleted Service go by garbage collection.
    if (service === undefined) {
      this.#triggers.forget(key);
      this.#writes.forget(key);
      for (const family of FAMILIES) this.#hinted.delete(`${key} ${family}`);
    }
    if (service === undefined || !hasEndpoints(service)) return undefined;
    if (!this.#writes.caughtUp(key, slices.lister)) return { requeueAfterMs: 1000 };
    const selected = podsOf(service, pods);
    const families = addressTypes(service);
    const trigger = this.#triggers.next(key, service, selected);
    try {
      for (const family of families) await this.#syncFamily(service, selected, existing, family, trigger);
      for (const slice of existing) {
        if (!families.includes(slice.addressType as AddressType))
          await ignoreNotFound(client.delete(TYPE, slice.metadata));
      }
    } catch (error) {
      if (isNamespaceTerminating(error) || isStatusError(error, 'NotFound')) return undefined;
      throw error;
    }
    return undefined;
  }

  async #syncFamily(
    service: ReadService,
    pods: readonly ReadPod[],
    existing: readonly ReadSlice[],
    addressType: AddressType,
    trigger: string | undefined,
  ): Promise<void> {
    const { client } = this.#deps;
    const labels = labelsOf(service);
    const ownerReferences = [newControllerRef(resources.services, service)];
    const plan = this.#plan(
      service,
      pods,
      existing.filter((slice) => slice.addressType === addressType),
      addressType,
      (slice) => equalJSON(slice.metadata.labels, labels) && equalJSON(slice.metadata.ownerReferences, ownerReferences),
    );
    const fields = ({ ports, endpoints }: SliceContent) => ({ addressType, endpoints, ports });
    // The slices of a Service that is being deleted go with it: new ones would be left behind.
    const isLeaving = service.metadata.deletionTimestamp !== undefined;
    for (const content of isLeaving ? [] : plan.create) {
      const annotations = trigger === undefined ? {} : { annotations: { [TRIGGER_TIME]: trigger } };
      const { namespace, name } = service.metadata;
      const metadata = { generateName: `${name}-`, namespace, labels, ...annotations, ownerReferences };
      const created = client.create(TYPE, { metadata, ...fields(content) });
      this.#writes.note(keyOf(service), await this.#told(service, 'create', created));
    }
    for (const { slice, content } of plan.update) {
      const { [TRIGGER_TIME]: _, ...kept } = slice.metadata.annotations ?? {};
      const annotations = { ...kept, ...(trigger === undefined ? {} : { [TRIGGER_TIME]: trigger }) };
      const metadata = { ...slice.metadata, labels, annotations, ownerReferences };
      const updated = client.update(TYPE, { ...slice, metadata, ...fields(content) });
      this.#writes.note(keyOf(service), await this.#told(service, `update ${slice.metadata.name}`, updated));
    }
    for (const slice of plan.delete) {
      await this.#told(service, `delete ${slice.metadata.name}`, ignoreNotFound(client.delete(TYPE, slice.metadata)));
    }
  }

  /** A write that is refused is told to the owner of the Service. */
  async #told<T>(service: ReadService, what: string, write: Promise<T>): Promise<T> {
    try {
      return await write;
    } catch (error) {
      if (!isNamespaceTerminating(error) && !isStatusError(error, 'NotFound')) {
        const key = keyOf(service);
        const message = `failed to ${what} EndpointSlice for Service ${key}: ${messageOf(error)}`;
        const note = `Error updating Endpoint Slices for Service ${key}: ${message}`;
        this.#deps.recorder.event(service, 'Warning', 'FailedToUpdateEndpointSlices', note);
      }
      throw error;
    }
  }

  #plan(
    service: ReadService,
    pods: readonly ReadPod[],
    existing: readonly ReadSlice[],
    addressType: AddressType,
    isCurrent: (slice: ReadSlice) => boolean,
  ): SlicePlan {
    const { nodes } = this.#deps;
    const groups = endpointGroups(service, pods, addressType, (name) => nodes.lister.get(name));
    if (!wantsTopologyHints(service)) {
      const wasHinted = this.#hinted.delete(`${keyOf(service)} ${addressType}`);
      if (wasHinted) this.#tellHints(service, addressType, 'Warning', 'Topology Aware Hints has been disabled');
      return planSlices(groups, existing, isCurrent);
    }
    // Hints are no reason to write a slice by themselves: they are given when all else is decided.
    const originals = new Map(existing.map((slice) => [withoutOwnHints(slice), slice]));
    const original = (slice: ReadSlice): ReadSlice => originals.get(slice) ?? slice;
    const planned = planSlices(groups, [...originals.keys()], isCurrent);
    const plan = {
      create: planned.create,
      update: planned.update.map(({ slice, content }) => ({ slice: original(slice), content })),
      delete: planned.delete.map(original),
    };
    const touched = new Set([...plan.update.map(({ slice }) => slice), ...plan.delete]);
    const unchanged = existing.filter((slice) => !touched.has(slice));
    const hinted = withTopologyHints(plan, unchanged, zoneShares(nodes.lister.list()));
    const key = `${keyOf(service)} ${addressType}`;
    if (hinted.problem !== undefined) {
      this.#hinted.delete(key);
      this.#tellHints(service, addressType, 'Warning', hinted.problem);
    } else if (!this.#hinted.has(key)) {
      this.#hinted.add(key);
      this.#tellHints(service, addressType, 'Normal', 'Topology Aware Hints has been enabled');
    }
    return hinted.plan;
  }

  #tellHints(service: ReadService, addressType: AddressType, type: 'Normal' | 'Warning', message: string): void {
    const reason = type === 'Normal' ? 'TopologyAwareHintsEnabled' : 'TopologyAwareHintsDisabled';
    this.#deps.recorder.event(service, type, reason, `${message}, addressType: ${addressType}`);
  }
}

function withoutOwnHints(slice: ReadSlice): ReadSlice {
  return { ...slice, endpoints: slice.endpoints?.map(({ hints: _, ...endpoint }) => endpoint) };
}

function ownerOf(slice: ReadSlice): readonly Request[] {
  const { namespace, labels } = slice.metadata;
  return labels?.[MANAGED_BY] === MANAGER ? [{ namespace, name: labels[SERVICE_NAME] ?? '' }] : [];
}

function zoneOf(node: DeepReadonly<Node>): string | undefined {
  return node.metadata.labels?.['topology.kubernetes.io/zone'];
}

function addressTypes(service: ReadService): AddressType[] {
  const families = service.spec.ipFamilies ?? [];
  return families.length === 0 ? ['IPv4'] : families.map((family) => (family === 'IPv6' ? 'IPv6' : 'IPv4'));
}

function labelsOf(service: ReadService): Record<string, string> {
  const { [HEADLESS_LABEL]: _, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    [MANAGED_BY]: MANAGER,
    [SERVICE_NAME]: service.metadata.name,
    ...(service.spec.clusterIP === 'None' ? { [HEADLESS_LABEL]: '' } : {}),
  };
}
