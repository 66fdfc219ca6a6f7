import { aborted } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Metrics } from '../../base/metrics.ts';
import { type CounterSeries, TallyCounter } from '../../base/tallies.ts';
import type { AuditEvent } from './event.ts';
import { type AuditPolicy, decide, type Level } from './policy.ts';
import { AuditRecord, type AuditSubject } from './record.ts';

/**
 * `batch`: events are delivered later, and what the sink cannot keep up with is dropped. `blocking`: who causes an event waits
 * until it is delivered, or has failed to be. `blocking-strict`: a request whose arrival cannot be recorded is not served.
 */
export type AuditMode = 'batch' | 'blocking' | 'blocking-strict';

/** Where events go. Taking one never throws. */
export interface AuditSink {
  /** What has to be waited for, by the mode of the sink; rejects with AuditFailure where that matters. */
  take(event: AuditEvent): Promise<void> | undefined;
  /** Delivers what was taken until `signal` aborts, then what is left as far as that goes at once. */
  run(signal: AbortSignal): Promise<void>;
}

/** A sink in the mode `blocking-strict` could not deliver an event. */
export class AuditFailure extends Error {}

export interface AuditorDeps {
  readonly policy: AuditPolicy;
  readonly sinks: readonly AuditSink[];
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Decides by the policy what is recorded of a request, and hands events to the sinks. It runs before and after the server. */
export class Auditor implements Component {
  readonly name = 'audit';
  readonly #deps: AuditorDeps;
  readonly #levels: Readonly<Record<Level, CounterSeries>>;
  readonly #events: CounterSeries;
  readonly #rejected: CounterSeries;

  constructor(deps: AuditorDeps) {
    this.#deps = deps;
    const levels = new TallyCounter(
      {
        name: 'apiserver_audit_level_total',
        help: 'Requests by the audit level that the policy gave them.',
        labelNames: ['level'],
      },
      deps.metrics,
    );
    this.#levels = {
      None: levels.labels({ level: 'None' }),
      Metadata: levels.labels({ level: 'Metadata' }),
      Request: levels.labels({ level: 'Request' }),
      RequestResponse: levels.labels({ level: 'RequestResponse' }),
    };
    const counter = (name: string, help: string): CounterSeries =>
      new TallyCounter({ name, help, labelNames: [] }, deps.metrics).labels({});
    this.#events = counter('apiserver_audit_event_total', 'Audit events that were handed to the sinks.');
    this.#rejected = counter(
      'apiserver_audit_requests_rejected_total',
      'Requests that were refused because their arrival could not be recorded.',
    );
  }

  /** The record of a request; undefined: nothing is recorded of it. */
  begin(subject: AuditSubject): AuditRecord | undefined {
    const decision = decide(this.#deps.policy, subject.info, subject.user);
    this.#levels[decision.level].inc();
    if (decision.level === 'None') return undefined;
    return new AuditRecord(subject, decision, {
      clock: this.#deps.clock,
      emit: (event) => this.#emit(event),
      rejected: () => this.#rejected.inc(),
    });
  }

  #emit(event: AuditEvent): Promise<void> | undefined {
    this.#events.inc();
    let waiting: Promise<void>[] | undefined;
    for (const sink of this.#deps.sinks) {
      const taken = sink.take(event);
      if (taken !== undefined) waiting = [...(waiting ?? []), taken];
    }
    return waiting && Promise.all(waiting).then(() => undefined);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    await Promise.all([aborted(signal), ...this.#deps.sinks.map((sink) => sink.run(signal))]);
  }
}
