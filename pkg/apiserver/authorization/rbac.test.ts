import { beforeEach, describe, expect, it } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { UserInfo } from '../../api/user.ts';
import type { AuthorizationAttributes } from '../contract.ts';
import { RBACAuthorizer } from './rbac.ts';
import { FakeReader } from './testing/fake-reader.ts';

const alice: UserInfo = { username: 'alice', groups: ['team', 'system:authenticated'] };
const bot: UserInfo = { username: 'system:serviceaccount:ns:bot', groups: ['system:serviceaccounts'] };

function ask(user: UserInfo, words: string, namespace = ''): AuthorizationAttributes {
  const [verb = '', resource = '', name = ''] = words.split(' ');
  const isPath = resource.startsWith('/');
  const [full = '', subresource = ''] = resource.split('/');
  const [plural = '', ...group] = full.split('.');
  return {
    user,
    isResourceRequest: !isPath,
    path: isPath ? resource : '',
    verb,
    group: isPath ? '' : group.join('.'),
    version: 'v1',
    resource: isPath ? '' : plural,
    subresource: isPath ? '' : subresource,
    namespace,
    name,
    subpath: '',
  };
}

const rbac = { apiGroup: 'rbac.authorization.k8s.io' };
let reader: FakeReader;
let authorizer: RBACAuthorizer;

function bind(namespace: string, name: string, kind: string, role: string, subjects: readonly object[]): void {
  const object = {
    metadata: { name, ...(namespace === '' ? {} : { namespace }) },
    roleRef: { ...rbac, kind, name: role },
    subjects,
  };
  reader.put(namespace === '' ? resources.clusterrolebindings : resources.rolebindings, object);
}

beforeEach(() => {
  reader = new FakeReader();
  reader.put(resources.clusterroles, {
    metadata: { name: 'reader' },
    rules: [
      { verbs: ['get', 'list'], apiGroups: [''], resources: ['configmaps', '*/scale'] },
      { verbs: ['get'], nonResourceURLs: ['/metrics', '/custom/*'] },
    ],
  } as never);
  reader.put(resources.roles, {
    metadata: { name: 'named', namespace: 'ns' },
    rules: [{ verbs: ['get', 'delete'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a'] }],
  } as never);
  ({ authorizer } = RBACAuthorizer.watch(reader));
});

function allowed(user: UserInfo, words: string, namespace?: string): boolean {
  return authorizer.authorize(ask(user, words, namespace)).decision === 'allow';
}

describe('RBACAuthorizer', () => {
  it('lets system:masters do everything', () => {
    expect(allowed({ username: 'root', groups: ['system:masters'] }, 'delete nodes x')).toBe(true);
    expect(allowed(alice, 'delete nodes x')).toBe(false);
  });

  it('grants a ClusterRole everywhere by a ClusterRoleBinding', () => {
    bind('', 'b', 'ClusterRole', 'reader', [{ kind: 'User', name: 'alice' }]);
    expect(allowed(alice, 'get configmaps a', 'x')).toBe(true);
    expect(allowed(alice, 'list configmaps')).toBe(true);
    expect(allowed(alice, 'create configmaps', 'x')).toBe(false);
    expect(allowed(alice, 'get configmaps/status a', 'x')).toBe(false);
    expect(allowed(alice, 'get widgets/scale a', 'x')).toBe(true);
    expect(allowed(alice, 'get configmaps.apps a', 'x')).toBe(false);
    expect(allowed(alice, 'get /metrics')).toBe(true);
    expect(allowed(alice, 'get /custom/x')).toBe(true);
    expect(allowed(alice, 'get /customx')).toBe(false);
    expect(allowed(bot, 'get configmaps a', 'x')).toBe(false);
  });

  it('grants in one namespace by a RoleBinding, to groups and ServiceAccounts, by resource name', () => {
    bind('ns', 'b', 'Role', 'named', [
      { kind: 'Group', name: 'team' },
      { kind: 'ServiceAccount', name: 'bot', namespace: 'ns' },
    ]);
    for (const user of [alice, bot]) {
      expect(allowed(user, 'get deployments.apps a', 'ns')).toBe(true);
      expect(allowed(user, 'get deployments.apps b', 'ns')).toBe(false);
      expect(allowed(user, 'get deployments.apps a', 'other')).toBe(false);
      expect(allowed(user, 'get deployments.apps a')).toBe(false);
    }
    expect(authorizer.authorize(ask(alice, 'get deployments.apps a', 'ns')).reason).toBe(
      'RBAC: allowed by RoleBinding "b/ns" of Role "named" to Group "team"',
    );
  });

  it('follows changes and says which role is missing', () => {
    bind('ns', 'b', 'Role', 'ghost', [{ kind: 'User', name: 'alice' }]);
    expect(authorizer.authorize(ask(alice, 'get deployments.apps a', 'ns'))).toEqual({
      decision: 'no-opinion',
      reason: 'RBAC: role.rbac.authorization.k8s.io "ghost" not found',
    });
    bind('ns', 'b', 'Role', 'named', [{ kind: 'User', name: 'alice' }]);
    expect(allowed(alice, 'get deployments.apps a', 'ns')).toBe(true);
    bind('ns', 'b', 'Role', 'named', [{ kind: 'User', name: 'bob' }]);
    expect(allowed(alice, 'get deployments.apps a', 'ns')).toBe(false);
    bind('ns', 'b', 'Role', 'named', [{ kind: 'User', name: 'alice' }]);
    reader.remove(resources.rolebindings, { namespace: 'ns', name: 'b' });
    expect(allowed(alice, 'get deployments.apps a', 'ns')).toBe(false);
  });
});
