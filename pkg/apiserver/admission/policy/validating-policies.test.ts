import { beforeEach, describe, expect, test } from 'vitest';
import { AdmissionExpressions } from '../../../api/admission/index.ts';
import type { ResourceDefinition } from '../../../api/definition.ts';
import { isStatusError, type StatusError } from '../../../api/errors.ts';
import { resources } from '../../../api/generated/resources.ts';
import type { ResourceType } from '../../../api/object.ts';
import { builtinDefinitions } from '../../../api/scheme.ts';
import { systemClock } from '../../../base/clock.ts';
import { createMetrics, type Metrics } from '../../../base/metrics.ts';
import { FakeReader } from '../../authorization/testing/fake-reader.ts';
import type { AdmissionPlugin, AuthorizationAttributes, AuthorizationResult } from '../../contract.ts';
import { Definitions } from '../../definitions.ts';
import { SchemaEngine } from '../../registry/schema-engine.ts';
import { MatchConditionMetrics } from '../expressions/match-condition-metrics.ts';
import { Versions } from '../matching/versions.ts';
import { runAdmission, type TestAnswer, type TestRequest } from '../testing/admission-request.ts';
import { ValidatingPolicyMetrics, validatingPolicies } from './index.ts';

const definitions = new Definitions(builtinDefinitions());
const expressions = AdmissionExpressions.load();
let reader: FakeReader;
let plugins: AdmissionPlugin[];
let metrics: Metrics;
let authorize: (attributes: AuthorizationAttributes) => AuthorizationResult | Promise<AuthorizationResult>;

beforeEach(() => {
  reader = new FakeReader();
  metrics = createMetrics();
  authorize = () => ({ decision: 'no-opinion', reason: '' });
  plugins = [
    validatingPolicies({
      reader,
      clock: systemClock,
      definitions,
      authorizer: { authorize: (attributes) => authorize(attributes) },
      versions: new Versions({ definitions, engine: new SchemaEngine({ definitions }) }),
      conditionMetrics: new MatchConditionMetrics(metrics),
      validatingMetrics: new ValidatingPolicyMetrics(metrics),
      loadExpressions: () => expressions,
    }),
  ];
  reader.put(resources.namespaces, { metadata: { name: 'ns', labels: { team: 'a' } } } as never);
});

const RULE = {
  operations: ['*'],
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  resources: ['deployments'],
  scope: '*',
};

function policy(name: string, spec: object): void {
  const matchConstraints = {
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    resourceRules: [RULE],
  };
  const whole = { metadata: { name }, spec: { failurePolicy: 'Fail', matchConstraints, ...spec } };
  reader.put(resources.validatingadmissionpolicies, whole as never);
}

function bind(name: string, policyName: string, spec: object = {}): void {
  const whole = { metadata: { name }, spec: { policyName, validationActions: ['Deny'], ...spec } };
  reader.put(resources.validatingadmissionpolicybindings, whole as never);
}

function run(replicas: number, more: Partial<TestRequest> = {}): Promise<TestAnswer> {
  const type = resources.deployments as ResourceType<never>;
  const definition = definitions.of(type) as ResourceDefinition;
  return runAdmission(plugins, { type, definition, name: 'd', object: { spec: { replicas } }, ...more });
}

async function refusal(promise: Promise<unknown>): Promise<StatusError> {
  const error: unknown = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(isStatusError(error), String(error)).toBe(true);
  return error as StatusError;
}

test('a policy that is not bound does nothing', async () => {
  policy('p', { validations: [{ expression: 'false' }] });
  expect(plugins[0]?.handles('CREATE', definitions.of(resources.deployments) as ResourceDefinition, '')).toBe(false);
  await run(1);
});

test('a violation refuses the request', async () => {
  policy('p', { validations: [{ expression: 'object.spec.replicas <= 5' }] });
  bind('b', 'p');
  await run(5);
  const error = await refusal(run(6));
  const text =
    "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: object.spec.replicas <= 5";
  expect(error.status).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `deployments.apps "d" is forbidden: ${text}`,
    reason: 'Invalid',
    details: { name: 'd', group: 'apps', kind: 'deployments', causes: [{ message: text }] },
    code: 422,
  });
});

test.each([
  ['its message', { message: ' too many ' }, 'too many'],
  ['its messageExpression', { messageExpression: "'have ' + string(object.spec.replicas)" }, 'have 6'],
  ['the message when that fails', { message: 'm', messageExpression: 'string(object.x)' }, 'm'],
  ['the message when that has lines', { message: 'm', messageExpression: "'a\\nb'" }, 'm'],
])('a violation says %s', async (_what, validation, message) => {
  policy('p', { validations: [{ expression: 'object.spec.replicas <= 5', ...validation }] });
  bind('b', 'p');
  expect((await refusal(run(6))).message.split('denied request: ')[1]).toBe(message);
});

test.each([
  ['Forbidden', 403],
  ['Unauthorized', 401],
  ['RequestEntityTooLarge', 413],
  ['Invalid', 422],
])('a violation with reason %s has code %i', async (reason, code) => {
  policy('p', { validations: [{ expression: 'false', reason }] });
  bind('b', 'p');
  expect((await refusal(run(1))).status).toMatchObject({ reason, code });
});

test('bindings may warn and audit', async () => {
  policy('p', { validations: [{ expression: 'true' }, { expression: 'false', message: 'no' }] });
  bind('b', 'p', { validationActions: ['Warn', 'Audit'] });
  const { warnings, annotations } = await run(1);
  expect(warnings).toEqual(["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': no"]);
  expect(annotations).toEqual({
    'validation.policy.admission.k8s.io/validation_failure':
      '[{"message":"no","policy":"p","binding":"b","expressionIndex":1,"validationActions":["Warn","Audit"]}]',
  });
});

test('the violations of all bindings that audit are in one annotation', async () => {
  policy('p', { validations: [{ expression: 'false', message: 'no' }] });
  bind('a', 'p', { validationActions: ['Audit'] });
  bind('b', 'p', { validationActions: ['Audit'] });
  const { annotations } = await run(1);
  const failures: unknown = JSON.parse(annotations['validation.policy.admission.k8s.io/validation_failure'] ?? '');
  expect(failures).toMatchObject([{ binding: 'a' }, { binding: 'b' }]);
});

test('what was done is counted, and conditions that exclude or fail', async () => {
  policy('judged', { validations: [{ expression: 'false' }, { expression: 'true' }] });
  bind('b1', 'judged', { validationActions: ['Warn'] });
  policy('ignored', { failurePolicy: 'Ignore', validations: [{ expression: 'object.spec.nothing' }] });
  bind('b2', 'ignored');
  policy('excluded', { matchConditions: [{ name: 'c', expression: 'false' }], validations: [{ expression: 'false' }] });
  bind('b3', 'excluded');
  await run(1);
  const lines = (await metrics.metrics()).split('\n').filter((line) => /(_check|errors|exclusions)_total\{/.test(line));
  expect(lines).toEqual([
    'apiserver_admission_match_condition_exclusions_total{name="excluded",kind="policy",type="validate",operation="CREATE"} 1',
    'apiserver_validating_admission_policy_check_total{policy="ignored",policy_binding="b2",error_type="compile_error",enforcement_action="allow"} 1',
    'apiserver_validating_admission_policy_check_total{policy="judged",policy_binding="b1",error_type="invalid_error",enforcement_action="warn"} 1',
  ]);
});

describe('parameters', () => {
  beforeEach(() => {
    policy('p', {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [{ expression: 'params == null || object.spec.replicas <= int(params.data.max)' }],
    });
    for (const [name, max, namespace] of [
      ['three', '3', 'ns'],
      ['five', '5', 'ns'],
      ['one', '1', 'other'],
    ] as const) {
      reader.put(resources.configmaps, { metadata: { name, namespace, labels: { max } }, data: { max } } as never);
    }
  });

  test.each([
    ['by name', { name: 'three' }, 4],
    ['by name in another namespace', { name: 'one', namespace: 'other' }, 2],
    ['by labels', { selector: { matchLabels: { max: '5' } } }, 6],
    ['all of them', { selector: {} }, 4],
  ])('are found %s', async (_how, paramRef, tooMany) => {
    bind('b', 'p', { paramRef: { parameterNotFoundAction: 'Deny', ...paramRef } });
    await run(tooMany - 1);
    await refusal(run(tooMany));
  });

  test('may be missing', async () => {
    bind('b', 'p', { paramRef: { name: 'gone', parameterNotFoundAction: 'Allow' } });
    await run(9);
    bind('b', 'p', { paramRef: { name: 'gone', parameterNotFoundAction: 'Deny' } });
    expect((await refusal(run(9))).message).toContain(
      "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
    );
    bind('b', 'p');
    await run(9);
  });

  test('have to be of a kind that is served', async () => {
    policy('p', { paramKind: { apiVersion: 'x/v1', kind: 'X' }, validations: [{ expression: 'true' }] });
    bind('b', 'p');
    expect((await refusal(run(1))).message).toContain(
      "ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'x/v1, Kind=X'",
    );
  });
});

test('variables are worked out when they are asked for, once', async () => {
  policy('p', {
    variables: [
      { name: 'broken', expression: 'object.nothing.at.all' },
      { name: 'replicas', expression: 'object.spec.replicas' },
      { name: 'half', expression: 'variables.replicas / 2' },
    ],
    validations: [{ expression: 'variables.half + variables.half < 5 || variables.broken' }],
  });
  bind('b', 'p');
  await run(4);
  expect((await refusal(run(6))).message).toContain(
    `resulted in error: composited variable "broken" fails to evaluate: no such key: nothing`,
  );
});

test('expressions see the request, its namespace and the old object', async () => {
  policy('p', {
    validations: [
      {
        expression:
          "request.operation == 'UPDATE' && request.kind.kind == 'Deployment' && request.name == 'd' && request.userInfo.username == 'alice' && namespaceObject.metadata.labels.team == 'a' && oldObject.spec.replicas < object.spec.replicas && !request.dryRun",
      },
    ],
  });
  bind('b', 'p');
  await run(2, { oldObject: { spec: { replicas: 1 } } });
  await refusal(run(1, { oldObject: { spec: { replicas: 1 } } }));
});

test.each([
  ['at once', (result: AuthorizationResult) => result],
  ['later', (result: AuthorizationResult) => Promise.resolve(result)],
])('expressions ask the authorizer, which answers %s', async (_when, answer) => {
  const asked: AuthorizationAttributes[] = [];
  authorize = (attributes) => {
    asked.push(attributes);
    return answer({ decision: attributes.verb === 'scale' ? 'allow' : 'no-opinion', reason: '' });
  };
  policy('p', {
    validations: [
      { expression: "authorizer.requestResource.check('scale').allowed()" },
      { expression: "!authorizer.group('').resource('pods').namespace('ns').check('delete').allowed()" },
      { expression: "!authorizer.serviceAccount('ns', 'sa').path('/x').check('get').allowed()" },
    ],
  });
  bind('b', 'p');
  await run(1);
  expect(
    asked.map(({ user, verb, group, resource, path, name }) => [user.username, verb, group, resource, path, name]),
  ).toEqual([
    ['alice', 'scale', 'apps', 'deployments', '', 'd'],
    ['alice', 'delete', '', 'pods', '', ''],
    ['system:serviceaccount:ns:sa', 'get', '', '', '/x', ''],
  ]);
});

describe('what cannot be evaluated', () => {
  test.each([
    ['object.x == 1', /expression 'object.x == 1' resulted in error: no such key: x$/],
    ['nope', /compilation error: compilation failed: ERROR: <input>:1:1: undeclared reference to 'nope'/],
    ["'text'", /compilation error: must evaluate to bool but got string$/],
  ])('%s', async (expression, message) => {
    policy('p', { validations: [{ expression }] });
    bind('b', 'p');
    const error = await refusal(run(1));
    expect(error.message).toMatch(message);
    expect(error.status).toMatchObject({ reason: 'Invalid', code: 422 });
    policy('p', { failurePolicy: 'Ignore', validations: [{ expression }] });
    await run(1);
  });

  test('what costs too much is refused with the reason', async () => {
    const numbers = '[1,2,3,4,5,6,7,8,9,10]';
    const nested = (depth: number): string =>
      depth === 0 ? 'object.spec.replicas > 0' : `${numbers}.all(x${depth}, ${nested(depth - 1)})`;
    policy('p', { validations: [{ expression: nested(7) }] });
    bind('b', 'p');
    expect((await refusal(run(1))).message).toContain('operation cancelled: actual cost limit exceeded');
  });
});

test('a policy that costs much lets others have their turn', async () => {
  const numbers = '[1,2,3,4,5,6,7,8,9,10]';
  const nested = (depth: number): string =>
    depth === 0 ? 'object.spec.replicas > 0' : `${numbers}.all(x${depth}, ${nested(depth - 1)})`;
  policy('p', { validations: Array.from({ length: 4 }, () => ({ expression: nested(4) })) });
  bind('b', 'p');
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  await run(1);
  setImmediate(count);
  await run(1);
  isOver = true;
  expect(turns).toBeGreaterThanOrEqual(3);
});

test.each([
  ['a condition that is false', { matchConditions: [{ name: 'c', expression: 'object.spec.replicas > 5' }] }],
  [
    'a condition that fails, when failures are ignored',
    { failurePolicy: 'Ignore', matchConditions: [{ name: 'c', expression: 'object.x' }] },
  ],
])('%s keeps the policy out', async (_what, spec) => {
  policy('p', { validations: [{ expression: 'false' }], ...spec });
  bind('b', 'p');
  await run(1);
});

test('matchConstraints and matchResources narrow down what a policy is about', async () => {
  const constraints = (more: object): object => ({ matchConstraints: { resourceRules: [RULE], ...more } });
  const validations = [{ expression: 'false' }];
  bind('b', 'p');
  for (const more of [
    { excludeResourceRules: [{ ...RULE, resourceNames: ['d'] }] },
    { resourceRules: [{ ...RULE, resourceNames: ['other'] }] },
    { namespaceSelector: { matchLabels: { team: 'b' } } },
    { objectSelector: { matchLabels: { app: 'x' } } },
  ]) {
    policy('p', { validations, ...constraints(more) });
    await run(1);
  }
  policy('p', { validations, ...constraints({ excludeResourceRules: [{ ...RULE, resourceNames: ['other'] }] }) });
  await refusal(run(1));
  bind('b', 'p', { matchResources: { namespaceSelector: { matchLabels: { team: 'b' } } } });
  await run(1);
});

test('audit annotations', async () => {
  policy('p', {
    auditAnnotations: [
      { key: 'many', valueExpression: "object.spec.replicas > 5 ? 'replicas: ' + string(object.spec.replicas) : ''" },
      { key: 'never', valueExpression: 'null' },
    ],
  });
  bind('b', 'p');
  bind('c', 'p');
  expect((await run(6)).annotations).toEqual({ 'p/many': 'replicas: 6' });
  expect((await run(1)).annotations).toEqual({});
});
