import { beforeAll, describe, expect, test } from 'vitest';
import { FakeClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/logger.ts';
import { parseConfigFile } from '../../../config/index.ts';
import { Query } from '../../request/query.ts';
import { nonResourceInfo, parseRequestInfo, withSelectors } from '../../request/request-info.ts';
import { AuthorizerChain } from '../authorizer-chain.ts';
import { alwaysAllow, alwaysDeny, privilegedGroups } from '../fixed.ts';
import { AUTHORIZATION_KIND, AUTHORIZATION_VERSIONS, readAuthorizationConfig } from './authorization-config.ts';
import { WebhookAuthorizer, type WebhookAuthorizerOptions } from './webhook-authorizer.ts';
import { WebhookConditions } from './webhook-conditions.ts';

const clock = new FakeClock();
const ann = { username: 'ann', groups: ['devs'], uid: '1', extra: { k: ['v'] } };
const pods = { ...parseRequestInfo('GET', '/api/v1/namespaces/ns/pods/p/log', Query.empty), user: ann };
let conditions: WebhookConditions;
beforeAll(async () => {
  conditions = await WebhookConditions.load();
});

function webhook(answer: unknown, change: Partial<WebhookAuthorizerOptions> = {}) {
  const specs: unknown[] = [];
  const post = async (review: unknown): Promise<Readonly<Record<string, unknown>>> => {
    specs.push((review as { spec: unknown }).spec);
    if (answer instanceof Error) throw answer;
    return answer as Readonly<Record<string, unknown>>;
  };
  const options: WebhookAuthorizerOptions = {
    name: 'w',
    version: 'v1',
    timeoutMs: 1000,
    authorizedTTLMs: 2000,
    unauthorizedTTLMs: 1000,
    failurePolicy: 'NoOpinion',
    conditions: [],
    ...change,
  };
  return { specs, authorizer: new WebhookAuthorizer(options, { clock, logger: silentLogger, post }) };
}

test('asks about resources and paths, and keeps the answers', async () => {
  const { specs, authorizer } = webhook({ status: { allowed: true, reason: 'because' } });
  expect(await authorizer.authorize(pods)).toEqual({ decision: 'allow', reason: 'because' });
  await authorizer.authorize({ ...nonResourceInfo('GET', '/x'), user: ann });
  expect(specs).toEqual([
    {
      resourceAttributes: {
        namespace: 'ns',
        verb: 'get',
        version: 'v1',
        resource: 'pods',
        subresource: 'log',
        name: 'p',
      },
      user: 'ann',
      uid: '1',
      groups: ['devs'],
      extra: { k: ['v'] },
    },
    {
      nonResourceAttributes: { path: '/x', verb: 'get' },
      user: 'ann',
      uid: '1',
      groups: ['devs'],
      extra: { k: ['v'] },
    },
  ]);
  await clock.advance(1999);
  await authorizer.authorize(pods);
  expect(specs).toHaveLength(2);
  await clock.advance(1);
  await authorizer.authorize(pods);
  expect(specs).toHaveLength(3);
});

test('says what a list is limited to', async () => {
  const { specs, authorizer } = webhook({ status: { allowed: true } });
  const query = Query.parse('fieldSelector=spec.nodeName%3Dn,a!%3Db&labelSelector=app in (y,x),!old,size>3,team');
  const list = withSelectors(parseRequestInfo('GET', '/api/v1/pods', query), query);
  await authorizer.authorize({ ...list, user: ann });
  expect(specs).toMatchObject([
    {
      resourceAttributes: {
        verb: 'list',
        fieldSelector: {
          requirements: [
            { key: 'spec.nodeName', operator: 'In', values: ['n'] },
            { key: 'a', operator: 'NotIn', values: ['b'] },
          ],
        },
        labelSelector: {
          requirements: [
            { key: 'app', operator: 'In', values: ['x', 'y'] },
            { key: 'old', operator: 'DoesNotExist' },
            { key: 'team', operator: 'Exists' },
          ],
        },
      },
    },
  ]);
});

describe('answers', () => {
  test.each([
    [{ status: { allowed: false, reason: 'no' } }, 'NoOpinion', { decision: 'no-opinion', reason: 'no' }],
    [{ status: { allowed: false, denied: true } }, 'NoOpinion', { decision: 'deny', reason: '' }],
    [{ status: { allowed: true, denied: true } }, 'Deny', { decision: 'deny', reason: '' }],
    [{}, 'NoOpinion', { decision: 'no-opinion', reason: 'the webhook answered without a status' }],
    [new Error('hangs'), 'NoOpinion', { decision: 'no-opinion', reason: 'hangs' }],
    [new Error('hangs'), 'Deny', { decision: 'deny', reason: '' }],
  ] as const)('%j with %s', async (answer, failurePolicy, expected) => {
    expect(await webhook(answer, { failurePolicy }).authorizer.authorize(pods)).toEqual(expected);
  });

  test.each([
    [["request.user == 'ann'"], 1],
    [["request.user == 'bob'"], 0],
    [['has(request.resourceAttributes)', "request.resourceAttributes.namespace == 'ns'"], 1],
    [['has(request.nonResourceAttributes)'], 0],
    [["'devs' in request.groups && request.extra['k'] == ['v']"], 1],
    // One that is false decides, whatever is wrong with the others.
    [["request.nonResourceAttributes.path == '/x'", 'false'], 0],
  ])('conditions %j', async (texts, asked) => {
    const compiled = texts.map((text) => conditions.compile(text));
    const { specs, authorizer } = webhook({ status: { allowed: true } }, { conditions: compiled });
    await authorizer.authorize(pods);
    expect(specs).toHaveLength(asked);
  });

  test('a condition that cannot be told counts as a failure', async () => {
    const compiled = [conditions.compile("request.nonResourceAttributes.path == '/x'")];
    const { authorizer } = webhook({}, { conditions: compiled, failurePolicy: 'Deny' });
    expect(await authorizer.authorize(pods)).toMatchObject({ decision: 'deny' });
  });
});

test('a chain stops where somebody decides, and may change', async () => {
  const denied = webhook({ status: { denied: true } }).authorizer;
  const chain = new AuthorizerChain([privilegedGroups, denied, alwaysAllow]);
  expect(await chain.authorize(pods)).toMatchObject({ decision: 'deny' });
  expect(chain.authorize({ ...pods, user: { ...ann, groups: ['system:masters'] } })).toMatchObject({
    decision: 'allow',
  });
  chain.configure([alwaysDeny]);
  expect(chain.authorize(pods)).toEqual({ decision: 'no-opinion', reason: 'Everything is forbidden.' });
});

describe('AuthorizationConfiguration', () => {
  const read = async (text: string) => {
    const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\n';
    return readAuthorizationConfig(
      await parseConfigFile('authz.yaml', head + text, AUTHORIZATION_VERSIONS, AUTHORIZATION_KIND),
    );
  };
  const hook = (more: string): string => `authorizers:
- type: Webhook
  name: first
  webhook:
    timeout: 3s
    subjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: {type: KubeConfigFile, kubeConfigFile: /etc/hook.yaml}
${more}`;

  test('with everything', async () => {
    const text = `${hook(`    authorizedTTL: 1m
    cacheUnauthorizedRequests: false
    matchConditionSubjectAccessReviewVersion: v1
    matchConditions: [{expression: request.user == 'x'}]
`)}- {type: Node, name: node}\n- {type: RBAC, name: rbac}\n`;
    expect(await read(text)).toMatchObject([
      {
        type: 'Webhook',
        kubeconfig: '/etc/hook.yaml',
        options: {
          name: 'first',
          timeoutMs: 3000,
          authorizedTTLMs: 60_000,
          unauthorizedTTLMs: 0,
          failurePolicy: 'Deny',
          conditions: [{ text: "request.user == 'x'" }],
        },
      },
      { type: 'Node' },
      { type: 'RBAC' },
    ]);
  });

  test.each([
    ['', 'authz.yaml:1: authorizers: at least one authorization mode must be defined'],
    ['authorizers: [{type: ABAC, name: x}]', 'authz.yaml:3: authorizers[0].type: "ABAC" is not one of'],
    [
      'authorizers:\n- {type: RBAC, name: a}\n- {type: RBAC, name: b}',
      'authz.yaml:5: authorizers[1].type: Duplicate value',
    ],
    ['authorizers: [{type: RBAC}]', 'authorizers[0].name: is required'],
    ['authorizers: [{type: RBAC, name: A}]', 'authorizers[0].name: Invalid value: "A"'],
    ['authorizers: [{type: Webhook, name: a}]', 'authorizers[0].webhook: is required'],
    ['authorizers: [{type: RBAC, name: a, webhook: {}}]', 'may only be specified when type=Webhook'],
    [hook('').replace('3s', '40s'), 'authz.yaml:7: authorizers[0].webhook.timeout: must be > 0s and <= 30s'],
    [hook('').replace('3s', 'soon'), 'timeout: time: invalid duration "soon"'],
    [hook('').replace('/etc/hook.yaml', 'hook.yaml'), 'kubeConfigFile: must be an absolute path'],
    [hook('').replace('KubeConfigFile,', 'InClusterConfig,'), 'InClusterConfig is not supported'],
    [hook('    matchConditions: [{expression: "true"}]\n'), 'matchConditionSubjectAccessReviewVersion: is required'],
    [
      hook('    matchConditionSubjectAccessReviewVersion: v1\n    matchConditions: [{expression: request.usr}]\n'),
      'authz.yaml:12: authorizers[0].webhook.matchConditions[0].expression: compilation failed',
    ],
  ])('%s', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});
