import { expect, test } from 'vitest';
import { PullQueue } from './pull-queue.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function started() {
  const names: string[] = [];
  const ends = new Map<string, () => void>();
  const work =
    (name: string) =>
    (signal: AbortSignal): Promise<string> => {
      names.push(name);
      return new Promise((resolve, reject) => {
        ends.set(name, () => resolve(name));
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    };
  return { names, ends, work };
}

test('equal pulls are one; a pull outlives the one who asked first', async () => {
  const queue = new PullQueue<string>();
  const { names, ends, work } = started();
  const first = new AbortController();
  const second = new AbortController();
  const lost = queue.run('a', work('a'), first.signal);
  const kept = queue.run('a', work('a'), second.signal);
  first.abort();
  await expect(lost).rejects.toThrow();
  ends.get('a')?.();
  expect(await kept).toBe('a');
  expect(names).toEqual(['a']);
});

test('when nobody waits any more the pull ends, and the next one starts anew', async () => {
  const queue = new PullQueue<string>(1);
  const { names, ends, work } = started();
  const only = new AbortController();
  const lost = queue.run('a', work('a'), only.signal);
  only.abort();
  await expect(lost).rejects.toThrow();
  const again = queue.run('a', work('a'), new AbortController().signal);
  await settle();
  ends.get('a')?.();
  expect(await again).toBe('a');
  expect(names).toEqual(['a', 'a']);
});

test('no more than the limit at a time, in order; a failure gives its place on', async () => {
  const queue = new PullQueue<string>(1);
  const { names, ends, work } = started();
  const signal = new AbortController().signal;
  const failing = queue.run('a', () => Promise.reject(new Error('no')), signal);
  const b = queue.run('b', work('b'), signal);
  const c = queue.run('c', work('c'), signal);
  await expect(failing).rejects.toThrow('no');
  await settle();
  expect(names).toEqual(['b']);
  ends.get('b')?.();
  await b;
  await settle();
  expect(names).toEqual(['b', 'c']);
  ends.get('c')?.();
  expect(await c).toBe('c');
});
