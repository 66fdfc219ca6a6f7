import { expect, test } from 'vitest';
import type { Secret } from '../types.ts';
import { parseImageName } from './image-name.ts';
import { credentialsFor } from './pull-secrets.ts';

function secret(auths: object): Secret {
  const data = { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') };
  return { type: 'kubernetes.io/dockerconfigjson', data } as unknown as Secret;
}
const auth = Buffer.from('u:p:q').toString('base64');

test.each([
  ['r.example/a:1', { 'r.example': { auth } }, [['u', 'p:q']]],
  ['r.example/a/b:1', { 'https://r.example/v1/': { username: 'x', password: 'y' } }, [['x', 'y']]],
  ['r.example/a:1', { '*.example': { auth } }, [['u', 'p:q']]],
  [
    'r.example/team/a:1',
    { 'r.example': { username: 'all' }, 'r.example/team': { username: 'team' } },
    [
      ['team', ''],
      ['all', ''],
    ],
  ],
  ['r.example/teams/a:1', { 'r.example/team': { auth } }, []],
  ['busybox', { 'https://index.docker.io/v1/': { auth } }, [['u', 'p:q']]],
  ['other/a', { 'r.example': { auth } }, []],
])('%s', (image, auths, expected) => {
  const found = credentialsFor(parseImageName(image), [secret(auths)]);
  expect(found.map(({ username, password }) => [username, password])).toEqual(expected);
});

test('a secret that is no JSON is left out', () => {
  expect(credentialsFor(parseImageName('a'), [{ data: { '.dockerconfigjson': 'eA==' } } as unknown as Secret])).toEqual(
    [],
  );
});
