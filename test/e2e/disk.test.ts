import { mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E, runCommand } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

describe.skipIf(missing !== undefined)('a full disk', () => {
  let dir: string;
  let cluster: Cluster;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kube-lite-disk-'));
    expect(await runCommand('mount', ['-t', 'tmpfs', '-o', 'size=220m', 'tmpfs', dir])).toMatchObject({ code: 0 });
    cluster = await Cluster.start({ dataDir: dir, node: false });
  });
  afterAll(() =>
    endAll(
      () => cluster?.signal('SIGTERM'),
      () => runCommand('umount', [dir]),
      () => rmdir(dir),
    ),
  );

  test('writes are refused with the reason, reads go on, and nothing is lost once there is space', async () => {
    await cluster.ok(['create', 'configmap', 'before', '--from-literal=a=b']);
    const filler = join(dir, 'filler');
    await runCommand('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1M']);
    const value = join(dir, '..', 'kube-lite-value');
    await writeFile(value, 'x'.repeat(900_000));
    const refused = await eventually('refused', async () => {
      const result = await cluster.kubectl(['create', 'configmap', `big-${Date.now()}`, `--from-file=${value}`]);
      return result.code !== 0 && result;
    });
    await rm(value);
    expect(refused.stderr).toMatch(/the server's disk is full: no space left/);
    expect(await cluster.ok(['get', 'configmap', 'before', '-o', 'jsonpath={.data.a}'])).toBe('b');
    expect(await cluster.ok(['get', '--raw', '/livez'])).toBe('ok');

    await rm(filler);
    await eventually(
      'writes again',
      async () => (await cluster.kubectl(['create', 'configmap', 'after', '--from-literal=a=b'])).code === 0,
    );
    const names = await cluster.ok(['get', 'configmaps', '-o', 'name']);
    await cluster.signal('SIGKILL');
    cluster.launch();
    await cluster.apiReady();
    expect(await cluster.ok(['get', 'configmaps', '-o', 'name'])).toBe(names);
  });
});
