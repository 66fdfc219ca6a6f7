import { expect, test } from 'vitest';
import { apiVersionOf } from '../object.ts';
import { builtinDefinitions } from '../scheme.ts';
import { AdmissionExpressions, typeCheckPolicy } from './index.ts';

const expressions = await AdmissionExpressions.load();
const definitions = builtinDefinitions();
const kinds = {
  get: (group: string, version: string, resource: string) =>
    definitions.find(({ type }) => type.group === group && type.version === version && type.resource === resource),
  ofKind: (apiVersion: string, kind: string) =>
    definitions.find(({ type }) => apiVersionOf(type) === apiVersion && type.kind === kind),
};

function check(validation: object, more: object = {}): { fieldRef: string; warning: string }[] {
  const rules = {
    apiGroups: ['apps'],
    apiVersions: ['v1'],
    operations: ['*'],
    resources: ['deployments', 'deployments/scale'],
  };
  const spec = { matchConstraints: { resourceRules: [rules] }, validations: [validation], ...more };
  return typeCheckPolicy({ spec } as never, kinds, expressions);
}

test.each([
  'object.spec.replicas > 1',
  "object.metadata.labels['a'] == oldObject.metadata.?annotations.?b.orValue('')",
  'object.spec.template.spec.containers.all(c, c.image != "" && (!has(c.securityContext) || c.securityContext.privileged))',
  "request.userInfo.username == 'x' && namespaceObject.metadata.name != ''",
  "authorizer.group('').resource('pods').check('get').allowed()",
])('%s is right', (expression) => {
  expect(check({ expression })).toEqual([]);
});

test('fields that do not exist and wrong types are warned about, with their place', () => {
  const [warning, ...others] = check({ expression: 'object.foo' });
  expect(others).toEqual([]);
  expect(warning).toEqual({
    fieldRef: 'spec.validations[0].expression',
    warning: "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'foo'\n | object.foo\n | ......^\n",
  });
  const [message] = check({ expression: 'true', messageExpression: "'a' + object.spec.replicas" });
  expect(message?.fieldRef).toBe('spec.validations[0].messageExpression');
  expect(message?.warning).toContain("found no matching overload for '_+_' applied to '(string, int)'");
});

test('variables and parameters have types too', () => {
  const variables = [{ name: 'replicas', expression: 'object.spec.replicas' }];
  expect(check({ expression: 'variables.replicas > 1' }, { variables })).toEqual([]);
  expect(check({ expression: "variables.replicas == 'x'" }, { variables })).toHaveLength(1);
  const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' };
  expect(check({ expression: "params.data['x'] == 'y'" }, { paramKind })).toEqual([]);
  expect(check({ expression: 'params.nothing == 1' }, { paramKind })).toHaveLength(1);
});

test('rules with wildcards name no types', () => {
  const resourceRules = [{ apiGroups: ['*'], apiVersions: ['v1'], operations: ['*'], resources: ['pods'] }];
  expect(check({ expression: 'object.foo' }, { matchConstraints: { resourceRules } })).toEqual([]);
});

test('types of the core group are named with an empty group', () => {
  const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['pods'] }];
  const [warning] = check({ expression: 'object.foo' }, { matchConstraints: { resourceRules } });
  expect(warning?.warning).toMatch(/^\/v1, Kind=Pod: ERROR/);
});
