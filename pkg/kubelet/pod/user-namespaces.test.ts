import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Pod } from '../types.ts';
import { UserNamespaces } from './user-namespaces.ts';

let podsDir: string;
beforeEach(async () => {
  podsDir = await mkdtemp(join(tmpdir(), 'userns-'));
});
afterEach(() => rm(podsDir, { recursive: true }));

const pod = (uid: string, hostUsers?: boolean): Pod => ({ metadata: { uid }, spec: { hostUsers } }) as unknown as Pod;
const make = (handlers: string[] = ['']): UserNamespaces =>
  new UserNamespaces({ podsDir, handlers: new Set(handlers), maxPods: 2 });

test('every pod has ids of its own, also after a restart, and gives them back', async () => {
  const before = make();
  await before.prepare(pod('a', false), '');
  await before.prepare(pod('b', false), '');
  await before.prepare(pod('b', false), '');
  await before.prepare(pod('c'), '');
  const namespaces = make();
  await namespaces.load();
  const first = (uid: string): number | undefined => namespaces.of(pod(uid, false))?.uids?.[0]?.hostId;
  expect([first('a'), first('b'), first('c')]).toEqual([65_536, 131_072, undefined]);
  await expect(namespaces.prepare(pod('d', false), '')).rejects.toThrow('no range of user ids is left');
  namespaces.release('a');
  await namespaces.prepare(pod('d', false), '');
  expect(namespaces.of(pod('d', false))).toEqual({
    mode: 'POD',
    uids: [{ hostId: 65_536, containerId: 0, length: 65_536 }],
    gids: [{ hostId: 65_536, containerId: 0, length: 65_536 }],
  });
});

test('a runtime without them is named', async () => {
  const namespaces = make(['other']);
  await namespaces.prepare(pod('a'), '');
  await namespaces.prepare(pod('a', false), 'other');
  const text = 'does not support user namespaces';
  await expect(namespaces.prepare(pod('a', false), '')).rejects.toThrow(
    `can't set \`spec.hostUsers: false\`, runtime ${text}`,
  );
  await expect(namespaces.prepare(pod('a', false), 'x')).rejects.toThrow(`RuntimeClass handler "x" ${text}`);
});

test('ids that cannot be read are nobody else’s', async () => {
  await make().prepare(pod('a', false), '');
  await writeFile(join(podsDir, 'a/userns'), '{}');
  await expect(make().load()).rejects.toThrow('the user ids of pod a are not known');
});
