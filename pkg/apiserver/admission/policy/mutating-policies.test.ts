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
import type { AdmissionPlugin } from '../../contract.ts';
import { Definitions } from '../../definitions.ts';
import { SchemaEngine } from '../../registry/schema-engine.ts';
import { MatchConditionMetrics } from '../expressions/match-condition-metrics.ts';
import { Versions } from '../matching/versions.ts';
import { runAdmission, type TestAnswer, type TestRequest } from '../testing/admission-request.ts';
import { MutatingPolicyMetrics, mutatingPolicies } from './index.ts';

const definitions = new Definitions(builtinDefinitions());
const expressions = AdmissionExpressions.load();
let reader: FakeReader;
let plugins: AdmissionPlugin[];
let metrics: Metrics;

beforeEach(() => {
  reader = new FakeReader();
  metrics = createMetrics();
  plugins = [
    mutatingPolicies({
      reader,
      definitions,
      clock: systemClock,
      conditionMetrics: new MatchConditionMetrics(metrics),
      mutatingMetrics: new MutatingPolicyMetrics(metrics),
      authorizer: { authorize: () => ({ decision: 'no-opinion', reason: '' }) },
      versions: new Versions({ definitions, engine: new SchemaEngine({ definitions }) }),
      loadExpressions: () => expressions,
    }),
  ];
  reader.put(resources.namespaces, { metadata: { name: 'ns' } } as never);
});

const RULE = { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], scope: '*' };

function policy(name: string, spec: object): void {
  const matchConstraints = { matchPolicy: 'Equivalent', resourceRules: [RULE] };
  const whole = {
    metadata: { name },
    spec: { failurePolicy: 'Fail', reinvocationPolicy: 'Never', matchConstraints, ...spec },
  };
  reader.put(resources.mutatingadmissionpolicies, whole as never);
  const binding = { metadata: { name: `${name}-binding` }, spec: { policyName: name } };
  reader.put(resources.mutatingadmissionpolicybindings, binding as never);
}

function apply(expression: string): object {
  return { patchType: 'ApplyConfiguration', applyConfiguration: { expression } };
}

function json(expression: string): object {
  return { patchType: 'JSONPatch', jsonPatch: { expression } };
}

function run(object: object = {}, more: Partial<TestRequest> = {}): Promise<TestAnswer> {
  const type = resources.pods as ResourceType<never>;
  const definition = definitions.of(type) as ResourceDefinition;
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  return runAdmission(plugins, { type, definition, name: 'p', object: { spec, ...object }, ...more });
}

async function refusal(promise: Promise<unknown>): Promise<StatusError> {
  const error: unknown = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(isStatusError(error), String(error)).toBe(true);
  return error as StatusError;
}

describe('an apply configuration', () => {
  test('is merged into the object, and what it adds is defaulted', async () => {
    policy('sidecar', {
      matchConditions: [
        { name: 'once', expression: "!object.spec.?initContainers.orValue([]).exists(c, c.name == 'mesh')" },
      ],
      mutations: [
        apply(`Object{
          metadata: Object.metadata{labels: {"meshed": "yes"}},
          spec: Object.spec{
            initContainers: [Object.spec.initContainers.item{name: "mesh", image: "proxy:v1", restartPolicy: "Always"}]
          }
        }`),
      ],
    });
    const { object } = await run({ metadata: { labels: { app: 'a' } } });
    expect(object['metadata']).toMatchObject({ labels: { app: 'a', meshed: 'yes' } });
    expect(object['spec']).toMatchObject({
      containers: [{ name: 'c', image: 'i' }],
      initContainers: [{ name: 'mesh', image: 'proxy:v1', terminationMessagePolicy: 'File' }],
    });
  });

  test('has optional fields', async () => {
    const expression =
      'Object{metadata: Object.metadata{?labels: has(object.metadata.labels) ? optional.none() : optional.of({"a": "b"})}}';
    policy('p', { mutations: [apply(expression)] });
    expect((await run()).object['metadata']).toMatchObject({ labels: { a: 'b' } });
    expect((await run({ metadata: { labels: { c: 'd' } } })).object['metadata']).toMatchObject({ labels: { c: 'd' } });
  });

  test.each([
    [
      'Object{spec: Object.spec{tolerations: [Object.spec.tolerations.item{key: "k"}]}}',
      'may not mutate atomic arrays, maps or structs: .spec.tolerations',
    ],
    [
      'Object{spec: Object.wrong{hostNetwork: true}}',
      'type mismatch: unexpected type name "Object.wrong", expected "Object.spec"',
    ],
    [
      'Object{spec: Object.spec{nothing: 1}}',
      'error applying patch: failed to convert patch object to typed object: .spec.nothing',
    ],
    ['{"a": "b"}', 'must evaluate to Object but got map(string, string)'],
    ['Object{spec: object.spec.nothing}', 'resulted in error: no such key: nothing'],
  ])('that does not fit is refused: %s', async (expression, message) => {
    policy('p', { mutations: [apply(expression)] });
    const { status } = await refusal(run());
    expect(status.message).toMatch(/^policy 'p' with binding 'p-binding' denied request: /);
    expect(status.message).toContain(message);
    expect(status).toMatchObject({ code: 403, reason: 'Invalid', details: { name: 'p', kind: 'pods' } });
    policy('p', { failurePolicy: 'Ignore', mutations: [apply(expression)] });
    await run();
  });
});

describe('a JSON patch', () => {
  test('may hold objects, lists and computed paths', async () => {
    policy('p', {
      variables: [{ name: 'key', expression: "'example.com/x'" }],
      mutations: [
        json(`[
          JSONPatch{op: "add", path: "/metadata/annotations", value: {}},
          JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey(variables.key), value: "1"},
          JSONPatch{op: "add", path: "/spec/tolerations", value: [Object.spec.tolerations.item{key: "k", operator: "Exists"}]}
        ]`),
      ],
    });
    const { object } = await run();
    expect(object['metadata']).toMatchObject({ annotations: { 'example.com/x': '1' } });
    expect(object['spec']).toMatchObject({ tolerations: [{ key: 'k', operator: 'Exists' }] });
  });

  test('whose test fails changes nothing', async () => {
    const expression = `[JSONPatch{op: "test", path: "/spec/containers/0/image", value: "other"},
      JSONPatch{op: "replace", path: "/spec/containers/0/image", value: "new"}]`;
    policy('p', { mutations: [json(expression)] });
    expect((await run()).object['spec']).toMatchObject({ containers: [{ image: 'i' }] });
  });

  test.each([
    ['[JSONPatch{op: "remove", path: "/spec/nothing"}]', 'JSONPath: '],
    ['[JSONPatch{op: 1, path: "/x"}]', "expected type of field 'op' is 'string' but provided type is 'int'"],
    ['[JSONPatch{verb: "add"}]', "undefined field 'verb'"],
    ['["x"]', 'must evaluate to list(JSONPatch) but got list(string)'],
  ])('that does not fit is refused: %s', async (expression, message) => {
    policy('p', { mutations: [json(expression)] });
    expect((await refusal(run())).message).toContain(message);
  });
});

test('mutations see what the ones before have done', async () => {
  policy('p', {
    mutations: [
      apply('Object{metadata: Object.metadata{labels: {"n": "1"}}}'),
      apply('Object{metadata: Object.metadata{annotations: {"seen": object.metadata.labels.n}}}'),
    ],
  });
  expect((await run()).object['metadata']).toMatchObject({ annotations: { seen: '1' } });
});

test.each([
  ['Never', undefined],
  ['IfNeeded', 'b'],
])('a policy with reinvocationPolicy %s sees the changes of later ones: %s', async (reinvocationPolicy, seen) => {
  policy('a', {
    reinvocationPolicy,
    mutations: [
      apply('Object{metadata: Object.metadata{annotations: {"seen": object.metadata.?labels.?by.orValue("")}}}'),
    ],
  });
  policy('b', { mutations: [apply('Object{metadata: Object.metadata{labels: {"by": "b"}}}')] });
  const { metadata } = (await run()).object as unknown as { metadata: { annotations: Record<string, string> } };
  expect(metadata.annotations['seen'] || undefined).toBe(seen);
});

test('deletions have nothing to change', async () => {
  policy('p', { mutations: [apply('Object{metadata: Object.metadata{labels: {"a": "b"}}}')] });
  const type = resources.pods as ResourceType<never>;
  const definition = definitions.of(type) as ResourceDefinition;
  await runAdmission(plugins, { type, definition, operation: 'DELETE', oldObject: {} });
});
