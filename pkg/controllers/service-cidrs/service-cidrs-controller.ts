import { BlockList, isIPv6 } from 'node:net';
import { resources } from '../../api/generated/resources.ts';
import type { IPAddress, ServiceCIDR } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { formatTime, parseTime } from '../../api/time.ts';
import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';

const TYPE = resources.servicecidrs;
const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';
/** The API server's addresses of Services. */
const MANAGED = { label: 'ipaddress.kubernetes.io/managed-by', value: 'ipallocator.k8s.io' } as const;
/** So long the news of a deletion may take to everybody who gives out addresses. */
const DELETION_GRACE_MS = 10_000;

type Cidr = DeepReadonly<ServiceCIDR>;

export interface ServiceCIDRDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly cidrs: Informer<ServiceCIDR>;
  readonly addresses: Informer<IPAddress>;
}

/**
 * Says that ServiceCIDRs are ready, and holds one that is to go as long as Services have addresses of it that no other
 * ServiceCIDR contains.
 */
export function newServiceCIDRController(deps: ControllerCommonDeps): Component {
  const cidrs = deps.informers.for(TYPE);
  const addresses = deps.informers.for(resources.ipaddresses);
  const named = ({ metadata: { name } }: Cidr): Request => ({ namespace: '', name });
  // Only what is to go depends on others.
  const leaving = (): Request[] =>
    [...cidrs.lister.list()].filter(({ metadata }) => metadata.deletionTimestamp !== undefined).map(named);
  return new Controller(
    {
      name: 'service-cidrs-controller',
      sources: [
        fromInformer(cidrs, { map: (cidr) => [named(cidr), ...leaving()] }),
        fromInformer(addresses, { map: leaving, updated: () => false }),
      ],
      reconciler: new ServiceCIDRReconciler({ ...deps, cidrs, addresses }),
    },
    deps,
  );
}

export class ServiceCIDRReconciler implements Reconciler {
  readonly #deps: ServiceCIDRDeps;

  constructor(deps: ServiceCIDRDeps) {
    this.#deps = deps;
  }

  async reconcile({ name }: Request): Promise<ReconcileResult> {
    const { client, cidrs } = this.#deps;
    const cidr = cidrs.lister.get(name);
    if (cidr === undefined) return undefined;
    const { deletionTimestamp, finalizers = [] } = cidr.metadata;
    if (deletionTimestamp !== undefined) return this.#release(cidr, deletionTimestamp);
    if (!finalizers.includes(FINALIZER))
      await client.patch(TYPE, { name }, 'merge', { metadata: { finalizers: [...finalizers, FINALIZER] } });
    await this.#setReady(cidr, 'True', '', 'Kubernetes Service CIDR is ready');
    return undefined;
  }

  async #release(cidr: Cidr, deletionTimestamp: string): Promise<ReconcileResult> {
    const { client, clock, cidrs, addresses } = this.#deps;
    const { name, finalizers = [] } = cidr.metadata;
    if (!finalizers.includes(FINALIZER)) return undefined;
    if (!isDispensable(cidr, [...cidrs.lister.list()], addresses.lister.list())) {
      const message =
        'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR';
      await this.#setReady(cidr, 'False', 'Terminating', message);
      return undefined;
    }
    const waitMs = parseTime(deletionTimestamp) + DELETION_GRACE_MS - clock.now();
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    const others = finalizers.filter((one) => one !== FINALIZER);
    await client.patch(TYPE, { name }, 'merge', { metadata: { finalizers: others } });
    return undefined;
  }

  async #setReady(cidr: Cidr, status: 'True' | 'False', reason: string, message: string): Promise<void> {
    const { client, clock } = this.#deps;
    const { name } = cidr.metadata;
    if (cidr.status?.conditions?.find(({ type }) => type === 'Ready')?.status === status) return;
    const condition = { type: 'Ready', status, reason, message, lastTransitionTime: formatTime(clock.now()) };
    const body = {
      apiVersion: 'networking.k8s.io/v1',
      kind: TYPE.kind,
      metadata: { name },
      status: { conditions: [condition] },
    };
    const options = { fieldManager: 'service-cidr-controller', force: true, subresource: 'status' };
    await client.patch(TYPE, { name }, 'apply', body, options);
  }
}

/** Whether every address of Services in it is in another ServiceCIDR too. */
export function isDispensable(cidr: Cidr, all: readonly Cidr[], addresses: Iterable<DeepReadonly<IPAddress>>): boolean {
  const own = blockList([cidr]);
  const others = blockList(all.filter(({ metadata }) => metadata.name !== cidr.metadata.name));
  for (const { metadata } of addresses) {
    if (metadata.labels?.[MANAGED.label] !== MANAGED.value) continue;
    const family = isIPv6(metadata.name) ? 'ipv6' : 'ipv4';
    if (own.check(metadata.name, family) && !others.check(metadata.name, family)) return false;
  }
  return true;
}

function blockList(cidrs: readonly Cidr[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs.flatMap(({ spec }) => spec?.cidrs ?? [])) {
    const [address = '', prefix = ''] = cidr.split('/');
    list.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  return list;
}
