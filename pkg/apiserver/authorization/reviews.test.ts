import { beforeEach, describe, expect, it } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { KubeObject } from '../../api/object.ts';
import type { UserInfo } from '../../api/user.ts';
import { RBACAuthorizer } from './rbac.ts';
import { type ReviewDeps, reviewHandlers } from './reviews.ts';
import { FakeReader } from './testing/fake-reader.ts';

const alice: UserInfo = { username: 'alice', uid: 'u', groups: ['team'], extra: { key: ['a'] } };
let deps: ReviewDeps;

beforeEach(() => {
  const reader = new FakeReader();
  reader.put(resources.roles, {
    metadata: { namespace: 'ns', name: 'r' },
    rules: [
      { verbs: ['get'], apiGroups: [''], resources: ['configmaps'] },
      { verbs: ['list'], apiGroups: [''], resources: ['configmaps'] },
      { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['z'] },
    ],
  } as never);
  reader.put(resources.rolebindings, {
    metadata: { namespace: 'ns', name: 'b' },
    roleRef: { kind: 'Role', name: 'r' },
    subjects: [{ kind: 'User', name: 'alice' }],
  } as never);
  const { authorizer } = RBACAuthorizer.watch(reader);
  deps = { authorizer, rbac: authorizer, tokens: [], audiences: ['api'] };
});

async function review(
  resource: string,
  spec: object | undefined,
  user = alice,
  namespace = '',
  metadata: object = {},
): Promise<Record<string, never>> {
  const handler = reviewHandlers.get(resource);
  if (handler === undefined) throw new Error(`no handler for ${resource}`);
  const body = spec === undefined ? { metadata } : { metadata, spec };
  return (await handler(body as unknown as KubeObject, user, deps, namespace, 0)) as never;
}

const attributes = (verb: string, resource: string, namespace = 'ns') => ({
  resourceAttributes: { verb, resource, namespace },
});

describe('reviewHandlers', () => {
  it('answers access reviews for oneself and for others', async () => {
    const self = 'authorization.k8s.io/selfsubjectaccessreviews';
    expect(await review(self, attributes('get', 'configmaps'))).toMatchObject({
      metadata: {},
      status: { allowed: true, reason: 'RBAC: allowed by RoleBinding "b/ns" of Role "r" to User "alice"' },
    });
    expect(await review(self, attributes('delete', 'configmaps'))).toMatchObject({ status: { allowed: false } });
    expect((await review(self, attributes('get', 'configmaps', ''))).status).toEqual({ allowed: false });
    const other = 'authorization.k8s.io/subjectaccessreviews';
    const asBob = { ...attributes('get', 'configmaps'), user: 'bob', groups: ['x'] };
    expect(await review(other, asBob)).toMatchObject({ status: { allowed: false } });
    expect(await review(other, { ...asBob, user: 'alice' })).toMatchObject({ status: { allowed: true } });
    const master = { nonResourceAttributes: { path: '/metrics', verb: 'get' }, groups: ['system:masters'] };
    expect(await review(other, master)).toMatchObject({ status: { allowed: true } });
  });

  it('answers rules without the question', async () => {
    const answer = await review('authorization.k8s.io/selfsubjectrulesreviews', { namespace: 'ns' });
    expect(answer).toMatchObject({ spec: {} });
    expect(answer).not.toHaveProperty('spec.namespace');
  });

  it.each([
    ['authorization.k8s.io/subjectaccessreviews', attributes('get', 'pods'), 422],
    ['authorization.k8s.io/subjectaccessreviews', { user: 'a' }, 422],
    ['authorization.k8s.io/selfsubjectaccessreviews', undefined, 422],
    ['authorization.k8s.io/selfsubjectaccessreviews', { ...attributes('get', 'pods'), nonResourceAttributes: {} }, 422],
    ['authorization.k8s.io/localsubjectaccessreviews', { ...attributes('get', 'pods', 'other'), user: 'a' }, 422],
    ['authorization.k8s.io/selfsubjectrulesreviews', {}, 400],
    ['authentication.k8s.io/tokenreviews', {}, 400],
  ])('refuses a wrong %s', async (resource, spec, code) => {
    await expect(review(resource, spec, alice, 'ns')).rejects.toMatchObject({ code });
  });

  const owned = { managedFields: [{ manager: 'm' }] };

  it('accepts owners and the namespace as metadata, and nothing else', async () => {
    const self = 'authorization.k8s.io/selfsubjectaccessreviews';
    const local = 'authorization.k8s.io/localsubjectaccessreviews';
    const spec = { ...attributes('get', 'pods'), user: 'bob' };
    expect(await review(self, spec, alice, '', owned)).toMatchObject({ metadata: owned });
    expect(await review(local, spec, alice, 'ns', { ...owned, namespace: 'ns' })).toMatchObject({ status: {} });
    await expect(review(self, spec, alice, '', { ...owned, labels: { a: '<' }, name: 'n' })).rejects.toThrow(
      '.authorization.k8s.io "" is invalid: metadata: Invalid value: {"name":"n","labels":{"a":"\\u003c"},"managedFields":[{"manager":"m"}]}: must be empty',
    );
    await expect(review(local, spec, alice, 'ns', { name: 'n', namespace: 'ns' })).rejects.toThrow(
      'metadata: Invalid value: {"name":"n","namespace":"ns"}: must be empty except for namespace',
    );
  });

  it('shows paths as they are, and tells of the subject before selectors', async () => {
    const both = { resourceAttributes: { labelSelector: {} }, nonResourceAttributes: { path: '/a', verb: 'get' } };
    await expect(review('authorization.k8s.io/subjectaccessreviews', both)).rejects.toThrow(
      /\[spec\.nonResourceAttributes: Invalid value: \{"Path":"\/a","Verb":"get"\}: cannot be .*, spec\.user: .*, spec\.resourceAttributes\.labelSelector/,
    );
  });

  it('answers about oneself without the metadata that was sent', async () => {
    const rules = 'authorization.k8s.io/selfsubjectrulesreviews';
    expect(await review(rules, { namespace: 'ns' }, alice, '', { name: 'n' })).toMatchObject({ metadata: {} });
    const { metadata } = await review('authentication.k8s.io/selfsubjectreviews', {}, alice, '', { name: 'n' });
    expect(metadata).toEqual({ creationTimestamp: '1970-01-01T00:00:00Z' });
  });

  it.each([
    [
      { fieldSelector: { rawSelector: 'a=b', requirements: [{ key: 'a', operator: 'Frobnicate' }] } },
      'fieldSelector.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements',
    ],
    [
      { labelSelector: {} },
      'labelSelector.requirements: Required value: when spec.resourceAttributes.labelSelector is specified, requirements or rawSelector is required',
    ],
    [
      { fieldSelector: { requirements: [{ key: 'a', operator: 'In' }] } },
      "fieldSelector.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
  ])('refuses selectors like %j', async (selectors, message) => {
    const spec = { resourceAttributes: { verb: 'list', resource: 'pods', ...selectors } };
    await expect(review('authorization.k8s.io/selfsubjectaccessreviews', spec)).rejects.toThrow(
      `is invalid: spec.resourceAttributes.${message}`,
    );
  });

  it.each([
    [{ rawSelector: 'spec.nodeName=n1' }, [{ field: 'spec.nodeName', equal: true, value: 'n1' }]],
    [{ rawSelector: '&' }, undefined],
    [
      {
        requirements: [
          { key: 'a', operator: 'NotIn', values: ['b'] },
          { key: 'c', operator: 'Exists' },
        ],
      },
      [{ field: 'a', equal: false, value: 'b' }],
    ],
  ])('passes fields on: %j', async (fieldSelector, expected) => {
    let seen: unknown;
    deps = {
      ...deps,
      authorizer: {
        authorize: (request) => {
          seen = request.fieldSelector;
          return { decision: 'allow', reason: '' };
        },
      },
    };
    const spec = { resourceAttributes: { verb: 'list', resource: 'pods', fieldSelector } };
    await review('authorization.k8s.io/selfsubjectaccessreviews', spec);
    expect(seen).toEqual(expected);
  });

  it.each([
    [
      { fieldSelector: { requirements: [{ key: '', operator: 'Odd' }] } },
      'fieldSelector.requirements[0].key: Required',
    ],
    [
      { labelSelector: { requirements: [{ key: 'a b', operator: 'Exists' }] } },
      'labelSelector.requirements[0].key: Invalid',
    ],
    [
      { labelSelector: { requirements: [{ key: 'a', operator: 'In', values: ['b c'] }] } },
      'labelSelector.requirements[0].values[0]: Invalid',
    ],
  ])('looks at the names in selectors: %j', async (selectors, message) => {
    const spec = { resourceAttributes: { verb: 'list', resource: 'pods', ...selectors } };
    await expect(review('authorization.k8s.io/selfsubjectaccessreviews', spec)).rejects.toThrow(message);
  });

  it.each([
    [{ fieldSelector: { rawSelector: '&' } }, 'fieldSelector ignored'],
    [{ labelSelector: { requirements: [{ key: 'a', operator: 'Odd' }] } }, 'labelSelector ignored'],
    [
      {
        fieldSelector: {
          requirements: [
            { key: 'a', operator: 'In', values: ['b'] },
            { key: 'a', operator: 'Exists' },
          ],
        },
      },
      'fieldSelector partially ignored',
    ],
  ])('tells what it could not read: %j', async (selectors, text) => {
    const spec = { resourceAttributes: { verb: 'list', resource: 'pods', ...selectors } };
    expect((await review('authorization.k8s.io/selfsubjectaccessreviews', spec)).status).toMatchObject({
      evaluationError: `spec.resourceAttributes.${text} due to parse error`,
    });
  });

  it('does not repeat of whose rules it was asked', async () => {
    expect((await review('authorization.k8s.io/selfsubjectrulesreviews', { namespace: 'ns' })).spec).toEqual({});
  });

  it('lists the rules of a user, joined where they differ in verbs only', async () => {
    expect((await review('authorization.k8s.io/selfsubjectrulesreviews', { namespace: 'ns' })).status).toEqual({
      resourceRules: [
        { verbs: ['get', 'list'], apiGroups: [''], resources: ['configmaps'] },
        { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['z'] },
      ],
      nonResourceRules: [],
      incomplete: false,
    });
  });

  it('tells a user who it is', async () => {
    const { metadata, status } = await review('authentication.k8s.io/selfsubjectreviews', undefined);
    expect(status).toEqual({ userInfo: alice });
    expect(metadata).toEqual({ creationTimestamp: '1970-01-01T00:00:00Z' });
  });
});
