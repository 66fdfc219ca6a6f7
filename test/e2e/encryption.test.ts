import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const MARKER = 'very-secret-marker';

const key = (byte: number): string => Buffer.alloc(32, byte).toString('base64');
const configuration = (...keys: readonly [string, string][]): string =>
  JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [
      {
        resources: ['secrets', 'configmaps'],
        providers: [
          { aesgcm: { keys: keys.map(([name, secret]) => ({ name, secret })) } },
          { secretbox: { keys: [{ name: 'unused', secret: key(9) }] } },
          { identity: {} },
        ],
      },
    ],
  });

/** Everything that is stored, of a server that does not run. */
async function storedValues(dataDir: string): Promise<string[]> {
  const db = new Level<Uint8Array, Uint8Array>(join(dataDir, 'server/db'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  await db.open();
  const values = (await db.values().all()).map((value) => Buffer.from(value).toString('latin1'));
  await db.close();
  return values;
}

describe.skipIf(missing !== undefined)('encryption at rest', () => {
  let cluster: Cluster;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kube-lite-encryption-'));
    cluster = await Cluster.start({ node: false });
  });
  afterAll(() =>
    endAll(
      () => cluster?.remove(),
      () => rm(directory, { recursive: true }),
    ),
  );

  const restart = async (): Promise<void> => {
    cluster.launch();
    await cluster.apiReady();
  };

  test('Secrets of a new cluster are encrypted, with a key that only root can read', async () => {
    await cluster.ok(['create', 'secret', 'generic', 's', `--from-literal=a=${MARKER}`]);
    await cluster.ok(['create', 'configmap', 'm', '--from-literal=a=plain-marker']);
    const file = join(cluster.dataDir, 'server/encryption.yaml');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await cluster.signal('SIGTERM');
    const values = await storedValues(cluster.dataDir);
    const encoded = Buffer.from(MARKER).toString('base64');
    expect(values.some((value) => value.includes(encoded) || value.includes(MARKER))).toBe(false);
    expect(values.some((value) => value.includes('k8s:enc:secretbox:v1:key1:'))).toBe(true);
    expect(values.some((value) => value.includes('plain-marker'))).toBe(true);
    await restart();
    const data = await cluster.ok(['get', 'secret', 's', '-o', 'jsonpath={.data.a}']);
    expect(Buffer.from(data, 'base64').toString()).toBe(MARKER);
  });

  test('a lost key is said to be one', async () => {
    await cluster.signal('SIGTERM');
    const file = join(cluster.dataDir, 'server/encryption.yaml');
    const right = await readFile(file, 'utf8');
    await writeFile(file, right.replace(/secret: .*/, `secret: ${key(3)}`));
    cluster.launch();
    const pattern = /\/registry\/secrets\/\S+ cannot be read with the keys in \S+encryption.yaml/;
    await eventually('the error is logged', async () => pattern.test(await cluster.log()));
    await cluster.signal('SIGTERM');
    await writeFile(file, right);
    await restart();
    expect(await cluster.ok(['get', 'secret', 's', '-o', 'name'])).toBe('secret/s\n');
  });
});

describe.skipIf(missing !== undefined)('an encryption configuration', () => {
  let cluster: Cluster;
  let directory: string;
  let file: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kube-lite-encryption-'));
    file = join(directory, 'encryption.yaml');
    await writeFile(file, configuration(['old', key(1)]));
    cluster = await Cluster.start({ node: false, flags: ['--encryption-provider-config', file] });
  });
  afterAll(() =>
    endAll(
      () => cluster?.remove(),
      () => rm(directory, { recursive: true }),
    ),
  );

  test('is followed, and writing everything again brings it under the new key', async () => {
    await cluster.ok(['create', 'secret', 'generic', 's', `--from-literal=a=${MARKER}`]);
    await cluster.ok(['create', 'configmap', 'm', `--from-literal=a=${MARKER}`]);
    const version = () => cluster.ok(['get', 'secret', 's', '-o', 'jsonpath={.metadata.resourceVersion}']);
    const before = await version();
    // Controllers may write some of them meanwhile.
    const replaceAll = (): Promise<unknown> =>
      eventually('all are written again', async () => {
        const all = await cluster.ok(['get', 'secrets,configmaps', '--all-namespaces', '-o', 'json']);
        return (await cluster.kubectl(['replace', '-f', '-'], all)).code === 0;
      });
    await replaceAll();
    expect(await version()).toBe(before);
    await writeFile(file, configuration(['new', key(2)], ['old', key(1)]));
    await eventually('read again', async () => (await cluster.log()).includes('encryption configuration read again'));
    await replaceAll();
    expect(await version()).not.toBe(before);
    await writeFile(file, configuration(['new', key(2)]));
    await cluster.signal('SIGTERM');
    cluster.launch();
    await cluster.apiReady();
    expect(await cluster.ok(['get', 'secret', 's', '-o', 'jsonpath={.data.a}'])).toBe(
      Buffer.from(MARKER).toString('base64'),
    );
    expect(await readdir(join(cluster.dataDir, 'server'))).not.toContain('encryption.yaml');
  });
});
