import { isAbortError, linkedController } from './abort.ts';
import { AggregateFailure } from './errors.ts';
import type { Logger } from './logger.ts';

/**
 * A part of the process that runs until it is told to stop.
 *
 * `run` settles when the component has ended: it resolves after `signal` aborts, and rejects when the component
 * cannot go on. `ready` is called once, when others may rely on the component.
 */
export interface Component {
  readonly name: string;
  run(signal: AbortSignal, ready: () => void): Promise<void>;
}

export interface GroupDeps {
  readonly logger: Logger;
}

/** Ordered start, reverse stop. Fails as a whole when one member fails. */
export class Group implements Component {
  readonly name: string;
  readonly #components: readonly Component[];
  readonly #deps: GroupDeps;

  constructor(name: string, components: readonly Component[], deps: GroupDeps) {
    this.name = name;
    this.#components = components;
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const running: { name: string; controller: AbortController; done: Promise<void> }[] = [];
    const failures: Error[] = [];
    let reportFailure: () => void = () => {};
    const failed = new Promise<void>((resolve) => {
      reportFailure = resolve;
    });
    let stopListening: () => void = () => {};
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      const onAbort = (): void => resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      stopListening = () => signal.removeEventListener('abort', onAbort);
    });
    let stopping = false;
    for (const component of this.#components) {
      if (signal.aborted || failures.length > 0) break;
      const controller = new AbortController();
      const started = Promise.withResolvers<void>();
      const done = component
        .run(controller.signal, () => started.resolve())
        .then(
          () => {
            if (!stopping) {
              failures.push(new Error(`${component.name} ended before it was told to stop`));
              reportFailure();
            }
          },
          (error: unknown) => {
            // Told to stop while it still started: what it waited for says so by an error.
            if (controller.signal.aborted && isAbortError(error)) return;
            failures.push(new Error(`${component.name} failed`, { cause: error }));
            reportFailure();
          },
        );
      running.push({ name: component.name, controller, done });
      await Promise.race([started.promise, failed, stopped]);
      if (!signal.aborted && failures.length === 0)
        this.#deps.logger.debug({ part: component.name }, 'component ready');
    }
    if (!signal.aborted && failures.length === 0) {
      ready();
      await Promise.race([failed, stopped]);
    }
    stopping = true;
    stopListening();
    for (const member of running.reverse()) {
      member.controller.abort();
      await member.done;
    }
    if (failures.length === 1 && failures[0] !== undefined) throw failures[0];
    if (failures.length > 1) throw new AggregateFailure(this.name, failures);
  }
}

/** Wraps a plain function as a component. */
export function component(name: string, run: Component['run']): Component {
  return { name, run };
}

/**
 * Runs `children` side by side; all are stopped when one fails or `signal` aborts. Rejects with the first failure.
 */
export async function runTogether(
  signal: AbortSignal,
  children: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const { controller, unlink } = linkedController(signal);
  try {
    await Promise.all(
      children.map(async (child) => {
        try {
          await child(controller.signal);
        } catch (error) {
          controller.abort();
          throw error;
        }
      }),
    );
  } finally {
    unlink();
  }
}
