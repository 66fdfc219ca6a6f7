import { describe, expect, test } from 'vitest';
import { aborted } from './abort.ts';
import { type Component, component, Group } from './lifecycle.ts';
import { createLogger } from './logger.ts';

const logger = createLogger({ level: 'silent' });

describe('Group', () => {
  const order: string[] = [];
  const part = (name: string): Component =>
    component(name, async (stopped, ready) => {
      order.push(`${name} starts`);
      ready();
      await aborted(stopped);
      order.push(`${name} stops`);
    });

  test('starts in order and stops in reverse', async () => {
    const controller = new AbortController();
    const group = new Group('group', [part('first'), part('second')], { logger });
    await group.run(controller.signal, () => controller.abort());
    expect(order).toEqual(['first starts', 'second starts', 'second stops', 'first stops']);
  });

  test('a part that is told to stop while it starts has not failed', async () => {
    const controller = new AbortController();
    const starting = component('starting', (stopped) => {
      queueMicrotask(() => controller.abort());
      return new Promise((_, reject) => stopped.addEventListener('abort', () => reject(stopped.reason)));
    });
    await new Group('group', [starting], { logger }).run(controller.signal, () => expect.unreachable());
  });

  test('a part that fails, before or while it stops, makes the group fail', async () => {
    const failing = component('failing', () => Promise.reject(new Error('no')));
    const run = new Group('group', [failing], { logger }).run(new AbortController().signal, () => {});
    await expect(run).rejects.toThrow('failing failed');

    const controller = new AbortController();
    const stopping = component('stopping', async (stopped, ready) => {
      ready();
      await aborted(stopped);
      throw new Error('no');
    });
    const stop = new Group('group', [stopping], { logger }).run(controller.signal, () => controller.abort());
    await expect(stop).rejects.toThrow('stopping failed');
  });
});
