import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type {
  EndpointSlice,
  Ingress,
  IngressClass,
  LoadBalancerIngress,
  Node,
  Service,
} from '../../api/generated/types.ts';
import { isServedIngress } from '../../api/ingress-class.ts';
import { type DeepReadonly, keyOf } from '../../api/object.ts';
import { AggregateFailure } from '../../base/errors.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { type LoadBalancerState, type PlannedBalancer, planLoadBalancers } from './load-balancer-plan.ts';

const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup';
const SLICES_BY_SERVICE = 'load-balancer-service';
/** Who gets a port depends on all Services: they are looked at together. */
const ALL: readonly Request[] = [{ namespace: '', name: 'all' }];

export interface ServiceLoadBalancerOptions {
  /** TCP ports of every node that no Service may take, and whose they are. */
  readonly reservedPorts: ReadonlyMap<number, string>;
  /** Where nodes answer for Ingresses; empty: they do not. */
  readonly ingressPorts: readonly number[];
}

export interface ServiceLoadBalancerDeps {
  readonly client: Client;
  readonly services: Informer<Service>;
  readonly nodes: Informer<Node>;
  readonly slices: Informer<EndpointSlice>;
  readonly ingresses: Informer<Ingress>;
  readonly ingressClasses: Informer<IngressClass>;
  readonly recorder: EventRecorder;
}

/**
 * Gives Services of type LoadBalancer the addresses of the nodes, on which the service proxy answers: upstream's service
 * controller with the nodes themselves as the cloud.
 */
export function newServiceLoadBalancerController(
  options: ServiceLoadBalancerOptions,
  deps: ControllerCommonDeps,
): Component {
  const services = deps.informers.for(resources.services);
  const nodes = deps.informers.for(resources.nodes);
  const slices = deps.informers.for(resources.endpointslices, { indexers: { [SLICES_BY_SERVICE]: serviceKeyOf } });
  const ingresses = deps.informers.for(resources.ingresses);
  const ingressClasses = deps.informers.for(resources.ingressclasses);
  const recorder = recorderFor('service-controller', deps);
  const all = (): readonly Request[] => ALL;
  const ofLocal = (slice: DeepReadonly<EndpointSlice>): readonly Request[] =>
    serviceKeyOf(slice).some((key) => isLocal(services.lister.get(key))) ? ALL : [];
  return new Controller(
    {
      name: 'service-lb-controller',
      workers: 1,
      sources: [
        fromInformer(services, { map: (service) => (concerns(service) ? ALL : []) }),
        fromInformer(nodes, { map: all, updated: (node, old) => !equalJSON(relevant(node), relevant(old)) }),
        fromInformer(slices, { map: ofLocal }),
        fromInformer(ingresses, { map: all, updated: (ingress, old) => !equalJSON(ingress.spec, old.spec) }),
        fromInformer(ingressClasses, { map: all }),
      ],
      reconciler: new ServiceLoadBalancer(options, {
        ...deps,
        services,
        nodes,
        slices,
        ingresses,
        ingressClasses,
        recorder,
      }),
    },
    deps,
  );
}

export class ServiceLoadBalancer implements Reconciler {
  readonly #options: ServiceLoadBalancerOptions;
  readonly #deps: ServiceLoadBalancerDeps;
  /** What the user has been told last about a Service that lacks addresses, by its uid. */
  readonly #told = new Map<string, string>();

  constructor(options: ServiceLoadBalancerOptions, deps: ServiceLoadBalancerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async reconcile(): Promise<ReconcileResult> {
    const services = [...this.#deps.services.lister.list()].filter(concerns);
    const planned = planLoadBalancers(this.#state(services));
    const failures: Error[] = [];
    for (const service of services) {
      try {
        const plan = planned.get(keyOf(service));
        if (plan !== undefined) await this.#ensure(service, plan);
        else await this.#cleanUp(service);
      } catch (error) {
        if (isStatusError(error, 'NotFound')) continue;
        failures.push(error instanceof Error ? error : new Error(String(error)));
      }
    }
    const present = new Set(services.map(({ metadata }) => metadata.uid));
    for (const uid of this.#told.keys()) if (!present.has(uid)) this.#told.delete(uid);
    if (failures.length > 0) throw new AggregateFailure('load balancers', failures);
    return undefined;
  }

  #state(services: readonly DeepReadonly<Service>[]): LoadBalancerState {
    const { nodes, slices, ingresses, ingressClasses } = this.#deps;
    const { reservedPorts, ingressPorts } = this.#options;
    const { lister } = ingressClasses;
    const served = [...ingresses.lister.list()].filter((ingress) =>
      isServedIngress(ingress, (name) => lister.get(name), lister.list()),
    );
    const [since] = served.map(({ metadata }) => metadata.creationTimestamp ?? '').sort();
    return {
      services,
      nodes: nodes.lister.list(),
      slicesOf: (service) => slices.lister.byIndex(SLICES_BY_SERVICE, keyOf(service)),
      reservedPorts,
      ...(since === undefined ? {} : { ingress: { since, ports: ingressPorts } }),
    };
  }

  async #ensure(service: DeepReadonly<Service>, { ingress, conflict, noNodes }: PlannedBalancer): Promise<void> {
    const { recorder } = this.#deps;
    const before = service.status?.loadBalancer?.ingress ?? [];
    const isNew = !hasFinalizer(service);
    const changed = !equalJSON(before, ingress);
    if (isNew) {
      recorder.event(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer');
      await this.#setFinalizers(service, [...(service.metadata.finalizers ?? []), FINALIZER]);
    }
    if (changed) await this.#setAddresses(service, ingress);
    this.#explain(service, conflict, noNodes);
    if (ingress.length === 0) return;
    if (isNew || (changed && before.length === 0))
      recorder.event(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
    else if (changed) recorder.event(service, 'Normal', 'UpdatedLoadBalancer', 'Updated load balancer with new hosts');
  }

  /** Says once why addresses are missing. */
  #explain(service: DeepReadonly<Service>, conflict: string | undefined, noNodes: boolean): void {
    const { uid } = service.metadata;
    const problem = conflict ?? (noNodes ? 'no nodes' : '');
    if (problem === (this.#told.get(uid) ?? '')) return;
    this.#told.set(uid, problem);
    const { recorder } = this.#deps;
    if (conflict !== undefined) {
      const message = `Error syncing load balancer: failed to ensure load balancer: ${conflict}`;
      recorder.event(service, 'Warning', 'SyncLoadBalancerFailed', message);
    } else if (noNodes) {
      const message = 'There are no available nodes for LoadBalancer';
      recorder.event(service, 'Warning', 'UnAvailableLoadBalancer', message);
    }
  }

  /** It is being deleted, or wants no (or another's) load balancer any more. */
  async #cleanUp(service: DeepReadonly<Service>): Promise<void> {
    if (!hasFinalizer(service)) return;
    const { recorder } = this.#deps;
    recorder.event(service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer');
    const deleted = service.metadata.deletionTimestamp !== undefined;
    if (!deleted && (service.status?.loadBalancer?.ingress ?? []).length > 0) await this.#setAddresses(service, []);
    await this.#setFinalizers(
      service,
      (service.metadata.finalizers ?? []).filter((name) => name !== FINALIZER),
    );
    recorder.event(service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer');
  }

  /** Finalizers of others that were written since are kept: a patch with the uid and the whole list, refused on conflict. */
  async #setFinalizers(service: DeepReadonly<Service>, finalizers: readonly string[]): Promise<void> {
    const { namespace, name, uid } = service.metadata;
    const { client } = this.#deps;
    const current = await client.get(resources.services, { namespace: namespace ?? '', name });
    const { resourceVersion } = current.metadata;
    if (!equalJSON(current.metadata.finalizers ?? [], service.metadata.finalizers ?? []))
      throw new Error('the finalizers of the Service have changed meanwhile');
    const patch = { metadata: { uid, resourceVersion, finalizers } };
    await client.patch(resources.services, { namespace: namespace ?? '', name }, 'merge', patch);
  }

  async #setAddresses(service: DeepReadonly<Service>, ingress: readonly LoadBalancerIngress[]): Promise<void> {
    const { namespace = '', name, uid } = service.metadata;
    const loadBalancer = { ingress: ingress.length === 0 ? null : ingress };
    const patch = { metadata: { uid }, status: { loadBalancer } };
    await this.#deps.client.patch(resources.services, { namespace, name }, 'merge', patch, { subresource: 'status' });
  }
}

/** Of type LoadBalancer, or with something left of having been. */
function concerns(service: DeepReadonly<Service>): boolean {
  return service.spec.type === 'LoadBalancer' || hasFinalizer(service);
}

function hasFinalizer({ metadata }: DeepReadonly<Service>): boolean {
  return metadata.finalizers?.includes(FINALIZER) === true;
}

function isLocal(service: DeepReadonly<Service> | undefined): boolean {
  return service?.spec.type === 'LoadBalancer' && service.spec.externalTrafficPolicy === 'Local';
}

function serviceKeyOf({ metadata }: DeepReadonly<EndpointSlice>): readonly string[] {
  const name = metadata.labels?.['kubernetes.io/service-name'];
  return name === undefined ? [] : [`${metadata.namespace}/${name}`];
}

/** What of a node decides about load balancers; the rest (heartbeats, images) changes often. */
function relevant({ metadata, spec, status }: DeepReadonly<Node>): unknown {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  return [metadata.labels, spec?.taints, status?.addresses, ready];
}
