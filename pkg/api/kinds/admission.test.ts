import { describe, expect, it } from 'vitest';
import { strategies } from './index.ts';
import { create, newObject, update } from './testing.ts';

const group = 'admissionregistration.k8s.io';
const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };
const hook = {
  name: 'a.example.com',
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  clientConfig: { url: 'https://example.com/x' },
};

describe('webhooks', () => {
  const at = 'webhooks[0]';
  const rules = (...resources: string[]) => [{ ...rule, resources }];
  const cases: [name: string, webhook: object, errors: string[]][] = [
    ['complete', hook, []],
    [
      'order',
      { clientConfig: {}, rules: [{}], matchConditions: [{}], timeoutSeconds: 31, reinvocationPolicy: 'Odd' },
      [
        `${at}.name Required`,
        `${at}.rules[0].operations Required`,
        `${at}.rules[0].apiGroups Required`,
        `${at}.rules[0].apiVersions Required`,
        `${at}.rules[0].resources Required`,
        `${at}.sideEffects Required`,
        `${at}.timeoutSeconds Invalid`,
        `${at}.reinvocationPolicy NotSupported`,
        `${at}.clientConfig Required`,
        `${at}.matchConditions[0].expression Required`,
        `${at}.matchConditions[0].name Required`,
        `${at}.admissionReviewVersions Required`,
      ],
    ],
    ['side effects', { ...hook, sideEffects: 'Some' }, [`${at}.sideEffects NotSupported`]],
    [
      'resources of a wildcard',
      { ...hook, rules: rules('pods/*', 'pods/log') },
      [`${at}.rules[0].resources[1] Invalid`],
    ],
    [
      'subresource of a wildcard',
      { ...hook, rules: rules('*/scale', 'a/scale') },
      [`${at}.rules[0].resources[1] Invalid`],
    ],
    ['two wildcards', { ...hook, rules: rules('*/*', 'pods') }, [`${at}.rules[0].resources Invalid`]],
    ['wildcard and name', { ...hook, rules: rules('*', 'pods') }, [`${at}.rules[0].resources Invalid`]],
    [
      'versions',
      { ...hook, admissionReviewVersions: ['v2', 'v2', 'V'] },
      [
        `${at}.admissionReviewVersions[1] Invalid`,
        `${at}.admissionReviewVersions[2] Invalid`,
        `${at}.admissionReviewVersions Invalid`,
      ],
    ],
    [
      'service without namespace',
      { ...hook, clientConfig: { service: { name: 'a', port: 443 } } },
      [`${at}.clientConfig.service.name Required`],
    ],
    [
      'service',
      { ...hook, clientConfig: { service: { port: 70_000, path: 'a/b_c' } } },
      [
        `${at}.clientConfig.service.name Required`,
        `${at}.clientConfig.service.namespace Required`,
        `${at}.clientConfig.service.port Invalid`,
        `${at}.clientConfig.service.path Invalid`,
        `${at}.clientConfig.service.path Invalid`,
        `${at}.clientConfig.service.path Invalid`,
      ],
    ],
    [
      'URL without scheme',
      { ...hook, clientConfig: { url: 'example.com/x' } },
      [`${at}.clientConfig.url Invalid`, `${at}.clientConfig.url Invalid`],
    ],
    ['no URL', { ...hook, clientConfig: { url: ':x' } }, [`${at}.clientConfig.url Required`]],
    [
      'URL with everything',
      { ...hook, clientConfig: { url: 'https://u:p@example.com/?q#f' } },
      [`${at}.clientConfig.url Invalid`, `${at}.clientConfig.url Invalid`, `${at}.clientConfig.url Invalid`],
    ],
  ];

  it.each(cases)('%s', (_name, webhook, errors) => {
    expect(create(`${group}/MutatingWebhookConfiguration`, { webhooks: [webhook] }).errors).toEqual(errors);
  });

  it('may keep the mistakes that they had', () => {
    const old = {
      ...hook,
      sideEffects: 'Unknown',
      admissionReviewVersions: ['v0'],
      matchConditions: [{ name: 'a b', expression: 'x' }],
    };
    const key = `${group}/ValidatingWebhookConfiguration`;
    expect(create(key, { webhooks: [old, old] }).errors).not.toEqual([]);
    expect(update(key, { webhooks: [old, old] }, () => {}).errors).toEqual([]);
  });
});

const matchConstraints = { resourceRules: [rule] };
const validations = [{ expression: 'true' }];

describe('admission policies', () => {
  const cases: [kind: string, name: string, spec: object, errors: string[]][] = [
    ['ValidatingAdmissionPolicy', 'complete', { matchConstraints, validations }, []],
    [
      'ValidatingAdmissionPolicy',
      'empty',
      {},
      ['spec.matchConstraints Required', 'spec.validations Required', 'spec.auditAnnotations Required'],
    ],
    [
      'ValidatingAdmissionPolicy',
      'parts',
      {
        failurePolicy: 'Odd',
        paramKind: { apiVersion: 'A/V', kind: 'a_b' },
        matchConstraints: { resourceRules: [{ ...rule, resourceNames: ['a/b', 'c', 'c'] }], matchPolicy: 'Odd' },
        variables: [{ name: 'in', expression: ' ' }],
        validations: [{ expression: ' ', message: 'a\nb', messageExpression: ' ', reason: 'Odd' }],
        auditAnnotations: [
          { key: 'a', valueExpression: '' },
          { key: 'a', valueExpression: 'b' },
        ],
      },
      [
        'spec.failurePolicy NotSupported',
        'spec.paramKind.apiVersion Invalid',
        'spec.paramKind.apiVersion Invalid',
        'spec.paramKind.kind Invalid',
        'spec.matchConstraints.matchPolicy NotSupported',
        'spec.matchConstraints.resourceRules[0].resourceNames[0] Invalid',
        'spec.matchConstraints.resourceRules[0].resourceNames[2] Duplicate',
        'spec.variables[0].name Invalid',
        'spec.variables[0].expression Required',
        'spec.validations[0].expression Required',
        'spec.validations[0].messageExpression Invalid',
        'spec.validations[0].message Invalid',
        'spec.validations[0].reason NotSupported',
        'spec.auditAnnotations[0].valueExpression Required',
        'spec.auditAnnotations[1].key Duplicate',
      ],
    ],
    [
      'MutatingAdmissionPolicy',
      'parts',
      {
        matchConstraints,
        mutations: [
          {},
          { patchType: 'Odd' },
          { patchType: 'JSONPatch', applyConfiguration: { expression: 'x' } },
          { patchType: 'ApplyConfiguration', applyConfiguration: { expression: '' } },
        ],
      },
      [
        'spec.mutations[0].patchType Required',
        'spec.mutations[1].patchType NotSupported',
        'spec.mutations[2].jsonPatch Required',
        'spec.mutations[2].applyConfiguration Invalid',
        'spec.mutations[3].applyConfiguration.expression Required',
        'spec.reinvocationPolicy Required',
      ],
    ],
    [
      'ValidatingAdmissionPolicyBinding',
      'parts',
      { policyName: 'A', paramRef: { name: 'a', selector: {} }, validationActions: ['Deny', 'Warn', 'Deny', 'Odd'] },
      [
        'spec.policyName Invalid',
        'spec.paramRef.name Forbidden',
        'spec.paramRef.selector Forbidden',
        'spec.paramRef.parameterNotFoundAction Required',
        'spec.validationActions[2] Duplicate',
        'spec.validationActions[3] NotSupported',
        'spec.validationActions Invalid',
      ],
    ],
    ['MutatingAdmissionPolicyBinding', 'no actions', { policyName: 'a' }, []],
    [
      'ValidatingAdmissionPolicyBinding',
      'no actions',
      { policyName: 'a', paramRef: { parameterNotFoundAction: 'Odd' } },
      [
        'spec.paramRef Required',
        'spec.paramRef.parameterNotFoundAction NotSupported',
        'spec.validationActions Required',
      ],
    ],
  ];

  it.each(cases)('%s: %s', (kind, _name, spec, errors) => {
    expect(create(`${group}/${kind}`, { spec }).errors).toEqual(errors);
  });

  it('report their type check', () => {
    const key = `${group}/ValidatingAdmissionPolicy`;
    const status = { typeChecking: { expressionWarnings: [{}] }, conditions: [{ type: 'A' }] };
    const object = newObject(key, { spec: { matchConstraints, validations }, status });
    const errors = strategies.get(key)?.validateUpdate?.(object, object, { nowMs: 0, subresource: 'status' }) ?? [];
    expect(errors.map(({ field }) => field)).toEqual([
      'status.typeChecking.expressionWarnings[0].warning',
      'status.typeChecking.expressionWarnings[0].fieldRef',
      'status.conditions[0].status',
      'status.conditions[0].lastTransitionTime',
      'status.conditions[0].reason',
    ]);
  });
});
