import { linkedController } from '../../base/abort.ts';
import type { Component } from '../../base/lifecycle.ts';

/** So many register at a time: a server that gets a thousand at once answers none of them soon. */
const STARTING = 16;

/** Runs components side by side, started a few at a time. Ready when all are; fails as a whole when one fails. */
export function startedInTurn(name: string, components: readonly Component[]): Component {
  return {
    name,
    async run(signal, ready) {
      const { controller, unlink } = linkedController(signal);
      const failed = Promise.withResolvers<never>();
      const running: Promise<void>[] = [];
      let next = 0;
      const start = async (): Promise<void> => {
        for (let i = next++; i < components.length && !controller.signal.aborted; i = next++) {
          const started = Promise.withResolvers<void>();
          const done = components[i]?.run(controller.signal, started.resolve) ?? Promise.resolve();
          running.push(done);
          done.then(started.resolve, failed.reject);
          await started.promise;
        }
      };
      try {
        const all = Promise.all(Array.from({ length: STARTING }, start));
        await Promise.race([all, failed.promise]);
        if (!controller.signal.aborted) ready();
        await Promise.race([Promise.all(running), failed.promise]);
      } finally {
        controller.abort();
        unlink();
        await Promise.allSettled(running);
      }
    },
  };
}
