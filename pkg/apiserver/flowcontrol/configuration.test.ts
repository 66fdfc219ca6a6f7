import { describe, expect, test } from 'vitest';
import type { UserInfo } from '../../api/user.ts';
import type { RequestInfo } from '../contract.ts';
import { Query } from '../request/query.ts';
import { parseRequestInfo } from '../request/request-info.ts';
import { bootstrapLevels, bootstrapSchemas } from './bootstrap-objects.ts';
import {
  distinguisherOf,
  effectiveObjects,
  type Level,
  levelLimits,
  type Schema,
  SchemaMatcher,
} from './configuration.ts';

const stored = <T>(objects: readonly { name: string; spec: unknown }[]): T[] =>
  objects.map(({ name, spec }) => ({ metadata: { name, uid: `${name}-uid` }, spec }) as T);
const schemas = stored<Schema>(bootstrapSchemas);
const levels = stored<Level>(bootstrapLevels);
const matcher = new SchemaMatcher(schemas, levels);

const user = (username: string, ...groups: string[]): UserInfo => ({
  username,
  groups: [...groups, 'system:authenticated'],
});
const node = user('system:node:n1', 'system:nodes');
const account = (namespace: string, name: string): UserInfo =>
  user(`system:serviceaccount:${namespace}:${name}`, 'system:serviceaccounts', `system:serviceaccounts:${namespace}`);
const request = (method: string, path: string): RequestInfo => parseRequestInfo(method, path, Query.empty);

describe('the schema of a request', () => {
  const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1';
  test.each<[string, UserInfo, RequestInfo, string]>([
    ['an administrator', user('admin', 'system:masters'), request('GET', '/api/v1/pods'), 'exempt'],
    [
      'a probe',
      { username: 'system:anonymous', groups: ['system:unauthenticated'] },
      request('GET', '/readyz'),
      'probes',
    ],
    ['a heartbeat', node, request('PUT', lease), 'system-node-high'],
    ['a node status', node, request('PATCH', '/api/v1/nodes/n1/status'), 'system-node-high'],
    ['pods of a node', node, request('GET', '/api/v1/pods'), 'system-nodes'],
    ['an election', user('system:kube-scheduler'), request('PUT', lease.replace('n1', 's')), 'system-leader-election'],
    ['a scheduler', user('system:kube-scheduler'), request('GET', '/api/v1/pods'), 'kube-scheduler'],
    ['a controller', user('system:kube-controller-manager'), request('GET', '/api/v1/pods'), 'kube-controller-manager'],
    ['a system account', account('kube-system', 'dns'), request('GET', '/api/v1/pods'), 'kube-system-service-accounts'],
    [
      'endpoints of a system controller',
      account('kube-system', 'endpoint-controller'),
      request('PUT', '/api/v1/namespaces/a/endpoints/e'),
      'endpoint-controller',
    ],
    ['an account', account('app', 'default'), request('GET', '/api/v1/pods'), 'service-accounts'],
    ['anybody', user('jane'), request('GET', '/api/v1/pods'), 'global-default'],
    ['a path', user('jane'), request('GET', '/version'), 'global-default'],
  ])('%s', (_, who, info, name) => {
    expect(matcher.match(info, who)?.metadata.name).toBe(name);
  });

  test('the lowest precedence wins, then the first name', () => {
    const rules = [
      {
        subjects: [{ kind: 'User', user: { name: '*' } }],
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['/a/*'] }],
      },
    ];
    const spec = (matchingPrecedence: number) => ({
      priorityLevelConfiguration: { name: 'system' },
      matchingPrecedence,
      rules,
    });
    const own = stored<Schema>([
      { name: 'b', spec: spec(5) },
      { name: 'a', spec: spec(5) },
      { name: 'later', spec: spec(6) },
      { name: 'dangling', spec: { ...spec(1), priorityLevelConfiguration: { name: 'gone' } } },
    ]);
    const match = new SchemaMatcher(own, levels);
    expect(match.match(request('GET', '/a/b'), user('jane'))?.metadata.name).toBe('a');
    expect(match.match(request('GET', '/ab'), user('jane'))).toBeUndefined();
  });

  test('a rule for namespaces covers nothing outside of them', () => {
    const rule = { verbs: ['*'], apiGroups: [''], resources: ['pods'], namespaces: ['*'] };
    const rules = [{ subjects: [{ kind: 'Group', group: { name: 'system:authenticated' } }], resourceRules: [rule] }];
    const spec = { priorityLevelConfiguration: { name: 'system' }, matchingPrecedence: 5, rules };
    const match = new SchemaMatcher(stored<Schema>([{ name: 'pods', spec }]), levels);
    expect(match.match(request('GET', '/api/v1/namespaces/a/pods'), user('jane'))).toBeDefined();
    expect(match.match(request('GET', '/api/v1/pods'), user('jane'))).toBeUndefined();
    expect(match.match(request('GET', '/api/v1/namespaces/a/pods/p/log'), user('jane'))).toBeUndefined();
  });
});

test('flows are told apart by user, by namespace or not at all', () => {
  const info = request('GET', '/api/v1/namespaces/a/pods');
  const named = (name: string): Schema => schemas.find(({ metadata }) => metadata.name === name) as Schema;
  expect(distinguisherOf(named('global-default'), info, user('jane'))).toBe('jane');
  expect(distinguisherOf(named('kube-scheduler'), info, user('jane'))).toBe('a');
  expect(distinguisherOf(named('exempt'), info, user('jane'))).toBe('');
});

test('seats are divided by shares, as upstream divides them', () => {
  const limits = Object.fromEntries(levelLimits(levels, 600).map((one) => [one.name, [one.nominal, one.lendable]]));
  expect(limits).toEqual({
    exempt: [0, 0],
    'catch-all': [13, 0],
    system: [74, 24],
    'node-high': [98, 25],
    'leader-election': [25, 0],
    'workload-high': [98, 49],
    'workload-low': [245, 221],
    'global-default': [49, 25],
  });
});

test('mandatory objects count even where they are missing', () => {
  const names = effectiveObjects([], []);
  expect(names.schemas.map(({ metadata }) => metadata.name)).toEqual(['exempt', 'catch-all']);
  expect(names.levels.map(({ metadata }) => metadata.name)).toEqual(['exempt', 'catch-all']);
});
