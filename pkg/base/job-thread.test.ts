import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { FakeClock } from './clock.ts';
import { JobThread } from './job-thread.ts';

const SOURCE = `
const { parentPort } = require('node:worker_threads');
import(${JSON.stringify(join(import.meta.dirname, 'job-thread.ts'))}).then(({ serveJobs }) => serveJobs(parentPort, (input) => {
  if (input === 'loop') for (;;);
  if (input === 'grow') { const all = []; for (;;) all.push(new Array(10000).fill(all.length)); }
  if (input === 'throw') throw new Error('broken');
  return [input, process.pid, require('node:worker_threads').threadId];
}));`;

function setup(maxWaiting = 2) {
  const clock = new FakeClock();
  const spawned: Worker[] = [];
  const spawn = (): Worker => {
    const worker = new Worker(SOURCE, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 32 } });
    spawned.push(worker);
    return worker;
  };
  const options = { limitMs: 1000, idleMs: 500, maxWaiting };
  return { clock, spawned, thread: new JobThread<string, [string, number, number]>(options, { spawn, clock }) };
}

test('a thread without work does not keep the process from ending', async () => {
  const { clock, thread } = setup();
  const ports = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
  const before = ports();
  await thread.run('a');
  expect(ports()).toBe(before);
  await clock.advance(500);
});

test('one thread does job after job, and ends when nothing comes', async () => {
  const { clock, spawned, thread } = setup();
  const [a, b] = await Promise.all([thread.run('a'), thread.run('b')]);
  expect([a[0], b[0]]).toEqual(['a', 'b']);
  expect(a[2]).toBe(b[2]);
  expect(spawned).toHaveLength(1);
  const ended = new Promise((resolve) => spawned[0]?.once('exit', resolve));
  await clock.advance(500);
  await ended;
  expect((await thread.run('c'))[0]).toBe('c');
  expect(spawned).toHaveLength(2);
  await clock.advance(500);
});

test.each([
  ['throw', 'FAILED'],
  ['grow', 'LIMIT'],
])('%s ends the thread; the next job gets a new one', async (input, code) => {
  const { clock, spawned, thread } = setup();
  const [bad, good] = await Promise.allSettled([thread.run(input), thread.run('good')]);
  expect(bad).toMatchObject({ status: 'rejected', reason: { name: 'JobError', code } });
  expect(good).toMatchObject({ status: 'fulfilled' });
  expect(spawned).toHaveLength(2);
  await clock.advance(500);
});

test('a job that takes too long', async () => {
  const { clock, spawned, thread } = setup();
  const refused = expect(thread.run('loop')).rejects.toMatchObject({ code: 'LIMIT' });
  await new Promise((resolve) => spawned[0]?.once('online', resolve));
  await clock.advance(1000);
  await refused;
  expect((await thread.run('after'))[0]).toBe('after');
  await clock.advance(500);
});

test('no more than so many wait', async () => {
  const { clock, thread } = setup(1);
  const first = thread.run('a');
  const second = thread.run('b');
  await expect(thread.run('c')).rejects.toMatchObject({ code: 'BUSY' });
  await Promise.all([first, second]);
  await clock.advance(500);
});
