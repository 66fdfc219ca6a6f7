import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';

const CHECK_MS = 60_000;
/** Less is the slow correction of a clock that runs well. */
const NOTICED_MS = 5_000;

export interface ClockWatchDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The wall clock was set: what ends at a time of day (tokens do) may be over, or must be made anew. */
  readonly wasSet: () => void;
}

/** Notices that somebody sets the wall clock. Timers do not: they run by the monotonic one. */
export class ClockWatch implements Component {
  readonly name = 'clock-watch';
  readonly #deps: ClockWatchDeps;

  constructor(deps: ClockWatchDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const { clock, logger, wasSet } = this.#deps;
    let offsetMs = clock.now() - clock.monotonic();
    while (!signal.aborted) {
      await clock.sleep(CHECK_MS, signal);
      const nowMs = clock.now() - clock.monotonic();
      const byMs = Math.round(nowMs - offsetMs);
      offsetMs = nowMs;
      if (signal.aborted || Math.abs(byMs) < NOTICED_MS) continue;
      logger.warn({ byMs }, 'the wall clock was set');
      wasSet();
    }
  }
}
