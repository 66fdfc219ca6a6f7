import type { EndpointSlice, Service, ServicePort } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import {
  type Backend,
  backendsOf,
  isPort,
  isServing,
  type NodeView,
  nearby,
  type TerminatingCheck,
  usable,
} from './endpoints.ts';
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
/** The maps that have the backends of each row, for frontends that are addresses and those that are ports of the node. */
const PLACES = {
  anywhere: { address: SETS.backend, port: SETS.portBackend },
  here: { address: SETS.backendHere, port: SETS.portBackendHere },
} as const;
type Row = keyof typeof PLACES;

interface Rows {
  readonly anywhere: readonly Backend[];
  readonly here: readonly Backend[];
  /** externalTrafficPolicy Local */
  readonly externalLocal: boolean;
}

/** What clients send to, as it is in the maps. */
interface Frontend {
  readonly key: string;
  /** A port of the node, on whatever local address. */
  readonly isPort: boolean;
}

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

    const rows: Rows = { anywhere, here, externalLocal };
    const frontend = this.#addressFrontend(clusterIP);
    if (!context.localAddresses.has(clusterIP)) {
      const chain = internalLocal
        ? this.#balancer('here', here, frontend)
        : this.#balancer('anywhere', anywhere, frontend);
      this.#lead(frontend, chain, anywhere.length === 0 ? REFUSE : DROP);
    }
    for (const { address, loadBalancer } of external) {
      const outer = this.#addressFrontend(address);
      const outside = this.#outside(rows, outer);
      this.#lead(outer, outside !== undefined && loadBalancer ? this.#admitted(outside) : outside, REFUSE);
    }
    if (nodePort !== undefined) {
      const outer: Frontend = { key: `${this.#protocol} . ${nodePort}`, isPort: true };
      this.#lead(outer, this.#outside(rows, outer), REFUSE);
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

  #addressFrontend(address: string): Frontend {
    return { key: `${address} . ${this.#protocol} . ${this.#port.port}`, isPort: false };
  }

  #lead({ key, isPort }: Frontend, chain: string | undefined, otherwise: string): void {
    if (chain === undefined) this.#element(isPort ? SETS.noNodePortEndpoints : SETS.noEndpoints, key, otherwise);
    else this.#element(isPort ? SETS.nodePort : SETS.service, key, `goto ${chain}`);
  }

  /** The chain for what comes from outside the cluster's pods: masqueraded, or only to backends of this node. */
  #outside({ anywhere, here, externalLocal }: Rows, frontend: Frontend): string | undefined {
    const toAnywhere = this.#balancer('anywhere', anywhere, frontend);
    if (toAnywhere === undefined) return undefined;
    const masqueraded = `${MARK_FOR_MASQUERADE} goto ${toAnywhere}`;
    if (!externalLocal) return this.#shared(`outside/${toAnywhere}`, [masqueraded]);
    const toHere = this.#balancer('here', here, frontend);
    const pods = this.#context.clusterCIDRs.filter((cidr) => familyOfCIDR(cidr) === this.#family);
    const rules = pods.length === 0 ? [] : [`${this.#family.nft} saddr { ${pods.join(', ')} } goto ${toAnywhere}`];
    rules.push(`fib saddr type local ${masqueraded}`, toHere === undefined ? DROP : `goto ${toHere}`);
    return this.#shared(`outside-local/${toAnywhere}/${toHere ?? ''}`, rules);
  }

  /** Load balancer addresses with source ranges get a chain of their own that lets only these in. */
  #admitted(outside: string): string {
    const ranges = (this.#service.spec.loadBalancerSourceRanges ?? []).map((range) => range.trim());
    if (ranges.length === 0) return outside;
    const own = ranges.filter((range) => familyOfCIDR(range) === this.#family);
    const chain = this.#chainName('firewall');
    const admit = own.map((range) => `${this.#family.nft} saddr ${range} goto ${outside}`);
    this.#plan.chains.set(chain, [...admit, DROP]);
    return chain;
  }

  /** The chain that chooses one of a frontend's backends; undefined when there are none. */
  #balancer(row: Row, backends: readonly Backend[], frontend: Frontend): string | undefined {
    if (backends.length === 0) return undefined;
    if (this.#service.spec.sessionAffinity !== 'ClientIP') return this.#place(row, backends, frontend);
    const name = this.#chainName(row === 'here' ? 'local' : 'service');
    this.#plan.chains.set(name, this.#affinityRules(backends));
    return name;
  }

  /**
   * Puts a frontend's backends into the maps, the first into the first, and so on. The chain depends on their number only, so
   * all Services of as many backends have it together: a change of backends is one of elements, and the table stays small
   * for who has to read it.
   */
  #place(row: Row, backends: readonly Backend[], { key, isPort }: Frontend): string {
    const { nft, suffix, type } = this.#family;
    const port = 'inet_proto . inet_service';
    const source = `${isPort ? '' : `${nft} daddr . `}meta l4proto . th dport`;
    const places = backends.map((backend, index) => {
      const name = `${PLACES[row][isPort ? 'port' : 'address']}${suffix}/${index}`;
      this.#plan.sharedMaps.set(name, `type ${isPort ? '' : `${type} . `}${port} : ${type} . inet_service;`);
      this.#plan.element(name, key, `${backend.address} . ${backend.port}`);
      return this.#shared(`to-${name}`, [`dnat ${nft} to ${source} map @${name}`]);
    });
    const [first = ''] = places;
    if (places.length === 1) return first;
    const choices = places.map((chain, index) => `${index} : goto ${chain}`);
    const kind = PLACES[row][isPort ? 'port' : 'address'];
    const rule = `numgen random mod ${places.length} vmap { ${choices.join(', ')} }`;
    return this.#shared(`one-of-${places.length}-${kind}${suffix}`, [rule]);
  }

  #shared(name: string, rules: readonly string[]): string {
    this.#plan.sharedChains.set(name, rules);
    return name;
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
      endpoints: new Set(all.filter(isServing).map((backend) => `${backend.address} ${backend.port}`)),
    });
  }

  #chainName(kind: string): string {
    return `${kind}${this.#family.suffix}-${this.#id}`;
  }

  #element(set: string, key: string, data?: string): void {
    this.#plan.element(`${set}${this.#family.suffix}`, key, data);
  }
}
