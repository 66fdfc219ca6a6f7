/** Exponential back-off: `initialMs`, times `factor` each failure, at most `maxMs`. */
export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor?: number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  get failures(): number {
    return this.#failures;
  }

  /** The wait before the next try, in milliseconds. */
  next(): number {
    const { initialMs, maxMs, factor = 2 } = this.#options;
    const wait = Math.min(maxMs, initialMs * factor ** this.#failures);
    this.#failures++;
    return wait;
  }

  reset(): void {
    this.#failures = 0;
  }
}
