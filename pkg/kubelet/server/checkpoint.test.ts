import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { CriError } from '../../cri/index.ts';
import type { KubeletContext } from '../context.ts';
import type { PodManager } from '../pod/pod-manager.ts';
import { checkpoint } from './checkpoint.ts';

let rootDir: string;
beforeAll(async () => {
  rootDir = await mkdtemp(join(tmpdir(), 'checkpoint-'));
});
afterAll(() => rm(rootDir, { recursive: true }));

async function ask(path: string, query = ''): Promise<unknown> {
  const containers = [
    { id: '1', name: 'main', state: 'running' },
    { id: '2', name: 'init', state: 'exited' },
    { id: '3', name: 'poor', state: 'running' },
  ];
  const pods = { find: (_: string, name: string) => (name === 'p' ? { runtime: { containers } } : undefined) };
  const asked: unknown[] = [];
  const checkpointContainer = async (...args: unknown[]): Promise<void> => {
    if (args[0] === '3') throw new CriError('Unimplemented', 'unknown method CheckpointContainer');
    asked.push(args);
  };
  const context = {
    options: { rootDir },
    deps: { clock: new FakeClock(), cri: { runtime: { checkpointContainer } } },
  } as unknown as KubeletContext;
  const found = await checkpoint(path.split('/'), new URLSearchParams(query), pods as unknown as PodManager, context);
  return { ...found, asked };
}

test('the runtime writes the archive, and the answer says where', async () => {
  const location = join(rootDir, 'checkpoints/checkpoint-p_n-main-2026-01-01T00:00:00Z.tar');
  expect(await ask('n/p/main', 'timeout=7')).toEqual({ items: [location], asked: [['1', location, 7]] });
});

test.each([
  ['n/q/main', '', 404, 'pod does not exist'],
  ['n/p/init', '', 404, 'container init does not exist'],
  ['n/p/main', 'timeout=x', 400, 'query parameter timeout must be a whole number'],
  [
    'n/p/poor',
    '',
    500,
    'checkpointing of n/p/poor failed (rpc error: code = Unimplemented desc = unknown method CheckpointContainer)',
  ],
])('%s?%s is refused', async (path, query, status, message) => {
  await expect(ask(path, query)).rejects.toMatchObject({ status, message });
});
