import { describe, expect, it } from 'vitest';
import type { UserInfo } from '../../api/user.ts';
import type { AuthorizationAttributes, Authorizer } from '../contract.ts';
import { impersonate } from './impersonation.ts';

const admin: UserInfo = { username: 'admin', groups: [] };

function run(
  headers: Record<string, string | string[]>,
  allowed: (asked: AuthorizationAttributes) => boolean = () => true,
) {
  const raw = Object.entries(headers).flatMap(([name, values]) => [values].flat().flatMap((value) => [name, value]));
  const authorizer: Authorizer = {
    authorize: (attributes) => ({ decision: allowed(attributes) ? 'allow' : 'no-opinion', reason: '' }),
  };
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return impersonate(admin, lower, raw, authorizer);
}

describe('impersonate', () => {
  it.each([
    [{}, undefined],
    [{ 'Impersonate-User': 'bob' }, { username: 'bob', groups: ['system:authenticated'] }],
    [
      { 'Impersonate-User': 'bob', 'Impersonate-Group': ['a', 'b,c'], 'Impersonate-Uid': 'u' },
      { username: 'bob', uid: 'u', groups: ['a', 'b,c', 'system:authenticated'] },
    ],
    [
      { 'Impersonate-User': 'system:serviceaccount:ns:bot' },
      {
        username: 'system:serviceaccount:ns:bot',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
      },
    ],
    [{ 'Impersonate-User': 'system:anonymous' }, { username: 'system:anonymous', groups: ['system:unauthenticated'] }],
    [
      { 'Impersonate-User': 'bob', 'Impersonate-Group': 'system:unauthenticated' },
      { username: 'bob', groups: ['system:unauthenticated'] },
    ],
    [
      {
        'Impersonate-User': 'bob',
        'Impersonate-Extra-Scopes': ['x', 'y'],
        'Impersonate-Extra-Acme.com%2Fproject': 'p',
      },
      { username: 'bob', groups: ['system:authenticated'], extra: { scopes: ['x', 'y'], 'acme.com/project': ['p'] } },
    ],
  ])('%j', async (headers, wanted) => {
    expect(await run(headers as Record<string, string>)).toEqual(wanted);
  });

  it('needs a user', async () => {
    for (const name of ['Impersonate-Group', 'Impersonate-Uid', 'Impersonate-Extra-Foo'])
      await expect(run({ [name]: 'x' })).rejects.toMatchObject({ code: 500 });
  });

  it('asks for every part and names the one that is refused', async () => {
    const headers = {
      'Impersonate-User': 'boss',
      'Impersonate-Group': 'g',
      'Impersonate-Uid': 'u',
      'Impersonate-Extra-Foo': 'v',
    };
    const refuseOnly = (resource: string) => run(headers, (asked) => asked.resource !== resource);
    await expect(refuseOnly('users')).rejects.toThrow(
      'users "boss" is forbidden: User "admin" cannot impersonate resource "users" in API group "" at the cluster scope',
    );
    await expect(refuseOnly('groups')).rejects.toThrow('groups "g" is forbidden');
    await expect(refuseOnly('uids')).rejects.toThrow('uids.authentication.k8s.io "u" is forbidden');
    await expect(refuseOnly('userextras')).rejects.toThrow(
      'cannot impersonate resource "userextras/foo" in API group "authentication.k8s.io"',
    );
  });
});
