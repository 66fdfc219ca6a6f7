import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createMetrics } from '../../base/metrics.ts';
import { parseConfigFile } from '../../config/index.ts';
import { encryptionRules, ruleFor } from './configuration.ts';
import { Encryption } from './encryption.ts';
import { ensureEncryptionConfiguration } from './new-cluster.ts';
import { newCipher } from './providers.ts';

const K1 = Buffer.alloc(32, 1).toString('base64');
const K2 = Buffer.alloc(32, 2).toString('base64');
const HEAD = 'apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n';
const SECRET = '/registry/secrets/default/s';
const value = Buffer.from('{"kind":"Secret"}');

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'encryption-'));
  file = join(directory, 'encryption.yaml');
});
afterEach(() => rm(directory, { recursive: true }));

const providers = (list: string, resources = 'secrets'): string =>
  `${HEAD}resources:\n- resources: [${resources}]\n  providers: [${list}]\n`;
const provider = (name: string, secret = K1, key = 'key1'): string =>
  `{ ${name}: { keys: [{ name: ${key}, secret: ${secret} }] } }`;

async function open(text: string): Promise<Encryption> {
  await writeFile(file, text);
  return Encryption.open(file, { clock: systemClock, logger: silentLogger, metrics: createMetrics() });
}

describe.each(['aescbc', 'aesgcm', 'secretbox'])('%s', (name) => {
  test('values are stored with upstream’s prefix and come back', async () => {
    const encryption = await open(providers(provider(name)));
    const sealed = encryption.seal(SECRET, value);
    expect(Buffer.from(sealed).toString('latin1')).toMatch(new RegExp(`^k8s:enc:${name}:v1:key1:`));
    expect(Buffer.from(sealed).includes('Secret')).toBe(false);
    expect(Buffer.from(encryption.open(SECRET, sealed))).toEqual(value);
    expect(encryption.seal(SECRET, value)).not.toEqual(sealed);
  });

  test('a wrong key is said to be one', async () => {
    const sealed = (await open(providers(provider(name)))).seal(SECRET, value);
    const wrong = await open(providers(provider(name, K2)));
    expect(() => wrong.open(SECRET, sealed)).toThrow(
      `${SECRET} cannot be read with the keys in ${file}: the key of that name did not write what begins with k8s:enc:${name}:v1:key1:`,
    );
    const other = await open(providers(provider(name, K1, 'key2')));
    expect(() => other.open(SECRET, sealed)).toThrow(
      `it is stored with k8s:enc:${name}:v1:key1:, which no provider of its resource has`,
    );
  });

  test('rotation: the first key writes, all read', async () => {
    const before = (await open(providers(provider(name)))).seal(SECRET, value);
    const keys = `{ ${name}: { keys: [{ name: key2, secret: ${K2} }, { name: key1, secret: ${K1} }] } }`;
    const encryption = await open(providers(keys));
    expect(Buffer.from(encryption.open(SECRET, before))).toEqual(value);
    expect(encryption.isStale(SECRET, before)).toBe(true);
    const after = encryption.seal(SECRET, value);
    expect(Buffer.from(after).toString('latin1')).toContain('key2:');
    expect(encryption.isStale(SECRET, after)).toBe(false);
  });
});

test('a value sealed by AES-GCM belongs to its key in the store', async () => {
  const encryption = await open(providers(provider('aesgcm')));
  const sealed = encryption.seal(SECRET, value);
  expect(() => encryption.open('/registry/secrets/default/other', sealed)).toThrow('cannot be read');
});

test.each<['aescbc' | 'aesgcm' | 'secretbox', string, string, string]>([
  // NaCl's own test of secretbox.
  [
    'secretbox',
    '1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389',
    '69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5',
    'be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705',
  ],
  // The second test case of the GCM specification.
  [
    'aesgcm',
    '00'.repeat(16),
    `${'00'.repeat(12)}0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf`,
    '00'.repeat(16),
  ],
  // A block of padding under a key of zeros.
  ['aescbc', '00'.repeat(16), `${'00'.repeat(16)}0143db63ee66b0cdff9f69917680151e`, ''],
])('the layout of %s is the one that others write', async (name, key, sealed, plain) => {
  const cipher = await newCipher(name, Buffer.from(key, 'hex'));
  expect(Buffer.from(cipher.open(Buffer.from(sealed, 'hex'), '')).toString('hex')).toBe(plain);
});

describe('identity', () => {
  test('reads what is not encrypted, and writes it when it is first', async () => {
    const encryption = await open(providers(`${provider('secretbox')}, { identity: {} }`));
    expect(encryption.open(SECRET, value)).toBe(value);
    expect(encryption.isStale(SECRET, value)).toBe(true);
    const off = await open(providers(`{ identity: {} }, ${provider('secretbox')}`));
    expect(off.seal(SECRET, value)).toBe(value);
    expect(off.isStale(SECRET, encryption.seal(SECRET, value))).toBe(true);
  });

  test('without it plain values are refused', async () => {
    const encryption = await open(providers(provider('secretbox')));
    expect(() => encryption.open(SECRET, value)).toThrow('it is stored unencrypted');
  });

  test('resources without a rule are left alone', async () => {
    const encryption = await open(providers(provider('secretbox')));
    const key = '/registry/configmaps/default/m';
    expect([encryption.covers(key), encryption.seal(key, value)]).toEqual([false, value]);
    const sealed = encryption.seal(SECRET, value);
    expect(() => encryption.open(key, sealed)).toThrow('which no provider of its resource has');
  });
});

test.each([
  ['secrets', '/registry/secrets/a/b', true],
  ['secrets', '/registry/pods/a/b', false],
  ['deployments.apps', '/registry/apps/deployments/a/b', true],
  ['deployments.apps', '/registry/apps/daemonsets/a/b', false],
  ['"*.apps"', '/registry/apps/daemonsets/a/b', true],
  ['"*."', '/registry/pods/a/b', true],
  ['"*."', '/registry/apps/daemonsets/a/b', false],
  ['"*.*"', '/registry/stable.example.com/crontabs/a', true],
  ['crontabs.stable.example.com', '/registry/stable.example.com/crontabs/a', true],
])('%s covers %s: %s', async (resources, key, covered) => {
  expect((await open(providers(provider('aesgcm'), resources))).covers(key)).toBe(covered);
});

test('the first rule that names a resource counts', async () => {
  const text = `${HEAD}resources:\n- { resources: [secrets], providers: [{ identity: {} }] }\n- { resources: ["*.*"], providers: [${provider('aesgcm')}] }\n`;
  const rules = await encryptionRules(
    await parseConfigFile('e.yaml', text, ['apiserver.config.k8s.io/v1'], 'EncryptionConfiguration'),
  );
  expect(ruleFor(rules, '', 'secrets')?.methods[0].prefix).toBe('');
  expect(ruleFor(rules, 'apps', 'deployments')?.methods[0].prefix).toBe('k8s:enc:aesgcm:v1:key1:');
});

describe('wrong files are refused with line and field', () => {
  test.each([
    [`${HEAD}resources: []`, 'e.yaml:3: resources: at least one item is needed'],
    [
      providers('{ identity: {} }', '"*"'),
      'e.yaml:4: resources[0].resources[0]: use "*." for all resources of the core group',
    ],
    [providers('{ identity: {} }', '"*.*", secrets'), '"secrets" is covered by "*.*" already'],
    [providers('{ identity: {} }', '"*.", secrets'), '"secrets" is covered by "*." already'],
    [
      providers('{ kms: { name: x } }'),
      'e.yaml:5: resources[0].providers[0].kms: key management services are not supported',
    ],
    [providers('{ aesctr: {} }'), 'resources[0].providers[0].aesctr: unknown field'],
    [
      providers(provider('aescbc', 'AAAA')),
      'resources[0].providers[0].aescbc.keys[0].secret: has 3 bytes; aescbc needs 16, 24, 32',
    ],
    [providers(provider('secretbox', '"*"')), 'is not base64'],
    [providers(provider('secretbox', K1, '"a:b"')), 'must not contain ":"'],
  ])('%j', async (text, message) => {
    const root = parseConfigFile('e.yaml', text, ['apiserver.config.k8s.io/v1'], 'EncryptionConfiguration');
    await expect(root.then(encryptionRules)).rejects.toThrow(message);
  });
});

test('the file is followed; a wrong one changes nothing', async () => {
  const encryption = await open(providers(`${provider('secretbox')}, { identity: {} }`));
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const done = encryption.run(stop.signal, ready.resolve);
  await ready.promise;
  const prefix = (): string => Buffer.from(encryption.seal(SECRET, value)).subarray(0, 20).toString('latin1');
  await writeFile(file, 'nonsense');
  await writeFile(file, providers(provider('aesgcm')));
  await expect.poll(prefix).toMatch(/^k8s:enc:aesgcm/);
  await writeFile(file, 'nonsense');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(prefix()).toMatch(/^k8s:enc:aesgcm/);
  stop.abort();
  await done;
});

test('a new cluster gets a key of its own, for root only, once', async () => {
  await ensureEncryptionConfiguration(file);
  const text = await readFile(file, 'utf8');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await ensureEncryptionConfiguration(file);
  expect(await readFile(file, 'utf8')).toBe(text);
  const encryption = await open(text);
  expect(Buffer.from(encryption.seal(SECRET, value)).toString('latin1')).toMatch(/^k8s:enc:secretbox:v1:key1:/);
  expect(encryption.covers('/registry/configmaps/a/b')).toBe(false);
});
