import { linkedController } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import type { Informer } from '../client/client.ts';

/**
 * Waits until all informers know what there is, but not longer than `ms`: another API server that hangs must not hold up what
 * concerns its objects only in part. Says whether they know.
 */
export async function syncedWithin(
  informers: readonly Informer<unknown>[],
  ms: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const hasSynced = (): boolean => informers.every((informer) => informer.hasSynced);
  if (hasSynced()) return true;
  const { controller, unlink } = linkedController(signal);
  const all = Promise.all(informers.map((informer) => informer.synced(controller.signal)));
  try {
    await Promise.race([all, clock.sleep(ms, controller.signal)]);
  } finally {
    unlink();
    all.catch(() => {});
    controller.abort();
  }
  signal.throwIfAborted();
  return hasSynced();
}
