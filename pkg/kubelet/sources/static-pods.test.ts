import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { StaticPods } from './static-pods.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'static-pods-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Names and images of the pods that are found. */
async function found(): Promise<string[]> {
  const stop = new AbortController();
  let pods: string[] = [];
  const source = new StaticPods(
    { directory, nodeName: 'n' },
    {
      clock: new FakeClock(),
      logger: silentLogger,
      changed: (all) => {
        pods = all.map(({ metadata, spec }) => `${metadata.name} ${spec.containers[0]?.image}`);
      },
    },
  );
  await source.run(stop.signal, () => stop.abort());
  return pods;
}

const manifest = (name: string, image = 'i'): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${name}}, spec: {containers: [{name: c, image: "${image}"}]}}`;
const write = (name: string, text: string): Promise<void> => writeFile(join(directory, name), text);

test('files count whatever their names, hidden ones do not', async () => {
  await write('a.yaml', manifest('a'));
  await write('b', manifest('b'));
  await write('.c.yaml.swp', manifest('c'));
  expect(await found()).toEqual(['a-n i', 'b-n i']);
});

test('what is no manifest is left out, and keeps nothing else from running', async () => {
  await write('a-garbage.yaml', ']');
  await write('a-cycle.yaml', 'apiVersion: v1\nkind: Pod\nspec: &a {b: *a}');
  await write('b-service.yaml', '{apiVersion: v1, kind: Service, metadata: {name: s}}');
  await mkdir(join(directory, 'c-directory.yaml'));
  execFileSync('mkfifo', [join(directory, 'd-pipe.yaml')]);
  await write('e-large.yaml', `${manifest('e')}\n#${' '.repeat(10 * 1024 * 1024)}`);
  await write('f-outside.yaml', manifest('../../f'));
  await write('g.yaml', manifest('g'));
  expect(await found()).toEqual(['g-n i']);
});

test('of two manifests of one pod the last one counts', async () => {
  await write('1.yaml', manifest('a', 'one'));
  await write('2.yaml', manifest('a', 'two'));
  expect(await found()).toEqual(['a-n two']);
});
