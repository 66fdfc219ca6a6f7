import { resources } from '../../api/generated/resources.ts';
import type { PersistentVolumeClaim, Pod, ResourceQuota } from '../../api/generated/types.ts';
import type { DeepReadonly, KubeObject, ResourceType } from '../../api/object.ts';
import { type CountedResource, countedResource } from '../../api/quota/counted-resource.ts';
import { volumeAttributesClasses } from '../../api/quota/scopes.ts';
import type { Clock } from '../../base/clock.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer, Informers } from '../../client/client.ts';
import type { ReconcileResult, Reconciler, Request, Source } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';
import { discover } from '../discover.ts';
import { isPodTerminal } from '../pod-status.ts';
import { syncedWithin } from '../synced-within.ts';
import { type CountedObjects, type ReadQuota, usedBy } from './quota-usage.ts';

/** Bookings of requests that failed after admission are given back at the latest after this time. */
const RECOUNT_MS = 300_000;
/** How long another API server may take to list what is counted. */
const SYNC_MS = 10_000;
/** Objects whose usage changes by updates. */
const UPDATED = new Set(['pods', 'services', 'persistentvolumeclaims', 'resourceclaims']);

export interface ResourceQuotaReconcilerDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly informers: Informers;
  readonly quotas: Informer<ResourceQuota>;
}

/** Writes how much of its ResourceQuotas a namespace uses. */
export function newResourceQuotaController(deps: ControllerCommonDeps): Component {
  const quotas = deps.informers.for(resources.resourcequotas);
  const reconciler = new ResourceQuotaReconciler({ ...deps, quotas });
  return new Controller(
    {
      name: 'resourcequota-controller',
      sources: [
        reconciler,
        fromInformer(quotas, {
          updated: (quota, old) => !equalJSON(quota.spec, old.spec) || !equalJSON(quota.status?.hard, old.status?.hard),
        }),
      ],
      reconciler,
    },
    deps,
  );
}

/** Also the source of its own requests: it begins to watch a resource when the first quota counts it. */
export class ResourceQuotaReconciler implements Reconciler, Source {
  readonly #deps: ResourceQuotaReconcilerDeps;
  readonly #watched = new Map<string, { readonly type: ResourceType; readonly informer: Informer<KubeObject> }>();
  #enqueue: (request: Request) => void = () => {};
  #signal: AbortSignal | undefined;

  constructor(deps: ResourceQuotaReconcilerDeps) {
    this.#deps = deps;
  }

  async start(enqueue: (request: Request) => void, signal: AbortSignal): Promise<void> {
    this.#enqueue = enqueue;
    this.#signal = signal;
  }

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<ReconcileResult> {
    const quota = this.#deps.quotas.lister.get(`${namespace}/${name}`);
    if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) return undefined;
    const hard = quota.spec?.hard ?? {};
    const status = { hard, used: usedBy(quota, await this.#countedBy(quota, signal)) };
    if (!equalJSON(quota.status ?? {}, status)) {
      await this.#deps.client.updateStatus(resources.resourcequotas, { ...quota, status });
    }
    return { requeueAfterMs: RECOUNT_MS };
  }

  async #countedBy(quota: ReadQuota, signal: AbortSignal): Promise<CountedObjects[]> {
    const wanted = new Map<string, CountedResource>();
    for (const name of Object.keys(quota.spec?.hard ?? {})) {
      const counted = countedResource(name);
      wanted.set(`${counted.resource}.${counted.group}`, counted);
    }
    const result: CountedObjects[] = [];
    for (const [key, counted] of wanted) {
      const entry = this.#watched.get(key) ?? (await this.#watch(key, counted, signal));
      if (entry === undefined) continue;
      if (!(await syncedWithin([entry.informer], SYNC_MS, this.#deps.clock, signal)))
        throw new Error(`${key} cannot be counted: their server does not list them`);
      result.push({ type: entry.type, objects: entry.informer.lister.list(quota.metadata.namespace) });
    }
    return result;
  }

  /** Undefined: no such resource is served. */
  async #watch(key: string, counted: CountedResource, signal: AbortSignal) {
    const type = await this.#typeOf(counted, signal);
    if (type === undefined) return undefined;
    const present = this.#watched.get(key);
    if (present !== undefined) return present;
    const entry = { type, informer: this.#deps.informers.for(type) };
    this.#watched.set(key, entry);
    const recount = (object: DeepReadonly<KubeObject>): void => this.#recount(object.metadata.namespace ?? '');
    const isCounted = UPDATED.has(type.resource);
    const remove = entry.informer.addHandler({
      onAdd: recount,
      onDelete: recount,
      onUpdate: (object, old) => {
        if (isCounted && changesUsage(object, old)) recount(object);
      },
    });
    this.#signal?.addEventListener('abort', remove, { once: true });
    return entry;
  }

  #recount(namespace: string): void {
    for (const { metadata } of this.#deps.quotas.lister.list(namespace)) {
      this.#enqueue({ namespace, name: metadata.name });
    }
  }

  async #typeOf({ group, resource }: CountedResource, signal: AbortSignal): Promise<ResourceType | undefined> {
    const matches = (type: ResourceType): boolean =>
      type.group === group && type.resource === resource && type.namespaced;
    const builtin = (Object.values(resources) as ResourceType[]).find(matches);
    if (builtin !== undefined) return builtin;
    const discovery = await discover(this.#deps.client, signal);
    return discovery.resources.map(({ type }) => type).find(matches);
  }
}

function changesUsage(object: DeepReadonly<KubeObject>, old: DeepReadonly<KubeObject>): boolean {
  if (!equalJSON(object['spec'], old['spec'])) return true;
  if (object.kind === 'Pod') {
    const [pod, before] = [object, old] as unknown as [DeepReadonly<Pod>, DeepReadonly<Pod>];
    return isPodTerminal(pod) !== isPodTerminal(before) || !equalJSON(granted(pod), granted(before));
  }
  if (object.kind !== 'PersistentVolumeClaim') return false;
  const [claim, before] = [object, old] as unknown as DeepReadonly<PersistentVolumeClaim>[];
  return !equalJSON(claim && countedOf(claim), before && countedOf(before));
}

/** What the node has given to a pod's containers. */
function granted({ status }: DeepReadonly<Pod>): unknown {
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const infeasible = status?.conditions?.some(({ reason }) => reason === 'Infeasible') ?? false;
  return [
    infeasible,
    ...statuses.map(({ resources, allocatedResources }) => [resources ?? null, allocatedResources ?? null]),
  ];
}

function countedOf(claim: DeepReadonly<PersistentVolumeClaim>): unknown {
  return [claim.status?.allocatedResources ?? null, volumeAttributesClasses(claim)];
}
