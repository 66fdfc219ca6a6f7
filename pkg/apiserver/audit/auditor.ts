import { aborted } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/lifecycle.ts';
import { Counter, type Metrics } from '../../base/metrics.ts';
import type { AuditEvent } from './event.ts';
import { type AuditPolicy, decide } from './policy.ts';
import { AuditRecord, type AuditSubject } from './record.ts';

/** Where events go. Taking one never waits and never throws: a sink that cannot keep up drops, and counts what it drops. */
export interface AuditSink {
  take(event: AuditEvent): void;
  /** Delivers what was taken until `signal` aborts, then what is left as far as that goes at once. */
  run(signal: AbortSignal): Promise<void>;
}

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
  readonly #levels: Counter;
  readonly #events: Counter;

  constructor(deps: AuditorDeps) {
    this.#deps = deps;
    const registers = [deps.metrics];
    this.#levels = new Counter({
      name: 'apiserver_audit_level_total',
      help: 'Requests by the audit level that the policy gave them.',
      labelNames: ['level'],
      registers,
    });
    this.#events = new Counter({
      name: 'apiserver_audit_event_total',
      help: 'Audit events that were handed to the sinks.',
      registers,
    });
  }

  /** The record of a request; undefined: nothing is recorded of it. */
  begin(subject: AuditSubject): AuditRecord | undefined {
    const decision = decide(this.#deps.policy, subject.info, subject.user);
    this.#levels.inc({ level: decision.level });
    if (decision.level === 'None') return undefined;
    return new AuditRecord(subject, decision, {
      clock: this.#deps.clock,
      emit: (event) => {
        this.#events.inc();
        for (const sink of this.#deps.sinks) sink.take(event);
      },
    });
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    await Promise.all([aborted(signal), ...this.#deps.sinks.map((sink) => sink.run(signal))]);
  }
}
