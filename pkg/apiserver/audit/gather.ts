import { linkedController } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { EventBuffer } from './event-buffer.ts';

/** Waits until a buffer has a batch of events, but not longer than `maxWaitMs`. */
export async function gather(
  buffer: EventBuffer,
  maxEvents: number,
  maxWaitMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if (maxWaitMs <= 0 || buffer.size >= maxEvents) return;
  const { controller, unlink } = linkedController(signal);
  const cancel = clock.after(maxWaitMs, () => controller.abort());
  await buffer.filled(maxEvents, controller.signal);
  cancel();
  unlink();
}
