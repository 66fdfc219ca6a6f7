import { type FieldError, internalError, invalid } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Service, ServiceSpec } from '../../api/generated/types.ts';
import { isHeadless, needsClusterIP, needsHealthCheckNodePort, needsNodePort } from '../../api/kinds/service-update.ts';
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
  #stop: (() => void) | undefined;

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
    this.#stop = reader.onChange(resources.services, (service, change) => this.#learn(service, change === 'DELETED'));
  }

  stop(): void {
    this.#stop?.();
    this.#ips.clear();
    this.#nodePorts.clear();
    this.#known.clear();
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
      const errors = [
        ...this.#allocateIPs(service.spec, before, releases),
        ...this.#allocateNodePorts(service.spec, before, releases),
      ];
      if (errors.length > 0) throw invalid(resources.services, service.metadata.name ?? '', errors);
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  #allocateIPs(spec: ServiceSpec, before: Spec | undefined, releases: (() => void)[]): FieldError[] {
    if (!needsClusterIP(spec)) return [];
    if (isHeadless(spec)) {
      spec.clusterIP = 'None';
      spec.clusterIPs = ['None'];
      return [];
    }
    const errors: FieldError[] = [];
    const held = new Set(before === undefined ? [] : addressesOf(before));
    const wanted = [...(spec.clusterIPs ?? [])];
    if (wanted.length === 0 && spec.clusterIP) wanted.push(spec.clusterIP);
    const families = this.#families(spec);
    for (const [i, family] of families.entries()) {
      const range = this.#ranges.find((candidate) => candidate.family === family);
      const given = wanted[i];
      if (range === undefined) {
        errors.push(notValid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'));
      } else if (given) {
        if (held.has(given)) continue;
        const problem = this.#refusal(range, given);
        if (problem === undefined) releases.push(this.#ips.reserve(given));
        else errors.push(notValid('spec.clusterIPs', spec.clusterIPs ?? [given], problem));
      } else {
        wanted[i] = this.#pick(range, releases);
      }
    }
    if (errors.length > 0) return errors;
    spec.ipFamilies = families;
    spec.clusterIPs = wanted.slice(0, families.length);
    const [first] = spec.clusterIPs;
    if (first !== undefined) spec.clusterIP = first;
    return [];
  }

  /** The families that the Service gets, from what it asks for and what the cluster has. */
  #families(spec: ServiceSpec): ('IPv4' | 'IPv6')[] {
    const asked = (spec.ipFamilies ?? []) as ('IPv4' | 'IPv6')[];
    const [primary] = this.#ranges;
    const families = asked.length > 0 ? [...asked] : [primary?.family ?? 'IPv4'];
    if (families.length === 1 && spec.ipFamilyPolicy !== 'SingleStack' && this.#ranges.length > 1) {
      if (spec.ipFamilyPolicy !== undefined) families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4');
    }
    return spec.ipFamilyPolicy === 'SingleStack' ? families.slice(0, 1) : families;
  }

  #refusal(range: IPRange, ip: string): string | undefined {
    if (!range.contains(ip)) {
      return `failed to allocate IP ${ip}: the provided IP (${ip}) is not in the valid range. The range of valid IPs is the service network`;
    }
    return this.#ips.isTaken(ip) ? `failed to allocate IP ${ip}: provided IP is already allocated` : undefined;
  }

  #pick(range: IPRange, releases: (() => void)[]): string {
    const random = (this.#deps.random ?? Math.random)();
    const ip = findFree(this.#ips, range.size, (index) => range.at(index), random);
    if (ip === undefined) throw internalError(new Error('failed to allocate a serviceIP: range is full'));
    releases.push(this.#ips.reserve(ip));
    return ip;
  }

  #allocateNodePorts(spec: ServiceSpec, before: Spec | undefined, releases: (() => void)[]): FieldError[] {
    const held = new Set(before === undefined ? [] : portsOf(before));
    const own = new Map<number, Set<string>>();
    const take = (port: number, protocol: string): string | undefined => {
      const mine = own.get(port);
      // The same number may serve several protocols of one Service, but not two Services.
      if (mine !== undefined) {
        if (mine.has(protocol)) return 'provided port is already allocated';
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
    };
    const ports = needsNodePort(spec) ? (spec.ports ?? []) : [];
    for (const [i, { nodePort, protocol = 'TCP' }] of ports.entries()) {
      const problem = nodePort ? take(nodePort, protocol) : undefined;
      if (problem !== undefined) return [notValid(`spec.ports[${i}].nodePort`, nodePort, problem)];
    }
    for (const [i, port] of ports.entries()) {
      if (port.nodePort) continue;
      const { protocol = 'TCP' } = port;
      const twin = ports.find(
        (other, j) => j !== i && other.port === port.port && other.nodePort && other.protocol !== protocol,
      );
      if (twin?.nodePort !== undefined && take(twin.nodePort, protocol) === undefined) port.nodePort = twin.nodePort;
      else {
        port.nodePort = this.#pickPort(releases);
        own.set(port.nodePort, new Set([protocol]));
      }
    }
    if (!needsHealthCheckNodePort(spec)) return [];
    if (!spec.healthCheckNodePort) {
      spec.healthCheckNodePort = this.#pickPort(releases);
      return [];
    }
    const problem = take(spec.healthCheckNodePort, 'healthCheck');
    return problem === undefined ? [] : [notValid('spec.healthCheckNodePort', spec.healthCheckNodePort, problem)];
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

function addressesOf(spec: Spec): string[] {
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
