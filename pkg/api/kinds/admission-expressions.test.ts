import { expect, test } from 'vitest';
import { mutatingPolicyExpressions, validatingPolicyExpressions, webhookExpressions } from './admission-expressions.ts';

const text = (errors: readonly { field: string; message: string }[]): string[] =>
  errors.map(({ field, message }) => `${field}: ${message.split('\n')[0]}`);

test('expressions of validating policies are compiled', async () => {
  const spec = {
    variables: [
      { name: 'a', expression: 'object.spec' },
      { name: 'b', expression: 'nope' },
    ],
    matchConditions: [{ name: 'c', expression: '1' }],
    validations: [{ expression: 'variables.a == 1 && params == null' }, { expression: 'true', messageExpression: '1' }],
    auditAnnotations: [{ key: 'k', valueExpression: 'true' }],
  };
  expect(text(await validatingPolicyExpressions({ spec }, undefined))).toEqual([
    `spec.variables[1].expression: Invalid value: "nope": compilation failed: ERROR: <input>:1:1: undeclared reference to 'nope' (in container '')`,
    'spec.matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int',
    `spec.validations[0].expression: Invalid value: "variables.a == 1 && params == null": compilation failed: ERROR: <input>:1:21: undeclared reference to 'params' (in container '')`,
    'spec.validations[1].messageExpression: Invalid value: "1": must evaluate to string but got int',
    'spec.auditAnnotations[0].valueExpression: Invalid value: "true": must evaluate to one of [string null_type] but got bool',
  ]);
  // What is there already may stay, as long as nothing about it changes.
  expect(await validatingPolicyExpressions({ spec }, { spec })).toEqual([]);
});

test('parameters are there for policies that have a kind of them', async () => {
  const validations = [{ expression: 'params.data.a == object.metadata.name' }];
  const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' };
  expect(await validatingPolicyExpressions({ spec: { paramKind, validations } }, undefined)).toEqual([]);
});

test('expressions of mutating policies have to give patches', async () => {
  const mutations = [
    { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{spec: Object.spec{replicas: 1}}' } },
    { patchType: 'ApplyConfiguration', applyConfiguration: { expression: '{}' } },
    { patchType: 'JSONPatch', jsonPatch: { expression: 'JSONPatch{op: "add"}' } },
  ];
  expect(text(await mutatingPolicyExpressions({ spec: { mutations } }, undefined))).toEqual([
    'spec.mutations[1].applyConfiguration.expression: Invalid value: "{}": must evaluate to Object but got map(dyn, dyn)',
    'spec.mutations[2].jsonPatch.expression: Invalid value: "JSONPatch{op: \\"add\\"}": must evaluate to list(JSONPatch) but got JSONPatch',
  ]);
});

test('match conditions of webhooks are compiled when they change', async () => {
  const webhooks = [{ name: 'a' }, { name: 'b', matchConditions: [{ name: 'c', expression: 'object.x ==' }] }];
  const errors = await webhookExpressions({ webhooks }, undefined);
  expect(errors.map(({ field }) => field)).toEqual(['webhooks[1].matchConditions[0].expression']);
  expect(await webhookExpressions({ webhooks }, { webhooks })).toEqual([]);
});
