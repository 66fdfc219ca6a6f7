import { type FieldError, internalError, invalid } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { IPAddress, Service, ServiceCIDR, ServiceSpec } from '../../api/generated/types.ts';
import { initIPFamilies } from '../../api/kinds/service-families.ts';
import { isHeadless, needsHealthCheckNodePort, needsNodePort } from '../../api/kinds/service-update.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { ObjectReader } from '../contract.ts';
import type { HookEnd, ResourceHooks } from '../registry/hooks.ts';
import { Allocator, findFree } from './allocator.ts';
import { IPRange } from './ip-range.ts';

export interface ServiceAddressesOptions {
  readonly serviceCIDRs: readonly string[];
  readonly nodePortRange: readonly [number, number];
}

export interface ServiceAddressesDeps {
  readonly reader: ObjectReader;
  readonly random?: () => number;
}

export const MANAGED_BY = 'ipaddress.kubernetes.io/managed-by';
/** Who keeps the addresses of Services: the value of `MANAGED_BY`. */
export const ALLOCATOR = 'ipallocator.k8s.io';

type Spec = DeepReadonly<ServiceSpec>;

/**
 * Gives Services their cluster IPs and node ports. What is taken is told by the Services themselves, so nothing can leak: a value
 * is held beyond that only while the write that uses it is under way.
 */
export class ServiceAddresses {
  readonly hooks: ResourceHooks;
  readonly #ranges: readonly IPRange[];
  readonly #ports: readonly [number, number];
  readonly #deps: ServiceAddressesDeps;
  readonly #ips = new Allocator<string>();
  readonly #nodePorts = new Allocator<number>();
  readonly #known = new Map<string, Spec>();
  /** Of ServiceCIDR objects beside the configuration, by name. */
  readonly #added = new Map<string, readonly IPRange[]>();
  /** Addresses that others hold by an IPAddress object, by its name. */
  readonly #foreign = new Set<string>();
  #stops: (() => void)[] = [];

  constructor(options: ServiceAddressesOptions, deps: ServiceAddressesDeps) {
    this.#ranges = options.serviceCIDRs.map((cidr) => IPRange.parse(cidr));
    this.#ports = options.nodePortRange;
    this.#deps = deps;
    this.hooks = {
      beginCreate: (object) => this.#allocate(object as unknown as Service, undefined),
      beginUpdate: (object, old) => this.#allocate(object as unknown as Service, (old as DeepReadonly<Service>).spec),
    };
  }

  /** The first address of the first range: the `kubernetes` Service's. */
  get kubernetesIP(): string {
    return this.#ranges[0]?.at(0) ?? '';
  }

  /** The caches are loaded: begins to follow the Services. */
  start(): void {
    const { reader } = this.#deps;
    for (const service of reader.list(resources.services)) this.#learn(service, false);
    for (const cidr of reader.list(resources.servicecidrs)) this.#learnRange(cidr, false);
    for (const address of reader.list(resources.ipaddresses)) this.#learnAddress(address, false);
    this.#stops = [
      reader.onChange(resources.services, (service, change) => this.#learn(service, change === 'DELETED')),
      reader.onChange(resources.servicecidrs, (cidr, change) => this.#learnRange(cidr, change === 'DELETED')),
      reader.onChange(resources.ipaddresses, (address, change) => this.#learnAddress(address, change === 'DELETED')),
    ];
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#ips.clear();
    this.#added.clear();
    this.#foreign.clear();
    this.#nodePorts.clear();
    this.#known.clear();
  }

  /** Addresses come from what is Ready and not about to go (upstream: one without a condition counts as ready). */
  #learnRange({ metadata, spec, status }: DeepReadonly<ServiceCIDR>, gone: boolean): void {
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'True';
    const usable = !gone && metadata.deletionTimestamp === undefined && ready === 'True';
    if (usable)
      this.#added.set(
        metadata.name,
        (spec?.cidrs ?? []).map((cidr) => IPRange.parse(cidr)),
      );
    else this.#added.delete(metadata.name);
  }

  /** The objects of our own Services say nothing that the Services do not. */
  #learnAddress({ metadata }: DeepReadonly<IPAddress>, gone: boolean): void {
    if (gone || metadata.labels?.[MANAGED_BY] === ALLOCATOR) this.#foreign.delete(metadata.name);
    else this.#foreign.add(metadata.name);
  }

  /** The networks of a family, that of the configuration first. */
  #rangesOf(family: string): IPRange[] {
    return [...this.#ranges, ...[...this.#added.values()].flat()].filter((range) => range.family === family);
  }

  #isTaken(ip: string): boolean {
    return this.#ips.isTaken(ip) || this.#foreign.has(ip);
  }

  #learn(service: DeepReadonly<Service>, gone: boolean): void {
    const key = `${service.metadata.namespace}/${service.metadata.name}`;
    const before = this.#known.get(key);
    if (before !== undefined) {
      for (const ip of addressesOf(before)) this.#ips.removeStored(ip);
      for (const port of portsOf(before)) this.#nodePorts.removeStored(port);
    }
    if (gone) {
      this.#known.delete(key);
      return;
    }
    this.#known.set(key, service.spec);
    for (const ip of addressesOf(service.spec)) this.#ips.addStored(ip);
    for (const port of portsOf(service.spec)) this.#nodePorts.addStored(port);
  }

  #allocate(service: Service, before: Spec | undefined): HookEnd {
    const releases: (() => void)[] = [];
    const end = (): void => {
      for (const release of releases) release();
    };
    try {
      const families = this.#ranges.map((range) => range.family);
      const steps = [
        () => initIPFamilies(service.spec, before, families),
        () => this.#allocateIPs(service.spec, before, releases),
        () => this.#allocateNodePorts(service.spec, before, releases),
      ];
      for (const step of steps) {
        const errors = step();
        if (errors.length > 0) throw invalid(resources.services, service.metadata.name ?? '', errors);
      }
      this.#allocateHealthPort(service.spec, before, releases);
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  #allocateIPs(spec: ServiceSpec, before: Spec | undefined, releases: (() => void)[]): FieldError[] {
    if (spec.type === 'ExternalName' || isHeadless(spec)) return [];
    const fresh = before === undefined || before.type === 'ExternalName';
    // What once had no address gets none, and addresses that are given stay: validation refuses others.
    if (!fresh && isHeadless(before)) return [];
    const held = fresh ? 0 : (before.clusterIPs?.length ?? 0);
    const families = spec.ipFamilies ?? [];
    const addresses = [...(spec.clusterIPs ?? [])];
    if (!fresh && addresses.length < held) return [];
    const errors: FieldError[] = [];
    for (const [i, family] of families.entries()) {
      if (i < held) continue;
      const ranges = this.#rangesOf(family);
      if (ranges.length === 0) continue;
      const given = addresses[i];
      if (!given) {
        addresses[i] = this.#pick(ranges, releases);
        continue;
      }
      const problem = this.#refusal(ranges, given);
      if (problem === undefined) releases.push(this.#ips.reserve(given));
      else errors.push(notValid('spec.clusterIPs', addresses, problem));
    }
    if (errors.length > 0 || addresses.length === 0) return errors;
    spec.clusterIPs = addresses;
    if (fresh) spec.clusterIP = addresses[0] ?? '';
    return [];
  }

  #refusal(ranges: readonly IPRange[], ip: string): string | undefined {
    if (!ranges.some((range) => range.contains(ip))) {
      return `failed to allocate IP ${ip}: the provided network does not match the current range`;
    }
    return this.#isTaken(ip) ? `failed to allocate IP ${ip}: provided IP is already allocated` : undefined;
  }

  #pick(ranges: readonly IPRange[], releases: (() => void)[]): string {
    for (const range of ranges) {
      const random = (this.#deps.random ?? Math.random)();
      const isTaken = (ip: string): boolean => this.#isTaken(ip);
      const ip = findFree({ isTaken }, range.size, (index) => range.at(index), random);
      if (ip === undefined) continue;
      releases.push(this.#ips.reserve(ip));
      return ip;
    }
    throw internalError(new Error('failed to allocate a serviceIP: range is full'));
  }

  #allocateNodePorts(spec: ServiceSpec, before: Spec | undefined, releases: (() => void)[]): FieldError[] {
    if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') return [];
    const held = new Set(before === undefined ? [] : portsOf(before));
    const own = new Map<number, Set<string>>();
    const ports = spec.ports ?? [];
    for (const [i, { nodePort, protocol = 'TCP' }] of ports.entries()) {
      const problem = nodePort ? this.#takePort(nodePort, protocol, { held, own, releases }) : undefined;
      if (problem !== undefined) return [notValid(`spec.ports[${i}].nodePort`, nodePort, problem)];
    }
    if (!needsNodePort(spec)) return [];
    for (const port of ports) {
      if (port.nodePort) continue;
      const { protocol = 'TCP' } = port;
      // A new Service has one number for all protocols of a port.
      const twin =
        before === undefined
          ? ports.find((other) => other.port === port.port && other.nodePort && other.protocol !== protocol)
          : undefined;
      const shared = twin?.nodePort;
      if (shared !== undefined && this.#takePort(shared, protocol, { held, own, releases }) === undefined) {
        port.nodePort = shared;
      } else {
        port.nodePort = this.#pickPort(releases);
        own.set(port.nodePort, new Set([protocol]));
      }
    }
    return [];
  }

  /** Holds a node port for one protocol; says why not. The same number may serve several protocols of one Service. */
  #takePort(
    port: number,
    protocol: string,
    { held, own, releases }: { held: Set<number>; own: Map<number, Set<string>>; releases: (() => void)[] },
  ): string | undefined {
    const mine = own.get(port);
    if (mine !== undefined) {
      // Twice the same is for validation to report.
      mine.add(protocol);
      return undefined;
    }
    if (!held.has(port)) {
      const problem = this.#portRefusal(port);
      if (problem !== undefined) return problem;
      releases.push(this.#nodePorts.reserve(port));
    }
    own.set(port, new Set([protocol]));
    return undefined;
  }

  /** Only what begins to need a port gets one; what has one keeps it. */
  #allocateHealthPort(spec: ServiceSpec, before: Spec | undefined, releases: (() => void)[]): void {
    if (!needsHealthCheckNodePort(spec) || (before !== undefined && needsHealthCheckNodePort(before))) return;
    const wanted = spec.healthCheckNodePort;
    if (!wanted) {
      spec.healthCheckNodePort = this.#pickPort(releases);
      return;
    }
    const problem = this.#portRefusal(wanted);
    if (problem !== undefined) {
      throw internalError(new Error(`failed to allocate requested HealthCheck NodePort ${wanted}: ${problem}`));
    }
    releases.push(this.#nodePorts.reserve(wanted));
  }

  #portRefusal(port: number): string | undefined {
    const [first, last] = this.#ports;
    if (port < first || port > last) {
      return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
    }
    return this.#nodePorts.isTaken(port) ? 'provided port is already allocated' : undefined;
  }

  #pickPort(releases: (() => void)[]): number {
    const [first, last] = this.#ports;
    const random = (this.#deps.random ?? Math.random)();
    const port = findFree(this.#nodePorts, last - first + 1, (index) => first + index, random);
    if (port === undefined) throw internalError(new Error('failed to allocate a nodePort: range is full'));
    releases.push(this.#nodePorts.reserve(port));
    return port;
  }
}

/** The cluster IPs of a Service. */
export function addressesOf(spec: Spec): string[] {
  const all = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []);
  return all.filter((ip) => ip !== '' && ip !== 'None');
}

/** Each number once, however many protocols share it. */
function portsOf(spec: Spec): number[] {
  const ports = new Set((spec.ports ?? []).map((port) => port.nodePort ?? 0));
  ports.add(spec.healthCheckNodePort ?? 0);
  ports.delete(0);
  return [...ports];
}

function notValid(field: string, value: unknown, text: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${text}` };
}
