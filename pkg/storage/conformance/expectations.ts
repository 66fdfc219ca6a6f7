import { expect } from 'vitest';
import { type Store, StoreError, type StoreErrorCode, type StoreEvent, type WatchOptions } from '../contract.ts';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);

async function failure(promise: Promise<unknown>): Promise<StoreError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

export async function expectCode(promise: Promise<unknown>, code: StoreErrorCode): Promise<StoreError> {
  const error = await failure(promise);
  expect(error.code).toBe(code);
  return error;
}

/** `revision:type:key=value<previous`, for short expectations. */
export function brief(event: StoreEvent): string {
  const before = event.previous === undefined ? '' : `<${text(event.previous.value)}`;
  return event.type === 'put'
    ? `${event.revision}:put:${event.key}=${text(event.value)}${before}`
    : `${event.revision}:delete:${event.key}${before}`;
}

/** Watches until `count` events are there. */
export async function take(store: Store, options: WatchOptions, count: number): Promise<StoreEvent[]> {
  const abort = new AbortController();
  return collect(store.watch(options, abort.signal), count, abort);
}

export async function collect(
  watch: ReturnType<Store['watch']>,
  count: number,
  abort: AbortController,
): Promise<StoreEvent[]> {
  const events: StoreEvent[] = [];
  for await (const batch of watch) {
    events.push(...batch.events);
    const last = batch.events.at(-1);
    if (last !== undefined) expect(batch.revision).toBeGreaterThanOrEqual(last.revision);
    if (events.length >= count) abort.abort();
  }
  return events;
}

/** `key=value` of what a prefix has, at a revision or now. */
export async function keysAt(store: Store, prefix: string, revision?: number): Promise<string[]> {
  const { items } = await store.list({ prefix, ...(revision !== undefined && { revision }) });
  return items.map((item) => `${item.key}=${text(item.value)}`);
}
