import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadKubeconfig } from './kubeconfig.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function config(user: object, cluster: object = { server: 'https://host:6443' }): Promise<string> {
  const path = join(directory, 'config');
  const text = JSON.stringify({
    'current-context': 'here',
    contexts: [
      { name: 'here', context: { cluster: 'c', user: 'u' } },
      { name: 'lost', context: { cluster: 'none', user: 'u' } },
    ],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
  });
  await writeFile(path, text);
  return path;
}

test('embedded certificates, files beside the config, tokens', async () => {
  await writeFile(join(directory, 'ca.pem'), 'CA');
  await writeFile(join(directory, 'token'), 'from-file\n');
  const cluster = { server: 'https://host:6443', 'certificate-authority': 'ca.pem', 'tls-server-name': 'other' };
  const user = { 'client-certificate-data': btoa('CERT'), 'client-key-data': btoa('KEY'), tokenFile: 'token' };
  const options = await loadKubeconfig(await config(user, cluster));
  expect(options).toMatchObject({
    server: 'https://host:6443',
    ca: 'CA',
    certificate: 'CERT',
    key: 'KEY',
    serverName: 'other',
  });
  expect(await options.token?.()).toBe('from-file');
  expect(await (await loadKubeconfig(await config({ token: 'plain' }))).token?.()).toBe('plain');
});

test.each([
  ['a context that does not exist', {}, undefined, 'nowhere', 'context "nowhere" does not exist'],
  [
    'a context without cluster',
    {},
    undefined,
    'lost',
    'config:1: contexts[1].context.cluster: cluster "none" has no server',
  ],
  [
    'a server that is no URL',
    {},
    { server: 'nowhere' },
    undefined,
    'clusters[0].cluster.server: "nowhere" is not a URL',
  ],
  [
    'a key that is not there',
    { 'client-key': 'none.pem' },
    undefined,
    undefined,
    'users[0].user.client-key: cannot be read',
  ],
  ['an exec plugin', { exec: {} }, undefined, undefined, 'not supported'],
])('%s is refused', async (_, user, cluster, context, problem) => {
  await expect(loadKubeconfig(await config(user, cluster), context)).rejects.toThrow(problem);
});

test('a file that is missing or broken is refused', async () => {
  await expect(loadKubeconfig(join(directory, 'none'))).rejects.toThrow('cannot be read');
  await writeFile(join(directory, 'broken'), 'a: [');
  await expect(loadKubeconfig(join(directory, 'broken'))).rejects.toThrow(/broken:1:\d+: Flow sequence/);
  await writeFile(join(directory, 'odd'), 'contexts: 7');
  await expect(loadKubeconfig(join(directory, 'odd'))).rejects.toThrow('odd:1: contexts: must be a list');
});
