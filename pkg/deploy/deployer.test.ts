import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { invalid } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import { parseYAML } from '../api/schema/yaml.ts';
import { FakeClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { FakeCluster } from '../client/testing/fake-cluster.ts';
import { Deployer } from './deployer.ts';
import type { Manifest } from './manifest.ts';
import { ManifestDirectory } from './manifest-directory.ts';

const configMap = (name: string, value = '1') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: ns}\ndata: {v: "${value}"}\n`;

function start(cluster: FakeCluster, clock: FakeClock, files: Record<string, string>) {
  let changed = () => {};
  const bundled: Manifest[] = [{ name: 'bundled/a.yaml', text: configMap('bundled') }];
  const source = {
    read: async () => Object.entries(files).map(([name, text]) => ({ name, text })),
    watch: (callback: () => void) => {
      changed = callback;
    },
  };
  const stop = new AbortController();
  const done = new Deployer(
    { bundled },
    { client: cluster.client, readYAML: parseYAML, clock, logger: silentLogger, source },
  ).run(stop.signal, () => {});
  return {
    change: () => changed(),
    stop: () => {
      stop.abort();
      return done;
    },
  };
}

// The YAML parser is loaded on first use; later calls need no real time.
beforeAll(() => parseYAML(''));

test('applies, follows changes, prunes what left, also after a restart', async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const files: Record<string, string> = { 'one.yaml': configMap('one'), 'two.yaml': configMap('two') };
  const names = () =>
    cluster
      .list(resources.configmaps)
      .map(({ metadata }) => metadata.name)
      .filter((name) => name !== 'kube-lite-deploy');
  const first = start(cluster, clock, files);
  await clock.advance(10);
  expect(names()).toEqual(['bundled', 'one', 'two']);
  files['one.yaml'] = configMap('one', '2');
  const before = cluster.actions.length;
  first.change();
  first.change();
  await clock.advance(1000);
  expect(cluster.get(resources.configmaps, { namespace: 'ns', name: 'one' })?.data).toEqual({ v: '2' });
  expect(cluster.actions.slice(before)).toHaveLength(1);
  await first.stop();
  delete files['two.yaml'];
  files['renamed.yaml'] = files['one.yaml'] ?? '';
  delete files['one.yaml'];
  const second = start(cluster, clock, files);
  await clock.advance(10);
  expect(names()).toEqual(['bundled', 'one']);
  await second.stop();
});

test('a broken manifest keeps what it had, does not hinder others and is tried again', async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const files: Record<string, string> = { 'one.yaml': configMap('one') };
  const { change, stop } = start(cluster, clock, files);
  await clock.advance(10);
  files['one.yaml'] = 'a: [';
  files['other.yaml'] = configMap('other');
  cluster.fail(
    ({ verb, name }) => verb === 'patch' && name === 'other',
    invalid({ group: '', kind: 'ConfigMap' }, 'other', []),
  );
  change();
  await clock.advance(300);
  expect(cluster.get(resources.configmaps, { namespace: 'ns', name: 'one' })).toBeDefined();
  expect(cluster.get(resources.configmaps, { namespace: 'ns', name: 'other' })).toBeUndefined();
  await clock.advance(1000);
  expect(cluster.get(resources.configmaps, { namespace: 'ns', name: 'other' })).toBeDefined();
  await stop();
});

test('ManifestDirectory reads YAML and JSON files and notices changes', async () => {
  const path = await mkdtemp(join(tmpdir(), 'manifests-'));
  const stop = new AbortController();
  try {
    const directory = new ManifestDirectory(path);
    await writeFile(join(path, 'b.yaml'), 'b');
    await writeFile(join(path, 'a.json'), '{}');
    await writeFile(join(path, 'notes.txt'), 'x');
    await writeFile(join(path, '.hidden.yaml'), 'x');
    expect((await directory.read()).map(({ name }) => name)).toEqual(['a.json', 'b.yaml']);
    const changed = new Promise<void>((resolve) => directory.watch(resolve, stop.signal));
    await writeFile(join(path, 'c.yml'), 'c');
    await changed;
    expect(await directory.read()).toHaveLength(3);
  } finally {
    stop.abort();
    await rm(path, { recursive: true });
  }
});
