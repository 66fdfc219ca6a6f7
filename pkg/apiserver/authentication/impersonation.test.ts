import { describe, expect, it } from 'vitest';
import type { UserInfo } from '../../api/user.ts';
import type { AuthorizationAttributes, Authorizer } from '../contract.ts';
import { nonResourceInfo } from '../request/request-info.ts';
import { Impersonator } from './impersonation.ts';

const admin: UserInfo = { username: 'admin', groups: [] };

const get: Omit<AuthorizationAttributes, 'user'> = {
  ...nonResourceInfo('GET', '/api/v1/namespaces/n/pods/p'),
  ...{ isResourceRequest: true, version: 'v1', resource: 'pods', namespace: 'n', name: 'p' },
};

function run(
  headers: Record<string, string | string[]>,
  allowed: (asked: AuthorizationAttributes) => boolean = ({ verb }) => verb === 'impersonate',
  sender = admin,
) {
  const raw = Object.entries(headers).flatMap(([name, values]) => [values].flat().flatMap((value) => [name, value]));
  const authorizer: Authorizer = {
    authorize: (attributes) => ({ decision: allowed(attributes) ? 'allow' : 'no-opinion', reason: '' }),
  };
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return new Impersonator(authorizer).impersonate(lower, raw, () => ({ ...get, user: sender }));
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
    expect(await run(headers as Record<string, string>)).toEqual(wanted && { user: wanted, constraint: '' });
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
    const isOnPod = ({ verb }: AuthorizationAttributes) => verb.startsWith('impersonate-on:');
    const refuseOnly = (resource: string) => run(headers, (asked) => !isOnPod(asked) && asked.resource !== resource);
    const refuseLimited = (resource: string) => run(headers, (asked) => isOnPod(asked) || asked.resource !== resource);
    for (const resource of ['users', 'groups', 'uids', 'userextras'])
      await expect(refuseOnly(resource)).rejects.toThrow(
        'pods "p" is forbidden: User "admin" cannot impersonate-on:user-info:get resource "pods" in API group "" in the namespace "n"',
      );
    await expect(refuseLimited('users')).rejects.toThrow(
      'users.authentication.k8s.io "boss" is forbidden: User "admin" cannot impersonate:user-info resource "users" in API group "authentication.k8s.io" at the cluster scope',
    );
    await expect(refuseLimited('groups')).rejects.toThrow('groups.authentication.k8s.io "g" is forbidden');
    await expect(refuseLimited('uids')).rejects.toThrow('uids.authentication.k8s.io "u" is forbidden');
  });

  const bot: UserInfo = {
    username: 'system:serviceaccount:ns:bot',
    groups: [],
    extra: { 'authentication.kubernetes.io/node-name': ['n1'] },
  };
  it.each<[string, string, UserInfo, string[]]>([
    ['user-info', 'boss', admin, ['impersonate-on:user-info:get pods/p', 'impersonate:user-info users/boss']],
    [
      'serviceaccount',
      'system:serviceaccount:ns:x',
      admin,
      ['impersonate-on:serviceaccount:get pods/p', 'impersonate:serviceaccount serviceaccounts/x'],
    ],
    [
      'arbitrary-node',
      'system:node:n2',
      bot,
      ['impersonate-on:arbitrary-node:get pods/p', 'impersonate:arbitrary-node nodes/n2'],
    ],
    [
      'associated-node',
      'system:node:n1',
      bot,
      ['impersonate-on:associated-node:get pods/p', 'impersonate:associated-node nodes/*'],
    ],
  ])('has limits as %s', async (mode, username, sender, expected) => {
    const asked: string[] = [];
    const allow = ({ verb, resource, name, user }: AuthorizationAttributes): boolean => {
      asked.push(`${verb} ${resource}/${name}`);
      if (mode === 'associated-node')
        expect(user.extra).toEqual({
          'authentication.kubernetes.io/associated-node-keys': ['authentication.kubernetes.io/node-name'],
        });
      return true;
    };
    expect(await run({ 'Impersonate-User': username }, allow, sender)).toMatchObject({
      user: { username },
      constraint: `impersonate:${mode}`,
    });
    expect(asked).toEqual(expected);
  });

  it('never makes a master where it has limits, and a node only with the groups of one', async () => {
    const limited = ({ verb }: AuthorizationAttributes) => verb !== 'impersonate';
    await expect(run({ 'Impersonate-User': 'x', 'Impersonate-Group': 'system:masters' }, limited)).rejects.toThrow(
      'impersonating the system:masters group is not allowed',
    );
    expect((await run({ 'Impersonate-User': 'system:node:n' }, limited))?.user.groups).toEqual([
      'system:nodes',
      'system:authenticated',
    ]);
  });

  it('asks for the right to all groups first when they are many', async () => {
    const groups = ['a', 'b', 'c', 'd'];
    const allow = ({ resource, name }: AuthorizationAttributes) => resource !== 'groups' || name === '*';
    expect(await run({ 'Impersonate-User': 'x', 'Impersonate-Group': groups }, allow)).toMatchObject({
      constraint: 'impersonate:user-info',
    });
  });
});
