import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { Endpoint, EndpointSlice, Namespace, Service, ServicePort } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import type { Lister } from '../client/client.ts';
import { normalAddress, reverseAddress } from './addresses.ts';
import type { Answer, DNSRecord } from './records.ts';
import { RCODE, TYPE } from './wire.ts';

export const SERVICES_BY_IP = 'dns/ip';
export const SLICES_BY_SERVICE = 'dns/service';
export const SLICES_BY_ADDRESS = 'dns/address';

export interface ZoneOptions {
  /** `cluster.local` */
  readonly domain: string;
  /** Addresses of the name server itself. */
  readonly addresses: readonly string[];
  /** True for addresses of pods and Services: nobody else knows their names. */
  readonly isClusterAddress: (address: string) => boolean;
}

export interface ZoneDeps {
  /** With the index SERVICES_BY_IP. */
  readonly services: Lister<Service>;
  /** With the indexes SLICES_BY_SERVICE and SLICES_BY_ADDRESS. */
  readonly slices: Lister<EndpointSlice>;
  readonly namespaces: Lister<Namespace>;
  /** In [0, 1). */
  readonly random: () => number;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

/** A name outside the cluster that the answer goes on with. */
export interface External {
  /** The alias asked for, and those of the cluster that it leads to. */
  readonly cnames: readonly DNSRecord[];
  readonly target: string;
}

export type ZoneAnswer = Answer | { readonly external: External };

/** Seconds that clients may keep an answer, positive or negative. */
const TTL = 5;
const SCHEMA_VERSION = '1.1.0';
const MAX_CNAMES = 8;

/** What a name owns: its records of all types. undefined: there is no such name. */
type Owned = readonly DNSRecord[] | undefined;

/** The cluster's zone, made from what the API holds at the moment of the question. */
export class Zone {
  readonly #options: ZoneOptions;
  readonly #deps: ZoneDeps;
  readonly #suffix: string;

  constructor(options: ZoneOptions, deps: ZoneDeps) {
    this.#options = { ...options, domain: options.domain.toLowerCase() };
    this.#deps = deps;
    this.#suffix = `.${this.#options.domain}`;
  }

  /** The answer to a question; undefined when others have to answer it. `name` in lower case, without the final dot. */
  resolve(name: string, type: number): ZoneAnswer | undefined {
    if (name === this.#options.domain || name.endsWith(this.#suffix)) return this.#forward(name, type);
    if (name.endsWith('.in-addr.arpa') || name.endsWith('.ip6.arpa')) return this.#reverse(name, type);
    return undefined;
  }

  #forward(name: string, type: number): ZoneAnswer {
    const cnames: DNSRecord[] = [];
    let current = name;
    for (;;) {
      const owned = this.#owned(current);
      if (owned === undefined) return this.#negative(cnames, cnames.length > 0 ? RCODE.NOERROR : RCODE.NXDOMAIN);
      const [first] = owned;
      if (first?.type === 'CNAME' && type !== TYPE.CNAME) {
        const target = first.target.toLowerCase();
        if (target !== this.#options.domain && !target.endsWith(this.#suffix))
          return { external: { cnames: [...cnames, first], target } };
        if (cnames.length === MAX_CNAMES) return this.#negative(cnames, RCODE.SERVFAIL);
        cnames.push(first);
        current = target;
        continue;
      }
      const found = owned.filter((record) => type === TYPE.ANY || TYPE[record.type] === type);
      if (found.length === 0) return this.#negative(cnames, RCODE.NOERROR);
      return this.#positive([...cnames, ...this.#rotated(found)], type);
    }
  }

  #positive(answers: readonly DNSRecord[], type: number): Answer {
    const additional = type === TYPE.SRV ? this.#targetAddresses(answers) : [];
    return { rcode: RCODE.NOERROR, authoritative: true, answers, authority: [], additional };
  }

  #targetAddresses(answers: readonly DNSRecord[]): DNSRecord[] {
    const targets = new Set(answers.flatMap((record) => (record.type === 'SRV' ? [record.target] : [])));
    return [...targets].flatMap((target) =>
      (this.#owned(target) ?? []).filter((record) => record.type === 'A' || record.type === 'AAAA'),
    );
  }

  /** Resolvers remember that there is nothing only when the start of authority is above the name (RFC 2308, 3). */
  #negative(answers: readonly DNSRecord[], rcode: number, zone = this.#options.domain): Answer {
    return { rcode, authoritative: true, answers, authority: [this.#soa(zone)], additional: [] };
  }

  /** Clients take the first address: each should have its turn. */
  #rotated(records: readonly DNSRecord[]): readonly DNSRecord[] {
    if (records.length < 2) return records;
    const start = Math.floor(this.#deps.random() * records.length);
    return start === 0 ? records : [...records.slice(start), ...records.slice(0, start)];
  }

  #soa(name: string): DNSRecord {
    const { domain } = this.#options;
    return {
      type: 'SOA',
      name,
      ttl: TTL,
      primary: `ns.dns.${domain}`,
      mailbox: `hostmaster.${domain}`,
      serial: Math.floor(this.#deps.now() / 1000),
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: TTL,
    };
  }

  #owned(name: string): Owned {
    const { domain } = this.#options;
    if (name === domain) return [this.#soa(domain), { type: 'NS', name, ttl: TTL, target: `ns.dns.${domain}` }];
    const labels = name.slice(0, -this.#suffix.length).split('.');
    const kind = labels.pop();
    switch (kind) {
      case 'svc':
        return this.#service(name, labels);
      case 'pod':
        return this.#pod(name, labels);
      case 'dns-version':
        return labels.length === 0 ? [{ type: 'TXT', name, ttl: TTL, text: SCHEMA_VERSION }] : undefined;
      case 'dns':
        if (labels.length === 0) return [];
        return labels.length === 1 && labels[0] === 'ns' ? addressRecords(name, this.#options.addresses) : undefined;
      default:
        return undefined;
    }
  }

  #service(name: string, labels: readonly string[]): Owned {
    if (labels.length === 0) return [];
    const namespace = labels.at(-1) ?? '';
    if (labels.length === 1) return this.#deps.namespaces.get(namespace) === undefined ? undefined : [];
    const serviceName = labels.at(-2) ?? '';
    const service = this.#deps.services.get(`${namespace}/${serviceName}`);
    if (service === undefined) return undefined;
    const { spec } = service;
    if (spec.type === 'ExternalName') {
      // An address is no name that an alias could lead to, and CoreDNS knows none of it either.
      if (labels.length > 2 || !spec.externalName || isIP(spec.externalName) !== 0) return undefined;
      return [{ type: 'CNAME', name, ttl: TTL, target: spec.externalName.replace(/\.$/, '') }];
    }
    const headless = isHeadless(service);
    const backends = headless ? this.#backends(namespace, serviceName) : [];
    // Without backends there is nothing that a headless name could mean (as CoreDNS answers).
    if (headless && backends.length === 0) return undefined;
    const base = `${serviceName}.${namespace}.svc${this.#suffix}`;
    if (labels.length === 2) {
      const addresses = headless ? unique(backends.map((backend) => backend.address)) : clusterIPsOf(service);
      return [...addressRecords(name, addresses), ...this.#srv(name, service, base, backends, () => true)];
    }
    if (labels.length === 3) return this.#belowService(name, labels[0] ?? '', service, backends);
    if (labels.length === 4) return this.#port(name, labels, service, base, backends);
    return undefined;
  }

  /** `HOST.SERVICE...`, and `_tcp.SERVICE...`, which only has names below it. */
  #belowService(name: string, label: string, service: ReadService, backends: readonly Backend[]): Owned {
    if (label.startsWith('_'))
      return (service.spec.ports ?? []).some((port) => protocolLabel(port) === label) ? [] : undefined;
    const own = backends.filter((backend) => backend.host === label);
    return own.length === 0 ? undefined : addressRecords(name, unique(own.map((backend) => backend.address)));
  }

  /** `_PORT._PROTOCOL.SERVICE...` */
  #port(
    name: string,
    [portLabel, protocol]: readonly string[],
    service: ReadService,
    base: string,
    backends: readonly Backend[],
  ): Owned {
    const matches = (port: NamedPort): boolean =>
      portLabel !== '_' && `_${port.name ?? ''}` === portLabel && protocolLabel(port) === protocol;
    const records = this.#srv(name, service, base, backends, matches);
    return records.length === 0 ? undefined : records;
  }

  #srv(
    name: string,
    service: ReadService,
    base: string,
    backends: readonly Backend[],
    matches: (port: NamedPort) => boolean,
  ): DNSRecord[] {
    const common = { type: 'SRV', name, ttl: TTL, priority: 0 } as const;
    if (!isHeadless(service)) {
      const ports = (service.spec.ports ?? []).filter(matches);
      return ports.map(({ port }) => ({ ...common, weight: weightOf(ports.length), port, target: base }));
    }
    const seen = new Set<string>();
    const found: { port: number; target: string }[] = [];
    for (const backend of backends) {
      for (const candidate of backend.ports) {
        const target = `${backend.host}.${base}`;
        const { port } = candidate;
        if (port === undefined || !matches(candidate) || seen.has(`${port} ${target}`)) continue;
        seen.add(`${port} ${target}`);
        found.push({ port, target });
      }
    }
    return found.map((entry) => ({ ...common, weight: weightOf(found.length), ...entry }));
  }

  #backends(namespace: string, service: string): Backend[] {
    const backends: Backend[] = [];
    for (const slice of this.#deps.slices.byIndex(SLICES_BY_SERVICE, `${namespace}/${service}`)) {
      if (slice.addressType === 'FQDN') continue;
      for (const endpoint of slice.endpoints ?? []) {
        if (endpoint.conditions?.ready === false) continue;
        for (const address of endpoint.addresses)
          backends.push({ address, host: hostOf(endpoint, address), ports: slice.ports ?? [] });
      }
    }
    return backends;
  }

  #pod(name: string, labels: readonly string[]): Owned {
    if (labels.length === 0) return [];
    if (labels.length > 2 || this.#deps.namespaces.get(labels.at(-1) ?? '') === undefined) return undefined;
    const [dashed = ''] = labels;
    if (labels.length === 1) return [];
    const dotted = dashed.replaceAll('-', '.');
    if (isIPv4(dotted)) return addressRecords(name, [dotted]);
    const colons = dashed.replaceAll('-', ':');
    return isIPv6(colons) ? addressRecords(name, [colons]) : undefined;
  }

  #reverse(name: string, type: number): Answer | undefined {
    const address = reverseAddress(name);
    if (address === undefined) return undefined;
    const names = this.#namesOf(address);
    const zone = name.endsWith('.in-addr.arpa') ? 'in-addr.arpa' : 'ip6.arpa';
    if (names.length === 0) {
      return this.#options.isClusterAddress(address) ? this.#negative([], RCODE.NXDOMAIN, zone) : undefined;
    }
    if (type !== TYPE.PTR && type !== TYPE.ANY) return this.#negative([], RCODE.NOERROR, zone);
    return this.#positive(
      names.map((target) => ({ type: 'PTR', name, ttl: TTL, target })),
      type,
    );
  }

  #namesOf(address: string): string[] {
    const byIP = this.#deps.services.byIndex(SERVICES_BY_IP, address);
    if (byIP.length > 0) return byIP.map((service) => `${serviceBase(service)}${this.#suffix}`);
    const names = new Set<string>();
    for (const slice of this.#deps.slices.byIndex(SLICES_BY_ADDRESS, address)) {
      const service = this.#deps.services.get(serviceKeyOf(slice)[0] ?? '');
      if (service === undefined || !isHeadless(service)) continue;
      for (const endpoint of slice.endpoints ?? []) {
        if (endpoint.conditions?.ready === false || !endpoint.addresses.some((own) => normalAddress(own) === address))
          continue;
        names.add(`${hostOf(endpoint, address)}.${serviceBase(service)}${this.#suffix}`);
      }
    }
    return [...names];
  }
}

type ReadService = DeepReadonly<Service>;
type NamedPort = Pick<DeepReadonly<ServicePort>, 'name' | 'protocol'>;

interface Backend {
  readonly address: string;
  readonly host: string;
  readonly ports: readonly (NamedPort & { readonly port?: number })[];
}

function isHeadless(service: ReadService): boolean {
  return service.spec.clusterIP === 'None';
}

export function clusterIPsOf({ spec }: ReadService): string[] {
  return (spec.clusterIPs ?? [spec.clusterIP ?? '']).filter((ip) => isIPv4(ip) || isIPv6(ip)).map(normalAddress);
}

/** The key of the Service that a slice belongs to, as an index. */
export function serviceKeyOf(slice: DeepReadonly<EndpointSlice>): readonly string[] {
  const name = slice.metadata.labels?.['kubernetes.io/service-name'];
  return name === undefined ? [] : [`${slice.metadata.namespace}/${name}`];
}

export function addressesOf(slice: DeepReadonly<EndpointSlice>): readonly string[] {
  if (slice.addressType === 'FQDN') return [];
  return unique((slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses.map(normalAddress)));
}

function serviceBase({ metadata }: ReadService): string {
  return `${metadata.name}.${metadata.namespace}.svc`;
}

/** The name of an endpoint below its Service: its hostname, or its address with dashes. */
function hostOf(endpoint: DeepReadonly<Endpoint>, address: string): string {
  return (endpoint.hostname ?? '').toLowerCase() || address.replaceAll(/[.:]/g, '-');
}

function protocolLabel({ protocol = 'TCP' }: NamedPort): string {
  return `_${protocol.toLowerCase()}`;
}

function weightOf(count: number): number {
  return Math.max(1, Math.floor(100 / count));
}

function addressRecords(name: string, addresses: readonly string[]): DNSRecord[] {
  return addresses.map((address) => ({ type: isIPv4(address) ? 'A' : 'AAAA', name, ttl: TTL, address }));
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
