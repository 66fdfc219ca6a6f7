import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { threadedYAML } from './yaml-reader.ts';

const THREAD = join(import.meta.dirname, '../../../cmd/kube-lite/yaml-thread.ts');

function setup() {
  const clock = new FakeClock();
  const spawned: Worker[] = [];
  const spawn = (): Worker => {
    const worker = new Worker(THREAD, { resourceLimits: { maxOldGenerationSizeMb: 64 } });
    spawned.push(worker);
    return worker;
  };
  return { clock, spawned, read: threadedYAML({ spawn, clock }), end: () => clock.advance(30_000) };
}

const long = (head: string): string => head + Array.from({ length: 500 }, (_, i) => `key-${i}: yes`).join('\n');

test('short documents and JSON need no thread', async () => {
  const { spawned, read } = setup();
  expect(await read('a: 0777\nb: yes')).toEqual({ value: { a: 0o777, b: true }, duplicates: [] });
  const value = { text: 'x'.repeat(10_000) };
  expect(await read(JSON.stringify(value))).toEqual({ value, duplicates: [] });
  expect(spawned).toHaveLength(0);
});

test('long documents are read elsewhere, with the same results', async () => {
  const { spawned, read, end } = setup();
  const { value, duplicates } = await read(long('key-7: no\n'));
  expect(value).toMatchObject({ 'key-7': true, 'key-499': true });
  expect(duplicates).toEqual(['line 9: key "key-7" already set in map']);
  await expect(read(long('a: b: c\n'))).rejects.toMatchObject({
    name: 'DecodeError',
    code: 'syntax',
    message: 'error converting YAML to JSON: yaml: line 1: mapping values are not allowed in this context',
  });
  expect(spawned).toHaveLength(1);
  await end();
});

test('what takes too much memory or time', async () => {
  const { clock, spawned, read, end } = setup();
  const error = { name: 'DecodeError', message: expect.stringContaining('too much time or memory') };
  await expect(read('- a: b\n'.repeat(200_000))).rejects.toMatchObject(error);
  const slow = expect(read(long(''))).rejects.toMatchObject(error);
  await clock.advance(30_000);
  await slow;
  expect(spawned).toHaveLength(2);
  await end();
});

test('too many at once', async () => {
  const { read, end } = setup();
  const texts = Array.from({ length: 18 }, (_, i) => long(`n: ${i}\n`));
  const results = await Promise.allSettled(texts.map((text) => read(text)));
  expect(results.map(({ status }) => status === 'fulfilled')).toEqual([...Array(17).fill(true), false]);
  expect(results[17]).toMatchObject({ reason: { status: { code: 429, reason: 'TooManyRequests' } } });
  await end();
});
