import { resources } from '../../api/generated/resources.ts';
import type { Clock } from '../../base/clock.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { ObjectReader, RequestInfo } from '../contract.ts';
import { PlainTextError } from '../request/plain-text-error.ts';
import { isLongRunning } from '../request/request-info.ts';
import { CATCH_ALL } from './bootstrap-objects.ts';
import {
  distinguisherOf,
  effectiveObjects,
  type Level,
  levelLimits,
  type Schema,
  SchemaMatcher,
} from './configuration.ts';
import { FlowMetrics } from './flow-metrics.ts';
import { type Arrival, type FlowRequest, PriorityLevel, type RefusalReason, type Release } from './priority-level.ts';
import { estimateWork, type ResourceStatistics } from './work-estimate.ts';

export interface FairnessOptions {
  /** How many seats there are in all: requests under way, reading and writing. */
  readonly seats: number;
}

export interface FairnessDeps {
  readonly reader: ObjectReader;
  /** undefined: not stored here. */
  readonly statistics: (info: RequestInfo) => ResourceStatistics | undefined;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Which schema and level a request belongs to: they go into the answer's headers, also of a refusal. */
export interface Classification {
  readonly schemaUID: string;
  readonly levelUID: string;
}

/** A place among the requests under way. */
export interface Admission extends Classification {
  release(): void;
}

/** A request that finds no place: 429 with Retry-After. */
export class TooBusy extends PlainTextError {
  readonly classification: Classification;

  constructor(classification: Classification) {
    const message = 'Too many requests, please try again later.';
    super(429, 'TooManyRequests', message, `${message}\n`, { retryAfterSeconds: 1 });
    this.classification = classification;
  }
}

/** Priority and fairness: who of those who want something at once is served first. Corresponds to upstream's APF filter. */
export class Fairness {
  readonly #options: FairnessOptions;
  readonly #deps: FairnessDeps;
  readonly #levels = new Map<string, PriorityLevel>();
  readonly #metrics: FlowMetrics;
  #matcher: SchemaMatcher | undefined;
  /** Whether the objects changed since the matcher was made. */
  #stale = true;

  constructor(options: FairnessOptions, deps: FairnessDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#metrics = new FlowMetrics(deps.metrics, this.#levels);
  }

  /** Begins to follow the stored objects. Returns the removal. */
  start(): () => void {
    const changed = (): void => {
      this.#stale = true;
    };
    const stops = [
      this.#deps.reader.onChange(resources.flowschemas, changed),
      this.#deps.reader.onChange(resources.prioritylevelconfigurations, changed),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  get levels(): Iterable<PriorityLevel> {
    this.#matcherNow();
    return this.#levels.values();
  }

  /** A place at once or after a wait; undefined for streams, which take none. Throws or rejects with TooBusy. */
  enter(arrival: Arrival): Admission | undefined | Promise<Admission> {
    const { info, user, query } = arrival;
    if (info.verb !== 'watch' && isLongRunning(info)) return undefined;
    const schema = this.#matcherNow().match(info, user);
    const level = this.#levels.get(schema?.spec.priorityLevelConfiguration.name ?? CATCH_ALL);
    if (level === undefined) return undefined;
    const seats = level.limits.exempt ? this.#options.seats : level.limits.nominal;
    const request: FlowRequest = {
      schema: schema?.metadata.name ?? CATCH_ALL,
      distinguisher: schema === undefined ? '' : distinguisherOf(schema, info, user),
      work: estimateWork(info, query, seats, this.#deps.statistics),
      arrival,
    };
    const schemaUID = schema?.metadata.uid ?? '';
    const entered = level.enter(request);
    if (!(entered instanceof Promise)) return this.#admitted(entered, schemaUID, level, request);
    const queuedMs = this.#deps.clock.monotonic();
    return entered.then((outcome) => {
      this.#metrics.waited(level, request, typeof outcome === 'function', this.#deps.clock.monotonic() - queuedMs);
      return this.#admitted(outcome, schemaUID, level, request);
    });
  }

  #admitted(
    outcome: Release | RefusalReason,
    schemaUID: string,
    level: PriorityLevel,
    request: FlowRequest,
  ): Admission {
    const levelUID = level.limits.uid;
    if (typeof outcome === 'function') {
      this.#metrics.dispatched(level, request);
      return { schemaUID, levelUID, release: outcome };
    }
    this.#metrics.rejected(level, request, outcome);
    throw new TooBusy({ schemaUID, levelUID });
  }

  #matcherNow(): SchemaMatcher {
    if (this.#matcher !== undefined && !this.#stale) return this.#matcher;
    this.#stale = false;
    const { reader, clock } = this.#deps;
    const { schemas, levels } = effectiveObjects(
      reader.list(resources.flowschemas) as Iterable<Schema>,
      reader.list(resources.prioritylevelconfigurations) as Iterable<Level>,
    );
    const limits = levelLimits(levels, this.#options.seats);
    for (const name of this.#levels.keys()) if (!limits.some((one) => one.name === name)) this.#levels.delete(name);
    for (const one of limits) {
      const known = this.#levels.get(one.name);
      if (known !== undefined) known.configure(one);
      else {
        const deps = {
          clock,
          spareSeats: (level: PriorityLevel) => this.#spareSeats(level),
          freed: () => this.#dispatch(),
        };
        this.#levels.set(one.name, new PriorityLevel(one, deps));
      }
    }
    this.#matcher = new SchemaMatcher(schemas, levels);
    return this.#matcher;
  }

  /** What the other levels would lend, less what is borrowed already. */
  #spareSeats(asking: PriorityLevel): number {
    let spare = 0;
    for (const level of this.#levels.values()) {
      const { nominal, lendable, exempt } = level.limits;
      const free = nominal - level.seatsInUse;
      if (free < 0 && !exempt) spare += free;
      else if (free > 0 && level !== asking) spare += Math.min(lendable, free);
    }
    return spare;
  }

  #dispatch(): void {
    for (const level of this.#levels.values()) level.dispatch();
  }
}
