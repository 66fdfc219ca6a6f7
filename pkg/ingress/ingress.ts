import { resources } from '../api/generated/resources.ts';
import type { EndpointSlice, Service } from '../api/generated/types.ts';
import { type DeepReadonly, keyOf } from '../api/object.ts';
import { aborted } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import { errnoCode } from '../base/errors.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Informers } from '../client/client.ts';
import { type AccessLog, openAccessLog } from './access-log.ts';
import { BasicAuth } from './basic-auth.ts';
import { buildTable, needsRegex } from './build-table.ts';
import { Certificates, type ServingPair } from './certificates.ts';
import { Connections } from './connections.ts';
import { Gateway } from './gateway.ts';
import { createIngressMetrics } from './ingress-metrics.ts';
import { type Listener, listenHTTP, listenHTTPS } from './listeners.ts';
import type { RoutingTable } from './routing-table.ts';
import { namedServices, type ServedIngresses, watchServedIngresses } from './served-ingresses.ts';
import { SLICES_BY_SERVICE, sliceServiceKey, Upstreams } from './upstreams.ts';
import { type CompileRegex, loadRegexCompiler } from './user-regex.ts';

export interface PortOption {
  readonly port: number;
  /** The user has chosen it: when it is taken the process says so and ends. Else the rest goes on without it. */
  readonly chosen: boolean;
}

export interface IngressOptions {
  readonly http: PortOption;
  readonly https: PortOption;
  /** Absent: requests are not logged. */
  readonly accessLogPath?: string;
}

export interface IngressDeps {
  readonly informers: Informers;
  /** Shown to clients that ask for a name without a certificate. */
  readonly defaultCertificate: () => Promise<ServingPair>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** In [0, 1). Default Math.random. */
  readonly random?: () => number;
  /** Called with the ports in use, when requests are answered. */
  readonly listening?: (ports: { readonly http?: number; readonly https?: number }) => void;
}

/** How long answers under way may take when the process ends. */
const GRACE_MS = 5000;
/** Connections to endpoints that are gone are looked for this long after a change. */
const SWEEP_MS = 1000;

/** Answers HTTP and HTTPS on the node for the Ingresses of the cluster. Ready when it listens and knows them all. */
export function createIngress(options: IngressOptions, deps: IngressDeps): Component {
  return { name: 'ingress', run: (signal, ready) => new IngressServer(options, deps).run(signal, ready) };
}

const NOT_NEEDED: CompileRegex = () => {
  throw new Error('no expressions are expected here');
};

class IngressServer {
  readonly #options: IngressOptions;
  readonly #deps: IngressDeps;
  readonly #connections = new Connections();
  readonly #listeners: Listener[] = [];
  readonly #certificates: Certificates;
  readonly #upstreams: Upstreams;
  readonly #served: ServedIngresses;
  #table: RoutingTable = { hosts: new Map() };
  #compile: CompileRegex | undefined;
  /** Running, when there is a rebuild under way; `#dirty` when another one has to follow. */
  #rebuilding: Promise<void> | undefined;
  #dirty = false;
  #cancelSweep: (() => void) | undefined;

  constructor(options: IngressOptions, deps: IngressDeps) {
    this.#options = options;
    this.#deps = deps;
    const { informers, clock } = deps;
    const services = informers.for(resources.services);
    const slices = informers.for(resources.endpointslices, { indexers: { [SLICES_BY_SERVICE]: sliceServiceKey } });
    this.#served = watchServedIngresses(informers, () => this.#changed());
    this.#certificates = new Certificates((key) => this.#served.secret(key));
    this.#upstreams = new Upstreams({ services: services.lister, slices: slices.lister, clock });
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, logger } = this.#deps;
    const { accessLogPath } = this.#options;
    let accessLog: AccessLog | undefined;
    try {
      await this.#watchEndpoints(signal);
      await this.#served.synced(signal);
      this.#changed();
      await this.#rebuilding;
      if (accessLogPath !== undefined) accessLog = await openAccessLog(accessLogPath, { clock, logger });
      await this.#listen(accessLog);
      ready();
      await aborted(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#cancelSweep?.();
      await Promise.all(this.#listeners.map((listener) => listener.close(GRACE_MS)));
      this.#connections.close();
      await accessLog?.close();
    }
  }

  async #watchEndpoints(signal: AbortSignal): Promise<void> {
    const { informers } = this.#deps;
    const services = informers.for(resources.services);
    const slices = informers.for(resources.endpointslices);
    const changed = (keys: readonly string[]): void => {
      for (const key of keys) this.#upstreams.changed(key);
      this.#sweepLater();
    };
    const byName = (service: DeepReadonly<Service>): void => changed([keyOf(service)]);
    const byLabel = (slice: DeepReadonly<EndpointSlice>): void => changed(sliceServiceKey(slice));
    const stopServices = services.addHandler({ onAdd: byName, onUpdate: byName, onDelete: byName });
    const stopSlices = slices.addHandler({ onAdd: byLabel, onUpdate: byLabel, onDelete: byLabel });
    signal.addEventListener('abort', stopServices, { once: true });
    signal.addEventListener('abort', stopSlices, { once: true });
    await services.synced(signal);
    await slices.synced(signal);
  }

  async #listen(accessLog: AccessLog | undefined): Promise<void> {
    const { http, https } = this.#options;
    const { clock, metrics, random = Math.random, defaultCertificate, listening } = this.#deps;
    const connections = (): number => this.#listeners.reduce((sum, listener) => sum + listener.connections(), 0);
    const gateway = new Gateway(
      { httpsPort: https.port },
      {
        table: () => this.#table,
        upstreams: this.#upstreams,
        connections: this.#connections,
        basicAuth: new BasicAuth((key) => this.#served.secret(key)),
        metrics: createIngressMetrics(metrics, connections),
        accessLog,
        clock,
        random,
      },
    );
    const plain = await this.#open(http, () => listenHTTP(http.port, { gateway, clock }));
    const secure = await this.#open(https, async () =>
      listenHTTPS(https.port, this.#certificates, await defaultCertificate(), { gateway, clock }),
    );
    listening?.({
      ...(plain === undefined ? {} : { http: plain.port }),
      ...(secure === undefined ? {} : { https: secure.port }),
    });
  }

  async #open({ port, chosen }: PortOption, listen: () => Promise<Listener>): Promise<Listener | undefined> {
    try {
      const listener = await listen();
      this.#listeners.push(listener);
      return listener;
    } catch (error) {
      if (chosen || errnoCode(error) !== 'EADDRINUSE') throw error;
      this.#deps.logger.warn({ port }, 'the port is in use; Ingresses are not served on it until the next start');
      return undefined;
    }
  }

  #changed(): void {
    this.#dirty = true;
    this.#rebuilding ??= this.#rebuild().finally(() => {
      this.#rebuilding = undefined;
    });
  }

  /** Changes that come together are taken up together. */
  async #rebuild(): Promise<void> {
    while (this.#dirty) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.#dirty = false;
      const ingresses = this.#served.list();
      if (needsRegex(ingresses)) this.#compile ??= await loadRegexCompiler();
      this.#table = buildTable(ingresses, this.#compile ?? NOT_NEEDED).table;
      this.#certificates.update(ingresses);
      // Asked for now, so that they are there when the first request comes.
      for (const ingress of ingresses) this.#served.usersOf(ingress);
      this.#upstreams.keepOnly(namedServices(ingresses));
      this.#sweepLater();
    }
  }

  #sweepLater(): void {
    this.#cancelSweep ??= this.#deps.clock.after(SWEEP_MS, () => {
      this.#cancelSweep = undefined;
      this.#connections.keepOnly(this.#upstreams.authorities());
    });
  }
}
