import { hash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { EndpointSlice, Service } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import type { Lister } from '../client/client.ts';
import type { Backend } from './routing-table.ts';

export interface Endpoint {
  /** `10.42.0.7:8080`, `[fd00::7]:8080`. */
  readonly authority: string;
  /** What a client's cookie says for it. */
  readonly id: string;
}

export interface UpstreamsDeps {
  readonly services: Lister<Service>;
  /** With the index SLICES_BY_SERVICE. */
  readonly slices: Lister<EndpointSlice>;
  readonly clock: Clock;
}

export const SLICES_BY_SERVICE = 'ingress-service';

/** How long an endpoint that could not be reached is tried last. */
const AVOID_MS = 5000;

/** The endpoints of Service ports that requests are sent to; follows the informers it reads from. */
export class Upstreams {
  readonly #deps: UpstreamsDeps;
  /** By Service, then by port. */
  readonly #known = new Map<string, Map<number | string, Upstream>>();

  constructor(deps: UpstreamsDeps) {
    this.#deps = deps;
  }

  of(backend: Backend): Upstream {
    const key = `${backend.namespace}/${backend.service}`;
    let ports = this.#known.get(key);
    if (ports === undefined) {
      ports = new Map();
      this.#known.set(key, ports);
    }
    let upstream = ports.get(backend.port);
    if (upstream === undefined) {
      upstream = new Upstream(() => this.#resolve(key, backend.port), this.#deps.clock);
      ports.set(backend.port, upstream);
    }
    return upstream;
  }

  /** The endpoints of a Service's first port; undefined: there is no such Service. */
  ofFirstPort(namespace: string, service: string): Upstream | undefined {
    const port = this.#deps.services.get(`${namespace}/${service}`)?.spec.ports?.[0]?.port;
    return port === undefined ? undefined : this.of({ namespace, service, port });
  }

  /** A Service (`namespace/name`) or its slices have changed. */
  changed(service: string): void {
    for (const upstream of this.#known.get(service)?.values() ?? []) upstream.refresh();
  }

  /** Forgets the Services that no Ingress names any more. */
  keepOnly(services: ReadonlySet<string>): void {
    for (const key of this.#known.keys()) if (!services.has(key)) this.#known.delete(key);
  }

  /** All endpoints that requests may be sent to. */
  authorities(): Set<string> {
    const all = new Set<string>();
    for (const ports of this.#known.values())
      for (const upstream of ports.values()) for (const { authority } of upstream.endpoints) all.add(authority);
    return all;
  }

  #resolve(key: string, wanted: number | string): Endpoint[] {
    const service = this.#deps.services.get(key);
    const port = service?.spec.ports?.find(({ name, port }) => (typeof wanted === 'number' ? port : name) === wanted);
    if (port === undefined || (port.protocol ?? 'TCP') !== 'TCP') return [];
    return endpointsOf(this.#deps.slices.byIndex(SLICES_BY_SERVICE, key), port.name ?? '');
  }
}

/** One Service port: its endpoints, in turn. */
export class Upstream {
  readonly #resolve: () => Endpoint[];
  readonly #clock: Clock;
  readonly #avoided = new Map<string, number>();
  #endpoints: readonly Endpoint[] | undefined;
  #next = 0;

  constructor(resolve: () => Endpoint[], clock: Clock) {
    this.#resolve = resolve;
    this.#clock = clock;
  }

  get endpoints(): readonly Endpoint[] {
    this.#endpoints ??= this.#resolve();
    return this.#endpoints;
  }

  refresh(): void {
    this.#endpoints = undefined;
    this.#avoided.clear();
  }

  /** The next endpoint that is not in `tried`; those that failed lately come last. */
  pick(tried: ReadonlySet<string>): Endpoint | undefined {
    const { endpoints } = this;
    let second: Endpoint | undefined;
    for (let step = 0; step < endpoints.length; step++) {
      const endpoint = endpoints[(this.#next + step) % endpoints.length];
      if (endpoint === undefined || tried.has(endpoint.authority)) continue;
      if (this.#isAvoided(endpoint)) {
        second ??= endpoint;
        continue;
      }
      this.#next = (this.#next + step + 1) % endpoints.length;
      return endpoint;
    }
    return second;
  }

  byID(id: string): Endpoint | undefined {
    return this.endpoints.find((endpoint) => endpoint.id === id);
  }

  /** The endpoint of a text: always the same one while it is there, and few change when others come or go. */
  byHash(text: string): Endpoint | undefined {
    let best: Endpoint | undefined;
    let highest = '';
    for (const endpoint of this.endpoints) {
      if (this.#isAvoided(endpoint)) continue;
      const score = hash('md5', `${endpoint.authority} ${text}`);
      if (score < highest) continue;
      highest = score;
      best = endpoint;
    }
    return best;
  }

  failed({ authority }: Endpoint): void {
    this.#avoided.set(authority, this.#clock.monotonic() + AVOID_MS);
  }

  #isAvoided({ authority }: Endpoint): boolean {
    const until = this.#avoided.get(authority);
    if (until === undefined) return false;
    if (this.#clock.monotonic() < until) return true;
    this.#avoided.delete(authority);
    return false;
  }
}

/** Ready endpoints; when there are none, those that still serve while they terminate. */
function endpointsOf(slices: readonly DeepReadonly<EndpointSlice>[], portName: string): Endpoint[] {
  const ready = new Set<string>();
  const leaving = new Set<string>();
  for (const { endpoints, ports, addressType } of slices) {
    const port = ports?.find(({ name, protocol }) => (name ?? '') === portName && (protocol ?? 'TCP') === 'TCP')?.port;
    if (port === undefined || addressType === 'FQDN') continue;
    for (const { addresses, conditions } of endpoints ?? []) {
      const [address] = addresses;
      if (address === undefined) continue;
      const authority = isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
      if (conditions?.ready !== false) ready.add(authority);
      else if (conditions.serving === true) leaving.add(authority);
    }
  }
  const usable = ready.size > 0 ? ready : leaving;
  return [...usable].sort().map((authority) => ({ authority, id: idOf(authority) }));
}

function idOf(authority: string): string {
  return hash('sha256', authority).slice(0, 32);
}

export function sliceServiceKey({ metadata }: DeepReadonly<EndpointSlice>): readonly string[] {
  const name = metadata.labels?.['kubernetes.io/service-name'];
  return name === undefined ? [] : [`${metadata.namespace}/${name}`];
}
