import { expect, it } from 'vitest';
import { FakeClock } from '../base/clock.ts';
import { ExpiryQueue } from './expiry-queue.ts';

it('reports keys when they fall due, with one timer', async () => {
  const clock = new FakeClock(0);
  const due: [number, readonly string[]][] = [];
  const queue = new ExpiryQueue(clock, (keys) => due.push([clock.now(), keys]));
  expect(clock.pending).toBe(0);
  queue.set('c', 300);
  queue.set('a', 100);
  queue.set('b', 200);
  queue.set('b2', 201);
  expect(clock.pending).toBe(1);
  queue.set('c', 400);
  queue.set('a', undefined);
  await clock.advance(350);
  expect(due).toEqual([
    [200, ['b']],
    [201, ['b2']],
  ]);
  await clock.advance(50);
  expect(due.slice(2)).toEqual([[400, ['c']]]);
  expect(clock.pending).toBe(0);
});

it('keeps order over many keys and rewrites', async () => {
  const clock = new FakeClock(0);
  const due: string[] = [];
  const queue = new ExpiryQueue(clock, (keys) => due.push(...keys));
  for (let i = 0; i < 500; i++) queue.set(`k${(i * 37) % 500}`, 1 + ((i * 37) % 500));
  for (let round = 0; round < 20; round++) for (let i = 0; i < 100; i++) queue.set(`k${i}`, 1000 + i + round);
  await clock.advance(500);
  expect(due).toEqual(Array.from({ length: 400 }, (_, i) => `k${i + 100}`));
  queue.stop();
  expect(clock.pending).toBe(0);
});
