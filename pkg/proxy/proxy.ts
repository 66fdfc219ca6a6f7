import { resources } from '../api/generated/resources.ts';
import type { EndpointSlice, Node, Pod, Service, ServiceCIDR } from '../api/generated/types.ts';
import { type DeepReadonly, keyOf } from '../api/object.ts';
import { abortable } from '../base/abort.ts';
import { Backoff } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { type Exec, execOutput } from '../base/exec.ts';
import { type FollowCommand, followCommand, keepFollowing } from '../base/follow-command.ts';
import { equalJSON } from '../base/json.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Informer, Informers } from '../client/client.ts';
import { deleteFlows, staleFlows } from './conntrack.ts';
import { normalAddress } from './family.ts';
import { HealthChecks, healthCheckOf } from './health-checks.ts';
import { planHostPorts, planNode } from './host-port-plan.ts';
import { ALWAYS_THERE } from './names.ts';
import { PolicyTracker } from './policy-tracker.ts';
import { createProxyMetrics, type ProxyMetrics, type ProxyMetricsDeps } from './proxy-metrics.ts';
import { renderChanges, renderTable, type TableOptions } from './render.ts';
import { Ruleset } from './ruleset.ts';
import { planServiceNetworks } from './service-networks.ts';
import { planService, type ServiceContext } from './service-plan.ts';
import { Wakeup } from './wakeup.ts';

export interface ProxyOptions {
  readonly nodeName: string;
  /** The nftables table (family inet) that the proxy owns. */
  readonly table: string;
  /** Pod networks. Empty: nothing is masqueraded for leaving the cluster. */
  readonly clusterCIDRs: readonly string[];
  /** Networks that Services have their addresses from, before the ServiceCIDR objects are known. */
  readonly serviceCIDRs: readonly string[];
  /** Service addresses that this node answers on itself (the cluster DNS); the proxy leaves them alone. */
  readonly localAddresses?: readonly string[];
}

export interface ProxyDeps extends ProxyMetricsDeps {
  readonly informers: Informers;
  readonly exec: Exec;
  /** How `nft monitor` is followed; default: it is run. */
  readonly follow?: FollowCommand;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Ready when the table stands for the first time. */
export interface ServiceProxy extends Component {
  /**
   * A pod of this node has got its addresses and is about to start: resolves when what network policies say of it is in
   * force. Rejects when `signal` aborts.
   */
  admit(pod: DeepReadonly<Pod>, addresses: readonly string[], signal: AbortSignal): Promise<void>;
  /** Resolves when the kernel has everything that the informers have delivered up to now. */
  settled(): Promise<void>;
}

/** Changes that come within this time go into one transaction. */
const COALESCE_MS = 4;
/** The longest pause between transactions. */
const MAX_PAUSE_MS = 1000;
const ZONE_LABEL = 'topology.kubernetes.io/zone';
/** Services and slices that have one of these are another proxy's, or nobody's (as upstream's kube-proxy selects). */
const NOT_OURS = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless'];

export function createProxy(options: ProxyOptions, deps: ProxyDeps): ServiceProxy {
  return new NFTablesProxy(options, deps);
}

type Target = { readonly kind?: string; readonly namespace?: string; readonly name?: string };

class NFTablesProxy implements ServiceProxy {
  readonly name = 'proxy';
  readonly #options: Required<ProxyOptions>;
  readonly #deps: ProxyDeps;
  readonly #logger: Logger;
  readonly #metrics: ProxyMetrics;
  readonly #ruleset = new Ruleset();
  readonly #dirtyServices = new Set<string>();
  readonly #work = new Wakeup();
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #nodes: Informer<Node>;
  readonly #pods: Informer<Pod>;
  readonly #serviceCIDRs: Informer<ServiceCIDR>;
  readonly #policies: PolicyTracker;
  readonly #healthChecks: HealthChecks;
  #zone = '';
  /** The table has to be made anew. */
  #rebuild = true;
  #staleFlows: string[][] = [];

  constructor(options: ProxyOptions, deps: ProxyDeps) {
    this.#options = { localAddresses: [], ...options };
    this.#deps = deps;
    this.#logger = deps.logger;
    this.#metrics = createProxyMetrics(deps);
    const { informers } = deps;
    this.#services = informers.for(resources.services);
    this.#slices = informers.for(resources.endpointslices, {
      indexers: { 'proxy/service': serviceOf, 'proxy/target-pod': targetPodsOf },
    });
    this.#nodes = informers.for(resources.nodes);
    this.#serviceCIDRs = informers.for(resources.servicecidrs);
    this.#pods = informers.for(resources.pods, { fieldSelector: `spec.nodeName=${options.nodeName}` });
    this.#healthChecks = new HealthChecks(deps.logger);
    this.#policies = new PolicyTracker(options.nodeName, { informers, changed: () => this.#work.request() });
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    this.#networksChanged();
    const removals = this.#follow(signal);
    const loops: Promise<void>[] = [];
    try {
      const informers = [this.#services, this.#slices, this.#nodes, this.#pods, this.#serviceCIDRs];
      for (const informer of informers) await informer.synced(signal);
      await this.#policies.synced(signal);
      this.#work.request();
      loops.push(this.#watchTable(signal));
      await this.#synchronizeForever(signal, ready);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const remove of removals) remove();
      this.#work.close();
      this.#healthChecks.close();
      await Promise.all(loops);
    }
  }

  settled(): Promise<void> {
    return this.#work.settled();
  }

  async admit(pod: DeepReadonly<Pod>, addresses: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#policies.synced(signal);
    this.#policies.assign(pod, addresses);
    await abortable(this.#work.settled(), signal);
  }

  #follow(signal: AbortSignal): (() => void)[] {
    const service = (object: DeepReadonly<Service>): void => this.#touch(keyOf(object));
    const slice = (object: DeepReadonly<EndpointSlice>): void => {
      for (const key of serviceOf(object)) this.#touch(key);
    };
    return [
      this.#services.addHandler({ onAdd: service, onUpdate: service, onDelete: service }),
      this.#slices.addHandler({
        onAdd: slice,
        onDelete: slice,
        onUpdate: (object, old) => {
          slice(object);
          if (serviceOf(object)[0] !== serviceOf(old)[0]) slice(old);
        },
      }),
      this.#nodes.addHandler({
        onAdd: (node) => this.#nodeChanged(node),
        onUpdate: (node, old) => this.#nodeChanged(node, old),
        onDelete: (node) => this.#setPlan(`node/${node.metadata.name}`, undefined),
      }),
      this.#pods.addHandler({
        onAdd: (pod) => this.#podChanged(pod),
        onUpdate: (pod, old) => this.#podChanged(pod, old),
        onDelete: (pod) => {
          this.#setPlan(`pod/${pod.metadata.uid}`, undefined);
          this.#policies.forget(pod);
        },
      }),
      this.#serviceCIDRs.addHandler({
        onAdd: () => this.#networksChanged(),
        onDelete: () => this.#networksChanged(),
      }),
      this.#policies.follow(signal),
    ];
  }

  #networksChanged(): void {
    const added = [...this.#serviceCIDRs.lister.list()].flatMap(({ spec }) => spec?.cidrs ?? []);
    this.#setPlan('service-networks', planServiceNetworks([...this.#options.serviceCIDRs, ...added]));
  }

  #touch(service: string): void {
    this.#dirtyServices.add(service);
    this.#work.request();
  }

  #setPlan(owner: string, plan: Parameters<Ruleset['set']>[1]): void {
    if (plan === undefined && this.#ruleset.planOf(owner) === undefined) return;
    this.#ruleset.set(owner, plan);
    this.#work.request();
  }

  #nodeChanged(node: DeepReadonly<Node>, old?: DeepReadonly<Node>): void {
    if (old === undefined || !equalJSON(node.status?.addresses, old.status?.addresses))
      this.#setPlan(`node/${node.metadata.name}`, planNode(node));
    const zone = node.metadata.labels?.[ZONE_LABEL] ?? '';
    if (node.metadata.name !== this.#options.nodeName || zone === this.#zone) return;
    this.#zone = zone;
    for (const service of this.#services.lister.list()) this.#touch(keyOf(service));
  }

  #podChanged(pod: DeepReadonly<Pod>, old?: DeepReadonly<Pod>): void {
    // Traffic stops when the deletion is known, not only when the endpoint slice says so.
    if (pod.metadata.deletionTimestamp !== undefined && old?.metadata.deletionTimestamp === undefined) {
      for (const slice of this.#slices.lister.byIndex('proxy/target-pod', keyOf(pod)))
        for (const key of serviceOf(slice)) this.#touch(key);
    }
    if (!usesHostPorts(pod)) return;
    const owner = `pod/${pod.metadata.uid}`;
    const plan = planHostPorts(pod);
    if (equalJSON(plan.elements, this.#ruleset.planOf(owner)?.elements ?? [])) return;
    this.#setPlan(owner, plan.elements.length === 0 ? undefined : plan);
  }

  async #synchronizeForever(signal: AbortSignal, ready: () => void): Promise<void> {
    const backoff = new Backoff({ initialMs: 100, maxMs: 30_000 });
    const { clock } = this.#deps;
    let notBeforeMs = 0;
    while (await this.#work.next(signal)) {
      await clock.sleep(Math.max(COALESCE_MS, notBeforeMs - clock.monotonic()), signal);
      if (signal.aborted) return;
      const round = this.#work.begin();
      const startMs = clock.monotonic();
      try {
        await this.#synchronize(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.error({ err: error }, 'cannot change the nftables table; it will be made anew');
        this.#metrics.failures.inc();
        this.#rebuild = true;
        notBeforeMs = clock.monotonic() + backoff.next();
        continue;
      }
      backoff.reset();
      const tookMs = clock.monotonic() - startMs;
      // A long transaction is followed by an as long pause, so that constant change cannot take the processor.
      notBeforeMs = startMs + tookMs + Math.min(MAX_PAUSE_MS, tookMs);
      this.#metrics.duration.observe(tookMs / 1000);
      this.#work.end(round);
      ready();
    }
  }

  async #synchronize(signal: AbortSignal): Promise<void> {
    this.#planDirtyServices();
    for (const [owner, plan] of this.#policies.take()) this.#ruleset.set(owner, plan);
    let text = '';
    const rebuild = this.#rebuild;
    if (rebuild) {
      this.#ruleset.forgetApplied();
      text = renderTable(this.#tableOptions());
    }
    text += renderChanges(this.#options.table, this.#ruleset.takeChanges());
    if (text !== '') await execOutput(this.#deps.exec, 'nft', ['-f', '-'], { input: text, signal });
    if (rebuild) this.#rebuild = false;
    const flows = this.#staleFlows;
    this.#staleFlows = [];
    await deleteFlows(flows, this.#deps.exec, signal).catch((error: unknown) => {
      if (!signal.aborted) this.#logger.warn({ err: error }, 'cannot end old UDP flows');
    });
  }

  #planDirtyServices(): void {
    if (this.#dirtyServices.size === 0) return;
    const context = this.#context();
    for (const key of this.#dirtyServices) {
      const owner = `service/${key}`;
      const found = this.#services.lister.get(key);
      const service = found !== undefined && isOurs(found) ? found : undefined;
      const slices = this.#slices.lister.byIndex('proxy/service', key).filter(isOurs);
      const plan = service === undefined ? undefined : planService(service, slices, context);
      this.#healthChecks.set(key, service === undefined ? undefined : healthCheckOf(service, slices, context));
      this.#staleFlows.push(...staleFlows(this.#ruleset.planOf(owner), plan));
      this.#ruleset.set(owner, plan);
    }
    this.#dirtyServices.clear();
  }

  #context(): ServiceContext {
    return {
      nodeName: this.#options.nodeName,
      zone: this.#zone,
      clusterCIDRs: this.#options.clusterCIDRs,
      localAddresses: new Set(this.#options.localAddresses.map(normalAddress)),
      isTerminating: (target) => this.#isTerminating(target),
    };
  }

  #isTerminating({ kind, namespace = '', name = '' }: Target): boolean {
    if (kind !== 'Pod') return false;
    return this.#pods.lister.get(`${namespace}/${name}`)?.metadata.deletionTimestamp !== undefined;
  }

  #tableOptions(): TableOptions {
    return this.#options;
  }

  /** Makes the table anew when somebody else has deleted it (a firewall's flush of everything). */
  async #watchTable(signal: AbortSignal): Promise<void> {
    const { follow = followCommand, clock } = this.#deps;
    const deleted = `delete chain inet ${this.#options.table} ${ALWAYS_THERE}`;
    const check = (): void => void this.#checkTable(signal);
    const onLine = (line: string): void => {
      if (line.startsWith(deleted)) check();
    };
    const monitor = { command: 'nft', args: ['monitor', 'chains'], onLine, onGap: check };
    await keepFollowing(monitor, { follow, clock }, signal);
  }

  /** Our own transactions delete the table too, and put a new one in its place. */
  async #checkTable(signal: AbortSignal): Promise<void> {
    const args = ['list', 'chain', 'inet', this.#options.table, ALWAYS_THERE];
    const result = await this.#deps.exec.run('nft', args, { signal }).catch(() => undefined);
    if (signal.aborted || result === undefined || result.code === 0) return;
    this.#logger.warn({ table: this.#options.table }, 'the nftables table is gone; making it anew');
    this.#rebuild = true;
    this.#work.request();
  }
}

function isOurs({ metadata }: DeepReadonly<Service | EndpointSlice>): boolean {
  return NOT_OURS.every((label) => metadata.labels?.[label] === undefined);
}

function usesHostPorts(pod: DeepReadonly<Pod>): boolean {
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some((container) =>
    container.ports?.some((port) => port.hostPort !== undefined),
  );
}

/** The key of the Service that a slice belongs to. */
function serviceOf(slice: DeepReadonly<EndpointSlice>): readonly string[] {
  const name = slice.metadata.labels?.['kubernetes.io/service-name'];
  return name === undefined || name === '' ? [] : [`${slice.metadata.namespace}/${name}`];
}

function targetPodsOf(slice: DeepReadonly<EndpointSlice>): readonly string[] {
  const keys = new Set<string>();
  for (const { targetRef } of slice.endpoints ?? [])
    if (targetRef?.kind === 'Pod') keys.add(`${targetRef.namespace ?? ''}/${targetRef.name ?? ''}`);
  return [...keys];
}
