import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ResourceDefinition } from '../../../api/definition.ts';
import { isStatusError, type StatusError } from '../../../api/errors.ts';
import { resources } from '../../../api/generated/resources.ts';
import type { ResourceType } from '../../../api/object.ts';
import { builtinDefinitions } from '../../../api/scheme.ts';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/logger.ts';
import { createMetrics } from '../../../base/metrics.ts';
import { RestClientMetrics } from '../../../client/index.ts';
import { FakeReader } from '../../authorization/testing/fake-reader.ts';
import type { AdmissionPlugin } from '../../contract.ts';
import { Definitions } from '../../definitions.ts';
import { SchemaEngine } from '../../registry/schema-engine.ts';
import { WebhookClient } from '../../webhooks/index.ts';
import { FakeWebhook } from '../../webhooks/testing/fake-webhook.ts';
import { Versions } from '../matching/versions.ts';
import { runAdmission, type TestAnswer, type TestRequest } from '../testing/admission-request.ts';
import { mutatingWebhooks, validatingWebhooks, webhookInstruments } from './index.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look at parts of reviews of any kind.
type Any = any;
type Answer = (request: Any) => object;

const definitions = new Definitions(builtinDefinitions());
const clock = systemClock;
let fake: FakeWebhook;
let client: WebhookClient;
let reader: FakeReader;
let plugins: AdmissionPlugin[];
let metrics = createMetrics();
/** By path. */
let answers: Record<string, Answer>;

beforeAll(async () => {
  fake = await FakeWebhook.open();
  client = new WebhookClient({
    clock,
    requests: new RestClientMetrics(createMetrics()),
    resolve: () => ({ host: '127.0.0.1', port: fake.port }),
  });
});

beforeEach(() => {
  fake.bodies.length = 0;
  answers = {};
  fake.handler = (body, request, response) => {
    const review = JSON.parse(body);
    const path = (request.url ?? '').split('?')[0] ?? '';
    const answer = answers[path]?.(review.request) ?? { allowed: true };
    response.end(JSON.stringify({ ...review, response: { uid: review.request.uid, ...answer } }));
  };
  reader = new FakeReader();
  metrics = createMetrics();
  const deps = {
    reader,
    client,
    clock,
    logger: silentLogger,
    conditions: { check: () => Promise.resolve(true) },
    instruments: webhookInstruments(metrics),
    versions: new Versions({ definitions, engine: new SchemaEngine({ definitions }) }),
  };
  plugins = [mutatingWebhooks(deps), validatingWebhooks(deps)];
  reader.put(resources.namespaces, { metadata: { name: 'ns', labels: { team: 'a' } } } as never);
});

afterEach(() => {
  metrics.clear();
});

afterAll(async () => {
  await client.close();
  await fake.close();
});

const RULE = {
  operations: ['*'],
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: ['configmaps'],
  scope: '*',
};

function hook(name: string, more: object = {}): object {
  return {
    name,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    timeoutSeconds: 5,
    namespaceSelector: {},
    objectSelector: {},
    rules: [RULE],
    clientConfig: { url: fake.url(`/${name}`), caBundle: fake.caBundle },
    ...more,
  };
}

function configure(kind: 'mutating' | 'validating', name: string, ...webhooks: object[]): void {
  const type = resources[`${kind}webhookconfigurations`] as ResourceType;
  reader.put(type, { metadata: { name }, webhooks } as never);
}

function run(object: object | undefined, more: Partial<TestRequest> = {}): Promise<TestAnswer> {
  const type = more.type ?? (resources.configmaps as ResourceType<never>);
  const definition = definitions.of(type) as ResourceDefinition;
  return runAdmission(plugins, {
    type,
    definition,
    ...(object === undefined ? {} : { object }),
    ...more,
  });
}

async function refusal(promise: Promise<unknown>): Promise<StatusError> {
  const error: unknown = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(isStatusError(error), String(error)).toBe(true);
  return error as StatusError;
}

function patch(...operations: object[]): object {
  return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') };
}

test('without webhooks nothing is looked at', () => {
  const definition = definitions.of(resources.configmaps) as ResourceDefinition;
  expect(plugins.map((plugin) => plugin.handles('CREATE', definition, ''))).toEqual([false, false]);
});

describe('a review', () => {
  test('says all that is known of the request', async () => {
    configure('validating', 'a', hook('v.example.com'));
    await run(
      { data: { a: 'b' } },
      { oldObject: {}, name: 'x', user: { username: 'u', uid: '1', groups: ['g'], extra: { k: ['v'] } }, dryRun: true },
    );
    const { uid, ...review } = JSON.parse(fake.bodies[0] ?? '').request;
    expect(uid).toMatch(/^[0-9a-f-]{36}$/);
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'ns' } };
    expect(review).toEqual({
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
      requestResource: { group: '', version: 'v1', resource: 'configmaps' },
      name: 'x',
      namespace: 'ns',
      operation: 'UPDATE',
      userInfo: { username: 'u', uid: '1', groups: ['g'], extra: { k: ['v'] } },
      object: { ...object, data: { a: 'b' } },
      oldObject: object,
      dryRun: true,
      options: { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1' },
    });
  });

  test('of a Namespace is in itself', async () => {
    configure('validating', 'a', hook('v.example.com', { rules: [{ ...RULE, resources: ['namespaces'] }] }));
    await run({}, { type: resources.namespaces as ResourceType<never>, name: 'new', namespace: '' });
    expect(JSON.parse(fake.bodies[0] ?? '').request).toMatchObject({ name: 'new', namespace: 'new' });
  });

  test('has the kind of a subresource', async () => {
    const rules = [{ ...RULE, operations: ['CONNECT'], resources: ['pods/exec'] }];
    configure('validating', 'a', hook('v.example.com', { rules }));
    const type = resources.pods as ResourceType<never>;
    await run({ command: ['ls'] }, { type, operation: 'CONNECT', subresource: 'exec', name: 'p' });
    expect(JSON.parse(fake.bodies[0] ?? '').request).toMatchObject({
      kind: { group: '', version: 'v1', kind: 'PodExecOptions' },
      subResource: 'exec',
      requestSubResource: 'exec',
      operation: 'CONNECT',
      oldObject: null,
      options: null,
    });
  });

  test('comes in the version that the rules name', async () => {
    const rules = [{ ...RULE, apiGroups: ['events.k8s.io'], resources: ['events'] }];
    configure('validating', 'a', hook('v.example.com', { rules }));
    const type = resources.events as ResourceType<never>;
    await run({ involvedObject: { kind: 'Pod' }, reason: 'r' }, { type });
    expect(JSON.parse(fake.bodies[0] ?? '').request).toMatchObject({
      kind: { group: 'events.k8s.io', version: 'v1', kind: 'Event' },
      requestKind: { group: '', version: 'v1', kind: 'Event' },
      object: { apiVersion: 'events.k8s.io/v1', regarding: { kind: 'Pod' } },
    });
    configure('validating', 'a', hook('v.example.com', { rules, matchPolicy: 'Exact' }));
    await run({}, { type });
    expect(fake.bodies).toHaveLength(1);
  });
});

test.each([
  ['another operation', { rules: [{ ...RULE, operations: ['DELETE'] }] }],
  ['another resource', { rules: [{ ...RULE, resources: ['pods'] }] }],
  ['a subresource', { rules: [{ ...RULE, resources: ['configmaps/status'] }] }],
  ['the other scope', { rules: [{ ...RULE, scope: 'Cluster' }] }],
  ['another group', { rules: [{ ...RULE, apiGroups: ['apps'] }] }],
  ['a namespace with other labels', { namespaceSelector: { matchLabels: { team: 'b' } } }],
  ['an object with other labels', { objectSelector: { matchLabels: { app: 'b' } } }],
])('a webhook for %s is not asked', async (_what, more) => {
  configure('validating', 'a', hook('v.example.com', more));
  await run({ metadata: { labels: { app: 'a' } } });
  expect(fake.bodies).toEqual([]);
});

test.each([
  ['all resources', { rules: [{ ...RULE, apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }] }],
  ['all subresources', { rules: [{ ...RULE, resources: ['*/*'] }] }],
  ['the old labels', { objectSelector: { matchLabels: { app: 'old' } } }],
  ['the labels of the namespace', { namespaceSelector: { matchLabels: { team: 'a' } } }],
])('a webhook for %s is asked', async (_what, more) => {
  configure('validating', 'a', hook('v.example.com', more));
  await run({ metadata: { labels: { app: 'a' } } }, { oldObject: { metadata: { labels: { app: 'old' } } } });
  expect(fake.bodies).toHaveLength(1);
});

test('webhooks have no say about webhooks', async () => {
  const rules = [{ ...RULE, apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }];
  configure('validating', 'a', hook('v.example.com', { rules }));
  await run({}, { type: resources.validatingwebhookconfigurations as ResourceType<never> });
  expect(fake.bodies).toEqual([]);
});

describe('refusals', () => {
  test.each([
    [undefined, 400, 'admission webhook "v.example.com" denied the request without explanation'],
    [{ message: 'no' }, 400, 'admission webhook "v.example.com" denied the request: no'],
    [{ reason: 'Forbidden', code: 403 }, 403, 'admission webhook "v.example.com" denied the request: Forbidden'],
    [{ code: 200, message: 'odd' }, 400, 'admission webhook "v.example.com" denied the request: odd'],
  ])('with status %o', async (status, code, message) => {
    configure('validating', 'a', hook('v.example.com'));
    answers['/v.example.com'] = () => ({ allowed: false, ...(status === undefined ? {} : { status }) });
    const error = await refusal(run({}));
    expect(error.status).toMatchObject({ code, message, status: 'Failure' });
    const rejections = await metrics.getSingleMetricAsString('apiserver_admission_webhook_rejection_count');
    expect(rejections).toContain(`error_type="no_error",rejection_code="${code}"} 1`);
  });

  test('of a dry run that would have effects', async () => {
    configure('validating', 'a', hook('v.example.com', { sideEffects: 'Some' }));
    const error = await refusal(run({}, { dryRun: true }));
    expect(error.status).toMatchObject({
      code: 400,
      reason: 'BadRequest',
      message: 'admission webhook "v.example.com" does not support dry run',
    });
    expect(fake.bodies).toEqual([]);
  });

  test.each([
    [{ uid: 'x', allowed: true }, /received invalid webhook response: expected response.uid="[^"]+", got "x"$/],
    [{ allowed: true, patchType: 'JSONPatch' }, /validating webhook may not return response.patchType$/],
    [{ allowed: true, patch: 'W10=' }, /validating webhook may not return response.patch$/],
  ])('of an answer that is none: %o', async (answer, message) => {
    configure('validating', 'a', hook('v.example.com'));
    answers['/v.example.com'] = () => answer;
    const error = await refusal(run({}));
    expect(error.message).toMatch(/^Internal error occurred: failed calling webhook "v.example.com": /);
    expect(error.message).toMatch(message);
    expect(error.code).toBe(500);
  });

  test('by a webhook that cannot be reached, unless failures are ignored', async () => {
    const clientConfig = { url: 'https://127.0.0.1:1/x' };
    configure('validating', 'a', hook('v.example.com', { clientConfig }));
    const error = await refusal(run({}));
    expect(error.message).toBe(
      'Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://127.0.0.1:1/x?timeout=5s": dial tcp 127.0.0.1:1: connect: connection refused',
    );
    configure('validating', 'a', hook('v.example.com', { clientConfig, failurePolicy: 'Ignore' }));
    const { annotations } = await run({});
    const rejections = await metrics.getSingleMetricAsString('apiserver_admission_webhook_rejection_count');
    expect(rejections).toContain('error_type="calling_webhook_error",rejection_code="503"} 1');
    const calls = await metrics.getSingleMetricAsString('apiserver_admission_webhook_request_total');
    expect(calls).toContain('rejected="true",code="503"} 1');
    expect(calls).toContain('rejected="false",code="503"} 1');
    expect(annotations).toEqual({ 'failed-open.validating.webhook.admission.k8s.io/round_0_index_0': 'v.example.com' });
  });
});

test('warnings and audit annotations are passed on', async () => {
  configure('validating', 'a', hook('v.example.com'));
  answers['/v.example.com'] = () => ({ allowed: true, warnings: ['careful'], auditAnnotations: { why: 'because' } });
  const { warnings, annotations } = await run({});
  expect(warnings).toEqual(['careful']);
  expect(annotations).toEqual({ 'v.example.com/why': 'because' });
});

describe('mutation', () => {
  test('in the order of the names of configurations', async () => {
    configure('mutating', 'b', hook('second.example.com'));
    configure('mutating', 'a', hook('first.example.com'));
    answers['/first.example.com'] = () => patch({ op: 'add', path: '/data', value: { first: 'yes' } });
    answers['/second.example.com'] = ({ object }) =>
      object.data?.first === 'yes' ? patch({ op: 'add', path: '/data/second', value: 'yes' }) : { allowed: true };
    const { object, annotations } = await run({});
    expect(object['data']).toEqual({ first: 'yes', second: 'yes' });
    expect(annotations['mutation.webhook.admission.k8s.io/round_0_index_1']).toBe(
      '{"configuration":"b","webhook":"second.example.com","mutated":true}',
    );
    expect(annotations['patch.webhook.admission.k8s.io/round_0_index_1']).toBe(
      '{"configuration":"b","webhook":"second.example.com","patch":[{"op":"add","path":"/data/second","value":"yes"}],"patchType":"JSONPatch"}',
    );
  });

  test('one that refuses has not changed anything, and says so', async () => {
    configure('mutating', 'a', hook('first.example.com'));
    answers['/first.example.com'] = () => ({ allowed: false });
    const annotations: Record<string, string> = {};
    await refusal(run({}, { annotations }));
    expect(annotations).toEqual({
      'mutation.webhook.admission.k8s.io/round_0_index_0':
        '{"configuration":"a","webhook":"first.example.com","mutated":false}',
    });
  });

  test('defaults what a patch has added', async () => {
    configure('mutating', 'a', hook('m.example.com', { rules: [{ ...RULE, resources: ['pods'] }] }));
    answers['/m.example.com'] = () =>
      patch({ op: 'add', path: '/spec/initContainers', value: [{ name: 'init', image: 'i' }] });
    const pod = { spec: { containers: [{ name: 'c', image: 'i' }] } };
    const { object } = await run(pod, { type: resources.pods as ResourceType<never> });
    expect(object['spec']).toMatchObject({ initContainers: [{ terminationMessagePolicy: 'File' }] });
  });

  test('converts to the version that a webhook wants, and back', async () => {
    const rules = [{ ...RULE, apiGroups: ['events.k8s.io'], resources: ['events'] }];
    configure('mutating', 'a', hook('m.example.com', { rules }));
    answers['/m.example.com'] = () => patch({ op: 'replace', path: '/regarding/kind', value: 'Node' });
    const type = resources.events as ResourceType<never>;
    const { object } = await run({ involvedObject: { kind: 'Pod' } }, { type });
    expect(object).toMatchObject({ apiVersion: 'v1', involvedObject: { kind: 'Node' } });
  });

  test.each([
    ['Never', 1],
    ['IfNeeded', 2],
  ])('a webhook with reinvocationPolicy %s is asked %i times', async (reinvocationPolicy, times) => {
    configure('mutating', 'a', hook('first.example.com', { reinvocationPolicy }));
    configure('mutating', 'b', hook('second.example.com', { reinvocationPolicy: 'Never' }));
    answers['/second.example.com'] = () => patch({ op: 'add', path: '/data', value: { a: 'b' } });
    await run({});
    const seen = fake.bodies.map((body) => JSON.parse(body).request.object.data);
    expect(seen).toEqual([undefined, undefined, { a: 'b' }].slice(0, times + 1));
  });

  test.each([
    [patch({ op: 'remove', path: '/data/none' }), /^Internal error occurred: /],
    [{ allowed: true, patch: 'e30=' }, /response.patch but not response.patchType$/],
    [{ allowed: true, patchType: 'Merge', patch: 'e30=' }, /unsupported patch type "Merge"$/],
    [{ allowed: true, patchType: 'JSONPatch', patch: '!!' }, /illegal base64 data in response.patch$/],
    [{ allowed: true, patchType: 'JSONPatch', patch: 'e30=' }, /^Internal error occurred: /],
    [patch({ op: 'add', path: '/data', value: 7 }), /^Internal error occurred: /],
  ])('that does not fit is refused: %o', async (answer, message) => {
    configure('mutating', 'a', hook('m.example.com'));
    answers['/m.example.com'] = () => answer;
    const error = await refusal(run({}));
    expect(error.code).toBe(500);
    expect(error.message).toMatch(message);
  });

  test('is not possible for a deletion', async () => {
    configure('mutating', 'a', hook('m.example.com'));
    answers['/m.example.com'] = () => patch({ op: 'add', path: '/data', value: {} });
    const error = await refusal(run(undefined, { operation: 'DELETE', oldObject: {} }));
    expect(error.message).toBe(
      'Internal error occurred: admission webhook "m.example.com" attempted to modify the object, which is not supported for this operation',
    );
  });
});
