import { describe, expect, test } from 'vitest';
import type { UserInfo } from '../../api/user.ts';
import { parseConfigFile } from '../../config/index.ts';
import { Query } from '../request/query.ts';
import { parseRequestInfo } from '../request/request-info.ts';
import { type AuditPolicy, auditPolicy, decide } from './policy.ts';

const parse = async (rules: string): Promise<AuditPolicy> =>
  auditPolicy(
    await parseConfigFile(
      'p.yaml',
      `apiVersion: audit.k8s.io/v1\nkind: Policy\n${rules}`,
      ['audit.k8s.io/v1'],
      'Policy',
    ),
  );

const jane: UserInfo = { username: 'jane', groups: ['dev', 'system:authenticated'] };
const levelOf = (policy: AuditPolicy, method: string, path: string, user: UserInfo | undefined = jane): string =>
  decide(policy, parseRequestInfo(method, path, Query.empty), user).level;

describe('the first rule that matches decides', () => {
  const POLICY = `
omitStages: [RequestReceived]
rules:
- { level: None, users: [system:kube-proxy], verbs: [watch, list] }
- { level: None, nonResourceURLs: [/healthz*, /version] }
- { level: Metadata, resources: [{ group: "", resources: [secrets, "pods/*", "*/scale"] }], omitStages: [ResponseStarted] }
- { level: Request, resources: [{ group: "", resources: [configmaps], resourceNames: [one] }], namespaces: [kube-system] }
- { level: RequestResponse, resources: [{ group: apps }], omitManagedFields: true }
- { level: Metadata, userGroups: [dev] }
`;
  test.each<[string, string, string, UserInfo | undefined]>([
    ['None', 'GET', '/api/v1/pods', { username: 'system:kube-proxy', groups: [] }],
    ['None', 'GET', '/healthz/ping', jane],
    ['None', 'GET', '/version', jane],
    ['Metadata', 'GET', '/api/v1/namespaces/a/secrets/s', { username: 'x', groups: [] }],
    ['Metadata', 'GET', '/api/v1/namespaces/a/pods/p/log', { username: 'x', groups: [] }],
    ['Metadata', 'GET', '/api/v1/namespaces/a/pods', { username: 'x', groups: [] }],
    ['Metadata', 'GET', '/api/v1/namespaces/a/replicationcontrollers/r/scale', { username: 'x', groups: [] }],
    ['None', 'GET', '/api/v1/namespaces/a/services/s/proxy', { username: 'x', groups: [] }],
    ['Request', 'PUT', '/api/v1/namespaces/kube-system/configmaps/one', { username: 'x', groups: [] }],
    ['None', 'PUT', '/api/v1/namespaces/kube-system/configmaps/two', { username: 'x', groups: [] }],
    ['None', 'PUT', '/api/v1/namespaces/other/configmaps/one', { username: 'x', groups: [] }],
    ['RequestResponse', 'GET', '/apis/apps/v1/deployments', { username: 'x', groups: [] }],
    ['Metadata', 'GET', '/metrics', jane],
    ['None', 'GET', '/metrics', undefined],
  ])('%s of %s %s', async (level, method, path, user) => {
    // `pods/*` covers the pods themselves too.
    expect(decide(await parse(POLICY), parseRequestInfo(method, path, Query.empty), user).level).toBe(level);
  });

  test('stages are left out by the policy and by the rule', async () => {
    const info = parseRequestInfo('GET', '/api/v1/secrets', Query.empty);
    expect(decide(await parse(POLICY), info, jane)).toEqual({
      level: 'Metadata',
      omitStages: ['RequestReceived', 'ResponseStarted'],
      omitManagedFields: false,
    });
  });

  test('a rule without conditions matches everything', async () => {
    const policy = await parse('rules: [{ level: Metadata }]');
    expect([levelOf(policy, 'GET', '/metrics'), levelOf(policy, 'GET', '/api/v1/pods')]).toEqual([
      'Metadata',
      'Metadata',
    ]);
  });
});

describe('wrong policies are refused with line and field', () => {
  test.each([
    ['rules: []', 'p.yaml:3: rules: at least one rule is needed'],
    ['rules:\n- levl: None', 'p.yaml:4: rules[0].levl: unknown field; did you mean "level"?'],
    ['rules:\n- level: Everything', 'p.yaml:4: rules[0].level: "Everything" is not one of'],
    [
      'rules:\n- { level: None, nonResourceURLs: ["/a*b"] }',
      'p.yaml:4: rules[0].nonResourceURLs[0]: "/a*b" may have "*" only at its end',
    ],
    [
      'rules:\n- { level: None, nonResourceURLs: [a] }',
      'p.yaml:4: rules[0].nonResourceURLs[0]: "a" must start with "/" or be "*"',
    ],
    [
      'rules:\n- { level: None, nonResourceURLs: [/a], namespaces: [b] }',
      'rules cannot apply to both regular resources and non-resource URLs',
    ],
    ['rules:\n- { level: None, resources: [{ group: apps/v1 }] }', '"apps/v1" is not a group; leave out the version'],
    [
      'rules:\n- { level: None, resources: [{ resourceNames: [a] }] }',
      'using resourceNames requires at least one resource',
    ],
    ['omitStages: [Begin]\nrules: [{ level: None }]', 'p.yaml:3: omitStages[0]: "Begin" is not one of'],
  ])('%j', async (rules, message) => {
    await expect(parse(rules)).rejects.toThrow(message);
  });
});
