import { expect, test } from 'vitest';
import { FakeClock } from '../base/clock.ts';
import { RequestQueue } from './work-queue.ts';

const a = { namespace: 'x', name: 'a' };
const b = { namespace: 'x', name: 'b' };
const signal = new AbortController().signal;

test('hands out distinct requests; one that is worked on comes again after done', async () => {
  const queue = new RequestQueue({ clock: new FakeClock() });
  queue.add(a);
  queue.add(a);
  queue.add(b);
  expect(queue.size).toBe(2);
  expect(await queue.next(signal)).toBe(a);
  queue.add(a);
  expect(await queue.next(signal)).toBe(b);
  let third: unknown;
  void queue.next(signal).then((request) => {
    third = request;
  });
  await Promise.resolve();
  expect(third).toBeUndefined();
  queue.done(a);
  await new Promise((resolve) => setImmediate(resolve));
  expect(third).toBe(a);
});

test('delays by one timer, earliest first; a key is due at its earliest time', async () => {
  const clock = new FakeClock();
  const queue = new RequestQueue({ clock });
  queue.addAfter(a, 500);
  queue.addAfter(b, 100);
  queue.addAfter(a, 50);
  queue.addAfter(a, 900);
  expect(clock.pending).toBe(1);
  await clock.advance(50);
  expect(queue.size).toBe(1);
  expect(await queue.next(signal)).toBe(a);
  queue.done(a);
  await clock.advance(50);
  expect(await queue.next(signal)).toBe(b);
  await clock.advance(2000);
  expect(queue.size).toBe(0);
  expect(clock.pending).toBe(0);
});

test('backs off per request: 5 ms doubled, until forgotten', async () => {
  const clock = new FakeClock();
  const queue = new RequestQueue({ clock });
  const waits: number[] = [];
  for (let i = 0; i < 5; i++) {
    const from = clock.now();
    if (i === 4) queue.forget(a);
    queue.addRateLimited(a);
    while (queue.size === 0) await clock.advance(1);
    waits.push(clock.now() - from);
    await queue.next(signal);
    queue.done(a);
  }
  expect(waits.map((ms) => Math.ceil(ms / 5) * 5)).toEqual([5, 10, 20, 40, 5]);
});

test('many delayed requests come in the order of their times', async () => {
  const clock = new FakeClock();
  const queue = new RequestQueue({ clock });
  const delays = Array.from({ length: 200 }, (_, i) => ((i * 7919) % 1000) + 10);
  for (const [i, delay] of delays.entries()) queue.addAfter({ namespace: '', name: `${i}` }, delay);
  await clock.advance(2000);
  const order: number[] = [];
  while (queue.size > 0) {
    const request = await queue.next(signal);
    order.push(delays[Number(request?.name)] ?? -1);
  }
  expect(order).toEqual(delays.toSorted((x, y) => x - y));
});

test('waiting ends when the signal aborts', async () => {
  const stop = new AbortController();
  const next = new RequestQueue({ clock: new FakeClock() }).next(stop.signal);
  stop.abort();
  expect(await next).toBeUndefined();
});
