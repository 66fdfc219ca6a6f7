import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { aborted } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';

/** Editors and ConfigMap volumes change a file in several steps. */
const SETTLE_MS = 100;

/**
 * Calls `changed` after the content of a file has become another than `text`, until `signal` aborts. It is the directory that is
 * watched, so that a file that is put in the place of the old one counts.
 */
export async function watchFile(
  file: string,
  text: string,
  changed: () => Promise<void>,
  deps: { readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  let last = text;
  let cancel: (() => void) | undefined;
  let running = Promise.resolve();
  const check = async (): Promise<void> => {
    const now = await readFile(file, 'utf8').catch(() => undefined);
    if (now === undefined || now === last || signal.aborted) return;
    last = now;
    await changed();
  };
  const watcher = watch(dirname(file), { persistent: false, signal });
  watcher.on('error', () => {});
  watcher.on('change', () => {
    cancel?.();
    cancel = deps.clock.after(SETTLE_MS, () => {
      running = running.then(check);
    });
  });
  await aborted(signal);
  cancel?.();
  await running;
}
