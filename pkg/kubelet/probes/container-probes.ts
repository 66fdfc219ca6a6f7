import { type Clock, monotonicSince } from '../../base/clock.ts';
import type { Container, Probe } from '../types.ts';
import type { ProbeResult } from './probe.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface ContainerProbesDeps {
  readonly clock: Clock;
  readonly run: (probe: Probe) => Promise<ProbeResult>;
  /** A probe failed (or could not be run): what the Unhealthy event says. */
  readonly unhealthy: (message: string) => void;
  /** A probe succeeded in a way that is none: what the ProbeWarning event says. */
  readonly dubious: (message: string) => void;
  /** A probe was carried out, or could not be. */
  readonly counted: (kind: ProbeKind, result: 'successful' | 'failed' | 'unknown') => void;
  /** A settled result changed. */
  readonly changed: () => void;
}

/** One run of a container, for its probes. */
export interface ProbedRun {
  /** By the wall clock. */
  readonly startedAtMs: number;
  /** Monotonic: when the kubelet took the pod up. */
  readonly followedAtMs: number;
  /** What an earlier kubelet has told of this run; it holds until a probe says otherwise. */
  readonly before?: { readonly started: boolean; readonly ready: boolean };
}

const MAX_ATTEMPTS = 3;
const TITLES: Readonly<Record<ProbeKind, string>> = {
  startup: 'Startup',
  liveness: 'Liveness',
  readiness: 'Readiness',
};

/**
 * The probes of one run of one container. Results settle by upstream's thresholds; liveness and readiness wait for the
 * startup probe; nothing is probed any more once liveness or startup has failed. As upstream's, readiness is asked as soon as
 * it can matter, while liveness and startup keep a beat of their period, counted from when the pod was taken up: a process
 * that was just started is not asked before it can listen.
 */
export class ContainerProbes {
  readonly #container: Container;
  /** Monotonic. */
  readonly #startedAtMs: number;
  readonly #followedAtMs: number;
  readonly #deps: ContainerProbesDeps;
  readonly #cancels = new Map<ProbeKind, () => void>();
  readonly #settled = new Map<ProbeKind, boolean>();
  readonly #streaks = new Map<ProbeKind, { ok: boolean; count: number }>();
  #stopped = false;

  constructor(container: Container, run: ProbedRun, deps: ContainerProbesDeps) {
    this.#container = container;
    this.#startedAtMs = monotonicSince(deps.clock, run.startedAtMs);
    this.#followedAtMs = run.followedAtMs;
    this.#deps = deps;
    if (run.before?.started === true) this.#settled.set('startup', true);
    if (run.before?.ready === true) this.#settled.set('readiness', true);
    for (const kind of ['startup', 'liveness', 'readiness'] as const) {
      const probe = this.#probe(kind);
      if (probe !== undefined && !(kind === 'startup' && this.started))
        this.#schedule(kind, probe, this.#firstDelayMs(kind, probe));
    }
  }

  get started(): boolean {
    return this.#probe('startup') === undefined || this.#settled.get('startup') === true;
  }

  get ready(): boolean {
    return this.started && (this.#probe('readiness') === undefined || this.#settled.get('readiness') === true);
  }

  get livenessFailed(): boolean {
    return this.#settled.get('liveness') === false;
  }

  get startupFailed(): boolean {
    return this.#settled.get('startup') === false;
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  /** Liveness and startup probes no longer matter to a pod that ends; readiness still does. */
  stopLiveness(): void {
    for (const kind of ['liveness', 'startup'] as const) {
      this.#cancels.get(kind)?.();
      this.#cancels.delete(kind);
    }
  }

  #probe(kind: ProbeKind): Probe | undefined {
    return this.#container[`${kind}Probe`];
  }

  #firstDelayMs(kind: ProbeKind, probe: Probe): number {
    const now = this.#deps.clock.monotonic();
    const due = Math.max(now, this.#startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000);
    if (kind === 'readiness') return due - now;
    const periodMs = periodOf(probe);
    const beats = Math.max(1, Math.ceil((due - this.#followedAtMs) / periodMs));
    return this.#followedAtMs + beats * periodMs - now;
  }

  #schedule(kind: ProbeKind, probe: Probe, delayMs: number): void {
    this.#cancels.set(
      kind,
      this.#deps.clock.after(delayMs, () => {
        this.#tick(kind, probe).catch((error: unknown) => this.#deps.unhealthy(String(error)));
      }),
    );
  }

  async #tick(kind: ProbeKind, probe: Probe): Promise<void> {
    const periodMs = periodOf(probe);
    if (kind !== 'startup' && !this.started) {
      // It is woken when the startup probe succeeds.
      this.#cancels.delete(kind);
      return;
    }
    const began = this.#deps.clock.monotonic();
    const result = await this.#attempt(kind, probe);
    if (this.#stopped) return;
    this.#deps.counted(kind, result === undefined ? 'unknown' : result.ok ? 'successful' : 'failed');
    if (result !== undefined) this.#count(kind, probe, result.ok);
    if (this.startupFailed || this.livenessFailed || (kind === 'startup' && this.started)) return;
    const took = this.#deps.clock.monotonic() - began;
    this.#schedule(kind, probe, Math.max(0, periodMs - (took % periodMs)));
  }

  async #attempt(kind: ProbeKind, probe: Probe): Promise<ProbeResult | undefined> {
    let failure: unknown;
    for (let tries = 0; tries < MAX_ATTEMPTS && !this.#stopped; tries++) {
      try {
        const result = await this.#deps.run(probe);
        if (result.warning !== undefined && !this.#stopped)
          this.#deps.dubious(`${TITLES[kind]} probe warning: ${result.warning}`);
        if (!result.ok && !this.#stopped) this.#deps.unhealthy(`${TITLES[kind]} probe failed: ${result.output}`);
        return result;
      } catch (error) {
        failure = error;
      }
    }
    if (!this.#stopped) {
      const text = failure instanceof Error ? failure.message : String(failure);
      this.#deps.unhealthy(`${TITLES[kind]} probe errored and resulted in unknown state: ${text}`);
    }
    return undefined;
  }

  #count(kind: ProbeKind, probe: Probe, ok: boolean): void {
    const before = this.#streaks.get(kind);
    const count = before?.ok === ok ? before.count + 1 : 1;
    this.#streaks.set(kind, { ok, count });
    const threshold = ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
    if (count < threshold || this.#settled.get(kind) === ok) return;
    this.#settled.set(kind, ok);
    if (kind === 'startup' && ok) {
      for (const waiting of ['liveness', 'readiness'] as const) {
        const other = this.#probe(waiting);
        if (other !== undefined && !this.#cancels.has(waiting))
          this.#schedule(waiting, other, this.#firstDelayMs(waiting, other));
      }
    }
    this.#deps.changed();
  }
}

function periodOf(probe: Probe): number {
  return (probe.periodSeconds ?? 10) * 1000;
}
