import { beforeEach, describe, expect, it } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { ResourceType } from '../../api/object.ts';
import type { UserInfo } from '../../api/user.ts';
import type { AdmissionAttributes } from '../contract.ts';
import { compactRules, uncovered } from './covers.ts';
import { rbacEscalationCheck } from './escalation.ts';
import type { Rule } from './policy-rule.ts';
import { RBACAuthorizer } from './rbac.ts';
import { FakeReader } from './testing/fake-reader.ts';

const alice: UserInfo = { username: 'alice', groups: ['users', 'system:authenticated'] };
const rule = (verbs: string[], kinds: string[], extra: Partial<Rule> = {}): Rule => ({
  verbs,
  apiGroups: [''],
  resources: kinds,
  ...extra,
});

describe('uncovered', () => {
  it.each<[string, Rule[], Rule[], number]>([
    ['the same', [rule(['get'], ['pods'])], [rule(['get'], ['pods'])], 0],
    ['a part', [rule(['get', 'list'], ['pods', 'secrets'])], [rule(['get'], ['pods'])], 0],
    [
      'by two rules together',
      [rule(['get'], ['pods']), rule(['list'], ['pods'])],
      [rule(['get', 'list'], ['pods'])],
      0,
    ],
    ['by a wildcard', [rule(['*'], ['*'])], [rule(['get'], ['pods/log'])], 0],
    ['by a subresource wildcard', [rule(['get'], ['*/scale'])], [rule(['get'], ['pods/scale'])], 0],
    ['a wildcard by single verbs', [rule(['get'], ['pods'])], [rule(['*'], ['pods'])], 1],
    ['all names by one', [rule(['get'], ['pods'], { resourceNames: ['a'] })], [rule(['get'], ['pods'])], 1],
    ['one name by all', [rule(['get'], ['pods'])], [rule(['get'], ['pods'], { resourceNames: ['a'] })], 0],
    ['another group', [rule(['get'], ['pods'])], [rule(['get'], ['pods'], { apiGroups: ['apps'] })], 1],
    [
      'paths',
      [{ verbs: ['get'], nonResourceURLs: ['/a/*'] }],
      [{ verbs: ['get'], nonResourceURLs: ['/a/b', '/a'] }],
      1,
    ],
  ])('%s', (_, owned, requested, missing) => {
    expect(uncovered(owned, requested)).toHaveLength(missing);
  });

  it('is joined again for reading', () => {
    expect(compactRules(uncovered([], [rule(['get', 'list'], ['pods'])]))).toEqual([rule(['get', 'list'], ['pods'])]);
  });
});

describe('rbacEscalationCheck', () => {
  let reader: FakeReader;
  let rbac: RBACAuthorizer;

  function grant(namespace: string, name: string, rules: Rule[]): void {
    reader.put(resources.roles, { metadata: { namespace, name }, rules } as never);
    const subjects = [{ kind: 'User', name: 'alice' }];
    reader.put(resources.rolebindings, {
      metadata: { namespace, name },
      roleRef: { kind: 'Role', name },
      subjects,
    } as never);
  }

  function check(type: ResourceType<never>, object: object, oldObject?: object, user = alice): Promise<void> {
    const named = (from: object) => ({ metadata: { name: 'x', namespace: 'ns' }, ...from });
    const attributes = {
      operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
      definition: { type },
      subresource: '',
      namespace: 'ns',
      name: 'x',
      user,
      object: named(object),
      oldObject: oldObject === undefined ? undefined : named(oldObject),
    } as unknown as AdmissionAttributes;
    return (async () => rbacEscalationCheck({ rbac, authorizer: rbac }).validate?.(attributes))();
  }

  beforeEach(() => {
    reader = new FakeReader();
    rbac = RBACAuthorizer.watch(reader).authorizer;
    reader.put(resources.clusterroles, {
      metadata: { name: 'cluster-admin' },
      rules: [
        { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
        { verbs: ['*'], nonResourceURLs: ['*'] },
      ],
    } as never);
    grant('ns', 'own', [rule(['get', 'list'], ['configmaps'])]);
  });
  const roles = resources.roles as ResourceType<never>;
  const bindings = resources.rolebindings as ResourceType<never>;
  const refTo = (kind: string, name: string) => ({
    roleRef: { kind, name },
    subjects: [{ kind: 'User', name: 'friend' }],
  });

  it('lets a user grant what the user has', async () => {
    await check(roles, { rules: [rule(['get'], ['configmaps'])] });
    await check(bindings, refTo('Role', 'own'));
    await check(roles, { rules: [] });
    await check(roles, { rules: [rule(['*'], ['*'])] }, undefined, { username: 'root', groups: ['system:masters'] });
    const unchanged = { rules: [rule(['get'], ['secrets'])] };
    await check(roles, unchanged, unchanged);
  });

  it("refuses more, in upstream's words", async () => {
    await expect(check(roles, { rules: [rule(['get'], ['secrets'])] })).rejects.toThrow(
      'roles.rbac.authorization.k8s.io "x" is forbidden: user "alice" (groups=["users" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
    );
    await expect(check(bindings, refTo('ClusterRole', 'cluster-admin'))).rejects.toThrow(
      '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}',
    );
    await expect(check(bindings, refTo('Role', 'ghost'))).rejects.toThrow(
      'roles.rbac.authorization.k8s.io "ghost" not found',
    );
  });

  it('leaves aggregation to those with every right', async () => {
    const clusterRoles = resources.clusterroles as ResourceType<never>;
    const aggregated = { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } };
    const message = 'must have cluster-admin privileges to use the aggregationRule';
    await expect(check(clusterRoles, aggregated)).rejects.toThrow(message);
    await expect(check(clusterRoles, { rules: [] }, aggregated)).rejects.toThrow(message);
    reader.put(resources.clusterrolebindings, {
      metadata: { name: 'root' },
      roleRef: { kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'User', name: 'alice' }],
    } as never);
    await check(clusterRoles, aggregated);
  });

  it('lets the holders of bind and escalate', async () => {
    const of = (verb: string, kind: string, names: string[]): Rule => ({
      verbs: [verb],
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: [kind],
      resourceNames: names,
    });
    grant('ns', 'more', [of('bind', 'clusterroles', ['cluster-admin']), of('escalate', 'roles', ['x'])]);
    await check(bindings, refTo('ClusterRole', 'cluster-admin'));
    await check(roles, { rules: [rule(['get'], ['secrets'])] });
  });
});
