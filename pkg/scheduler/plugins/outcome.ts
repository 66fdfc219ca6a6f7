import type { Clock } from '../../base/clock.ts';

export interface OutcomeLimits {
  readonly timeoutMs: number;
  /** What the error says when the time is over. */
  readonly timeoutMessage: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How what is waited for ends: well, or with an error. Only the first word counts. */
export interface Outcome {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Waits for what events decide: `watch` looks at them, tells the outcome and gives the function that ends its watching. Rejects
 * after `timeoutMs`, and with the signal's reason when that aborts.
 */
export async function outcomeOf(
  watch: (outcome: Outcome) => () => void,
  { timeoutMs, timeoutMessage, clock, signal }: OutcomeLimits,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = (): void => reject(signal.reason);
  const cancel = clock.after(timeoutMs, () => reject(new Error(timeoutMessage)));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const remove = watch({ resolve, reject });
  try {
    await promise;
  } finally {
    remove();
    cancel();
    signal.removeEventListener('abort', abort);
  }
}
