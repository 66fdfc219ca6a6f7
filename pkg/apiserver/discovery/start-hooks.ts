import type { HealthCheck } from './health.ts';

/** What has to be done once after the start before the server counts as healthy (upstream's post-start hooks). */
export class StartHooks {
  readonly #pending: Set<string>;
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#pending = new Set(names);
  }

  done(name: string): void {
    this.#pending.delete(name);
  }

  checks(): HealthCheck[] {
    return this.#names.map((name) => ({
      name: `poststarthook/${name}`,
      check: () => (this.#pending.has(name) ? 'not finished' : undefined),
    }));
  }
}
