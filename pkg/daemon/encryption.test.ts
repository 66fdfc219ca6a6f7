import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { createMetrics } from '../base/metrics.ts';
import { openEncryption } from './encryption.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'encryption-'));
});
afterEach(() => rm(directory, { recursive: true }));

function open(isNew: boolean, encryptionConfigFile?: string) {
  const layout = { encryptionFile: join(directory, 'encryption.yaml') };
  const deps = { clock: systemClock, logger: silentLogger, metrics: createMetrics() };
  return openEncryption({ encryptionConfigFile }, layout, isNew, deps);
}

const SECRET = '/registry/secrets/default/s';

test('a new cluster encrypts its Secrets, and goes on doing so', async () => {
  const first = await open(true);
  const sealed = first?.seal(SECRET, Buffer.from('{}')) ?? Buffer.alloc(0);
  const second = await open(false);
  expect(Buffer.from(second?.open(SECRET, sealed) ?? []).toString()).toBe('{}');
});

test('a cluster that began without stays without until a file is named', async () => {
  expect(await open(false)).toBeUndefined();
  expect(await readdir(directory)).toEqual([]);
  const named = join(directory, 'named.yaml');
  await writeFile(
    named,
    'apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources: [{ resources: [secrets], providers: [{ identity: {} }] }]\n',
  );
  expect((await open(true, named))?.covers(SECRET)).toBe(true);
  expect(await readdir(directory)).toEqual(['named.yaml']);
});
