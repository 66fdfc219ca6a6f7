import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { APIService } from '../../api/generated/types.ts';
import type { Draft } from '../../api/object.ts';
import { aborted } from '../../base/abort.ts';
import { Backoff } from '../../base/backoff.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { Counter, Gauge, type Metrics } from '../../base/metrics.ts';
import type { Client } from '../../client/client.ts';
import type { ObjectReader } from '../contract.ts';
import { type Availability, checkObjects, failedCheck, LOCAL, PASSED, withAvailability } from './availability.ts';
import { type RemoteFetchDeps, remoteFetch } from './remote-fetch.ts';
import type { RemoteService, RemoteServices } from './remote-services.ts';

export interface AvailabilityDeps extends RemoteFetchDeps {
  readonly reader: ObjectReader;
  readonly client: Client;
  readonly services: RemoteServices;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Aggregated servers are asked again after this time, since a network may fail without any object saying so. */
const RECHECK_MS = 30_000;
const RETRY = { initialMs: 50, maxMs: 30_000 };
const ATTEMPTS = 5;

interface Check {
  readonly backoff: Backoff;
  isRunning: boolean;
  /** Something changed while a check was under way. */
  isStale: boolean;
  cancel: () => void;
}

/** Keeps the condition Available of APIServices. Each is checked by itself: one that hangs holds up nobody. */
export class AvailabilityController implements Component {
  readonly name = 'apiservice-availability';
  readonly #deps: AvailabilityDeps;
  readonly #checks = new Map<string, Check>();
  readonly #gauge: Gauge;
  readonly #failures: Counter;

  constructor(deps: AvailabilityDeps) {
    this.#deps = deps;
    this.#gauge = new Gauge({
      name: 'aggregator_unavailable_apiservice',
      help: 'Whether an APIService is unavailable (1) or available (0)',
      labelNames: ['name'],
      registers: [deps.metrics],
    });
    this.#failures = new Counter({
      name: 'aggregator_unavailable_apiservice_total',
      help: 'How often an APIService became unavailable, by reason',
      labelNames: ['name', 'reason'],
      registers: [deps.metrics],
    });
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { reader } = this.#deps;
    const check = (name: string): void => void this.#check(name, signal);
    const ofService = (namespace: string | undefined, name: string | undefined): void => {
      for (const remote of this.#deps.services.all())
        if (remote.service.namespace === namespace && remote.service.name === name) check(remote.name);
    };
    const stops = [
      reader.onChange(resources.apiservices, ({ metadata }) => check(metadata.name ?? '')),
      reader.onChange(resources.services, ({ metadata }) => ofService(metadata.namespace, metadata.name)),
      reader.onChange(resources.endpointslices, ({ metadata }) =>
        ofService(metadata.namespace, metadata.labels?.['kubernetes.io/service-name']),
      ),
    ];
    for (const { metadata } of reader.list(resources.apiservices)) check(metadata.name ?? '');
    ready();
    await aborted(signal);
    for (const stop of stops) stop();
    for (const { cancel } of this.#checks.values()) cancel();
  }

  async #check(name: string, signal: AbortSignal): Promise<void> {
    const check = this.#checkOf(name);
    if (check.isRunning) {
      check.isStale = true;
      return;
    }
    check.cancel();
    check.isRunning = true;
    let againMs: number | undefined;
    try {
      againMs = await this.#reconcile(name, check.backoff, signal);
    } catch (error) {
      againMs = isStatusError(error, 'Conflict') ? 1 : check.backoff.next();
      if (!signal.aborted && !isStatusError(error, 'Conflict') && !isStatusError(error, 'NotFound'))
        this.#deps.logger.warn({ apiService: name, err: error }, 'availability of an APIService is not recorded');
    }
    check.isRunning = false;
    if (signal.aborted) return;
    if (check.isStale) {
      check.isStale = false;
      void this.#check(name, signal);
    } else if (againMs !== undefined) {
      check.cancel = this.#deps.clock.after(againMs, () => void this.#check(name, signal));
    } else if (this.#deps.reader.get(resources.apiservices, { name }) === undefined) {
      this.#checks.delete(name);
      this.#gauge.remove(name);
    }
  }

  #checkOf(name: string): Check {
    let check = this.#checks.get(name);
    if (check === undefined) {
      check = { backoff: new Backoff(RETRY), isRunning: false, isStale: false, cancel: () => {} };
      this.#checks.set(name, check);
    }
    return check;
  }

  /** Returns when to check again, undefined: when something changes. */
  async #reconcile(name: string, backoff: Backoff, signal: AbortSignal): Promise<number | undefined> {
    const { reader, services } = this.#deps;
    const object = reader.get(resources.apiservices, { name });
    if (object === undefined) return undefined;
    const remote = services.find(object.spec?.group ?? '', object.spec?.version ?? '');
    if (remote === undefined || object.spec?.service === undefined) {
      await this.#record(object, LOCAL, signal);
      return undefined;
    }
    const known = checkObjects(object.spec.service, reader);
    const availability = known ?? (await this.#ask(remote, signal));
    if (signal.aborted) return undefined;
    await this.#record(object, availability, signal);
    if (availability === PASSED) backoff.reset();
    return known === undefined && availability !== PASSED ? backoff.next() : RECHECK_MS;
  }

  /** One good answer of several is enough: a server may have an instance that is on its way out. */
  async #ask(remote: RemoteService, signal: AbortSignal): Promise<Availability> {
    const { group, version } = remote;
    const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const ask = async (): Promise<void> => {
      const { code } = await remoteFetch(remote, { path, maxBytes: 0 }, this.#deps, signal);
      if (code < 200 || code >= 300) throw new Error(`bad status from ${remote.serverName}${path}: ${code}`);
    };
    try {
      await Promise.any(Array.from({ length: ATTEMPTS }, ask));
      return PASSED;
    } catch (error) {
      const last = error instanceof AggregateError ? (error.errors.at(-1) as unknown) : error;
      const text = last instanceof Error ? last.message : String(last);
      return failedCheck(`failing or missing response from https://${remote.serverName}${path}: ${text}`);
    }
  }

  async #record(object: DeepReadonly<APIService>, availability: Availability, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#deps;
    this.#gauge.set({ name: object.metadata.name ?? '' }, availability.status === 'True' ? 0 : 1);
    const conditions = withAvailability(object.status?.conditions ?? [], availability, clock.now());
    if (conditions === undefined) return;
    if (availability.status !== 'True')
      this.#failures.inc({ name: object.metadata.name ?? '', reason: availability.reason });
    const changed = { ...object, status: { ...object.status, conditions } };
    await client.updateStatus(resources.apiservices, changed as Draft<APIService>, signal);
  }
}
