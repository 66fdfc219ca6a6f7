import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { EndpointSlice, Node, Pod, Service } from '../../api/generated/types.ts';
import { type DeepReadonly, keyOf } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { OwnWrites } from '../../controller/own-writes.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';
import { newControllerRef } from '../owner.ts';
import { isNamespaceTerminating } from '../pod-control.ts';
import type { ReadPod } from '../pod-status.ts';
import {
  HEADLESS_LABEL,
  hasEndpoints,
  podsOf,
  type ReadService,
  serviceSources,
  TRIGGER_TIME,
} from '../service-pods.ts';
import { type AddressType, planSlices, type ReadSlice, type SliceContent } from '../slice-plan.ts';
import { TriggerTimes } from '../trigger-time.ts';
import { endpointGroups } from './desired-slices.ts';

const TYPE = resources.endpointslices;
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslice-controller.k8s.io';
const SERVICE_NAME = 'kubernetes.io/service-name';

export interface EndpointSliceReconcilerDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly services: Informer<Service>;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  /** With the index `service` (serviceIndex). */
  readonly slices: Informer<EndpointSlice>;
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
      ],
      reconciler: new EndpointSliceReconciler({ ...deps, services, pods, nodes, slices }),
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
    const { client, nodes } = this.#deps;
    const groups = endpointGroups(service, pods, addressType, (name) => nodes.lister.get(name));
    const labels = labelsOf(service);
    const ownerReferences = [newControllerRef(resources.services, service)];
    const plan = planSlices(
      groups,
      existing.filter((slice) => slice.addressType === addressType),
      (slice) => equalJSON(slice.metadata.labels, labels) && equalJSON(slice.metadata.ownerReferences, ownerReferences),
    );
    const fields = ({ ports, endpoints }: SliceContent) => ({ addressType, endpoints, ports });
    for (const content of plan.create) {
      const annotations = trigger === undefined ? {} : { annotations: { [TRIGGER_TIME]: trigger } };
      const { namespace, name } = service.metadata;
      const metadata = { generateName: `${name}-`, namespace, labels, ...annotations, ownerReferences };
      this.#writes.note(keyOf(service), await client.create(TYPE, { metadata, ...fields(content) }));
    }
    for (const { slice, content } of plan.update) {
      const { [TRIGGER_TIME]: _, ...kept } = slice.metadata.annotations ?? {};
      const annotations = { ...kept, ...(trigger === undefined ? {} : { [TRIGGER_TIME]: trigger }) };
      const metadata = { ...slice.metadata, labels, annotations, ownerReferences };
      this.#writes.note(keyOf(service), await client.update(TYPE, { ...slice, metadata, ...fields(content) }));
    }
    for (const slice of plan.delete) await ignoreNotFound(client.delete(TYPE, slice.metadata));
  }
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
