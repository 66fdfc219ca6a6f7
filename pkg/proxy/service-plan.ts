import type { EndpointSlice, Service, ServicePort } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import { type Backend, backendsOf, isPort, type NodeView, nearby, type TerminatingCheck, usable } from './endpoints.ts';
import { FAMILIES, type Family, familyOf, familyOfCIDR, normalAddress, withPort } from './family.ts';
import { DROP, MARK_FOR_MASQUERADE, REFUSE, SETS } from './names.ts';
import { type Plan, PlanBuilder } from './plan.ts';

export interface ServiceContext extends NodeView {
  /** Pod networks: their traffic keeps its source address. */
  readonly clusterCIDRs: readonly string[];
  /** Service addresses that the node itself answers on (the cluster DNS): never redirected or refused. */
  readonly localAddresses: ReadonlySet<string>;
  readonly isTerminating: TerminatingCheck;
}

const DEFAULT_AFFINITY_SECONDS = 10_800;
const PROTOCOLS: Readonly<Record<string, string>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' };

/** What one Service needs in the table: chains that choose a backend, and the addresses that lead to them. */
export function planService(
  service: DeepReadonly<Service>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  context: ServiceContext,
): Plan {
  const plan = new PlanBuilder();
  const { spec } = service;
  if (spec.type === 'ExternalName') return plan;
  const clusterIPs = (spec.clusterIPs ?? [spec.clusterIP ?? '']).filter((ip) => familyOf(ip) !== undefined);
  if (clusterIPs.length === 0) return plan;
  for (const family of FAMILIES) {
    const clusterIP = clusterIPs.find((ip) => familyOf(ip) === family);
    if (clusterIP === undefined) continue;
    for (const port of spec.ports ?? []) {
      if (!isPort(port.port) || PROTOCOLS[port.protocol ?? 'TCP'] === undefined) continue;
      new PortPlanner(plan, service, port, family, context).add(normalAddress(clusterIP), slices);
    }
  }
  return plan;
}

/** Plans one port of a Service in one family. */
class PortPlanner {
  readonly #plan: PlanBuilder;
  readonly #service: DeepReadonly<Service>;
  readonly #port: DeepReadonly<ServicePort>;
  readonly #family: Family;
  readonly #context: ServiceContext;
  readonly #protocol: string;
  /** `default/web/tcp/80` */
  readonly #id: string;

  constructor(
    plan: PlanBuilder,
    service: DeepReadonly<Service>,
    port: DeepReadonly<ServicePort>,
    family: Family,
    context: ServiceContext,
  ) {
    this.#plan = plan;
    this.#service = service;
    this.#port = port;
    this.#family = family;
    this.#context = context;
    this.#protocol = PROTOCOLS[port.protocol ?? 'TCP'] ?? 'tcp';
    this.#id = `${service.metadata.namespace}/${service.metadata.name}/${this.#protocol}/${port.port}`;
  }

  add(clusterIP: string, slices: readonly DeepReadonly<EndpointSlice>[]): void {
    const { spec } = this.#service;
    const context = this.#context;
    const all = backendsOf(slices, this.#port, this.#family, context, context.isTerminating);
    const anywhere = nearby(usable(all), context);
    const here = usable(all.filter((backend) => backend.local));
    const internalLocal = spec.internalTrafficPolicy === 'Local';
    const external = this.#externalAddresses();
    const nodePort = this.#nodePort();
    const externalLocal = spec.externalTrafficPolicy === 'Local' && (external.length > 0 || nodePort !== undefined);

    const anywhereChain = this.#balancer('service', anywhere);
    const hereChain = internalLocal || externalLocal ? this.#balancer('local', here) : undefined;
    if (!context.localAddresses.has(clusterIP)) {
      const chain = internalLocal ? hereChain : anywhereChain;
      this.#frontend(clusterIP, chain, anywhereChain === undefined ? REFUSE : DROP);
    }
    const outside = this.#outsideChain(anywhereChain, hereChain, externalLocal, external.length + (nodePort ?? 0) > 0);
    for (const { address, chain } of this.#admitted(external, outside)) this.#frontend(address, chain, REFUSE);
    if (nodePort !== undefined) {
      const key = `${this.#protocol} . ${nodePort}`;
      if (outside === undefined) this.#element(SETS.noNodePortEndpoints, key, REFUSE);
      else this.#element(SETS.nodePort, key, `goto ${outside}`);
    }
    this.#hairpins(all);
    this.#udp(all, clusterIP, external, nodePort);
  }

  #externalAddresses(): { address: string; loadBalancer: boolean }[] {
    const { spec, status } = this.#service;
    const found = new Map<string, boolean>();
    if (spec.type === 'LoadBalancer') {
      for (const { ip = '', ipMode = 'VIP' } of status?.loadBalancer?.ingress ?? [])
        if (familyOf(ip) === this.#family && ipMode === 'VIP') found.set(normalAddress(ip), true);
    }
    for (const ip of spec.externalIPs ?? []) if (familyOf(ip) === this.#family) found.set(normalAddress(ip), false);
    return [...found].map(([address, loadBalancer]) => ({ address, loadBalancer }));
  }

  #nodePort(): number | undefined {
    const { type } = this.#service.spec;
    const { nodePort } = this.#port;
    return (type === 'NodePort' || type === 'LoadBalancer') && isPort(nodePort) ? nodePort : undefined;
  }

  #frontend(address: string, chain: string | undefined, otherwise: string): void {
    const key = `${address} . ${this.#protocol} . ${this.#port.port}`;
    if (chain === undefined) this.#element(SETS.noEndpoints, key, otherwise);
    else this.#element(SETS.service, key, `goto ${chain}`);
  }

  /** The chain for what comes from outside the cluster's pods: masqueraded, or only to backends of this node. */
  #outsideChain(
    anywhere: string | undefined,
    here: string | undefined,
    onlyLocal: boolean,
    needed: boolean,
  ): string | undefined {
    if (!needed || anywhere === undefined) return undefined;
    const name = this.#chainName('external');
    const rules: string[] = [];
    if (onlyLocal) {
      const pods = this.#context.clusterCIDRs.filter((cidr) => familyOfCIDR(cidr) === this.#family);
      if (pods.length > 0) rules.push(`${this.#family.nft} saddr { ${pods.join(', ')} } goto ${anywhere}`);
      rules.push(`fib saddr type local ${MARK_FOR_MASQUERADE} goto ${anywhere}`);
      rules.push(here === undefined ? DROP : `goto ${here}`);
    } else {
      rules.push(`${MARK_FOR_MASQUERADE} goto ${anywhere}`);
    }
    this.#plan.chains.set(name, rules);
    return name;
  }

  /** Load balancer addresses with source ranges get a chain of their own that lets only these in. */
  #admitted(
    external: readonly { address: string; loadBalancer: boolean }[],
    outside: string | undefined,
  ): { address: string; chain: string | undefined }[] {
    const ranges = (this.#service.spec.loadBalancerSourceRanges ?? []).map((range) => range.trim());
    const own = ranges.filter((range) => familyOfCIDR(range) === this.#family);
    return external.map(({ address, loadBalancer }) => {
      if (outside === undefined || !loadBalancer || ranges.length === 0) return { address, chain: outside };
      const chain = this.#chainName('firewall');
      const admit = own.map((range) => `${this.#family.nft} saddr ${range} goto ${outside}`);
      this.#plan.chains.set(chain, [...admit, DROP]);
      return { address, chain };
    });
  }

  /** A chain that chooses one of `backends`; undefined when there are none. */
  #balancer(kind: 'service' | 'local', backends: readonly Backend[]): string | undefined {
    if (backends.length === 0) return undefined;
    const name = this.#chainName(kind);
    const affinity = this.#service.spec.sessionAffinity === 'ClientIP';
    this.#plan.chains.set(name, affinity ? this.#affinityRules(backends) : [this.#balanceRule(backends)]);
    return name;
  }

  #balanceRule(backends: readonly Backend[]): string {
    const { nft } = this.#family;
    const [first] = backends;
    if (first !== undefined && backends.length === 1) return this.#dnatRule(first);
    const targets = backends.map((backend, index) => `${index} : ${backend.address} . ${backend.port}`);
    const choice = `numgen random mod ${backends.length} map { ${targets.join(', ')} }`;
    return `meta l4proto ${this.#protocol} dnat ${nft} to ${choice}`;
  }

  #dnatRule(backend: Backend): string {
    const target = withPort(this.#family, backend.address, backend.port);
    return `meta l4proto ${this.#protocol} dnat ${this.#family.nft} to ${target}`;
  }

  /** Known clients go where they went before; each backend has a set of its clients, which forgets them by itself. */
  #affinityRules(backends: readonly Backend[]): string[] {
    const { nft, type } = this.#family;
    const seconds = this.#service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS;
    const rules: string[] = [];
    const choices: string[] = [];
    backends.forEach((backend, index) => {
      const place = `${backend.address.replaceAll(':', '.')}/${backend.port}`;
      const chain = `${this.#chainName('endpoint')}/${place}`;
      // A set's timeout cannot change, so it is part of the name.
      const clients = `${this.#chainName('clients')}/${place}/${seconds}`;
      this.#plan.sets.set(clients, `type ${type}; flags dynamic,timeout; timeout ${seconds}s;`);
      this.#plan.chains.set(chain, [`update @${clients} { ${nft} saddr }`, this.#dnatRule(backend)]);
      rules.push(`${nft} saddr @${clients} goto ${chain}`);
      choices.push(`${index} : goto ${chain}`);
    });
    return [...rules, `numgen random mod ${backends.length} vmap { ${choices.join(', ')} }`];
  }

  #hairpins(backends: readonly Backend[]): void {
    for (const { address, maybeLocal } of backends)
      if (maybeLocal) this.#element(SETS.hairpin, `${address} . ${address}`);
  }

  #udp(
    all: readonly Backend[],
    clusterIP: string,
    external: readonly { address: string }[],
    nodePort: number | undefined,
  ): void {
    if (this.#protocol !== 'udp') return;
    const { port } = this.#port;
    const frontends = [{ address: clusterIP, port }, ...external.map(({ address }) => ({ address, port }))];
    this.#plan.udp.set(`${this.#family.suffix}/${port}`, {
      frontends: nodePort === undefined ? frontends : [...frontends, { port: nodePort }],
      family: this.#family.nfproto,
      endpoints: new Set(usable(all).map((backend) => backend.address)),
    });
  }

  #chainName(kind: string): string {
    return `${kind}${this.#family.suffix}-${this.#id}`;
  }

  #element(set: string, key: string, data?: string): void {
    this.#plan.element(`${set}${this.#family.suffix}`, key, data);
  }
}
