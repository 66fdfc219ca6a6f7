import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../pkg/base/clock.ts';
import { ensureAuthority } from '../../pkg/pki/authority.ts';
import { ensureLeaf } from '../../pkg/pki/index.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const DEFINITION = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: limits.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Limit, plural: limits, singular: limit}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {max: {type: integer}}}}
  - name: v2
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, properties: {max: {type: integer}}}}
`;

const POLICY = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replicas}
spec:
  paramKind: {apiVersion: example.com/v1, kind: Limit}
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments, deployments/scale]}]
  variables: [{name: replicas, expression: object.spec.replicas}]
  validations:
  - expression: params == null || variables.replicas <= params.max
    messageExpression: "'at most ' + string(params.max) + ', not ' + string(variables.replicas)"
    reason: Forbidden
  auditAnnotations: [{key: replicas, valueExpression: string(variables.replicas)}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: strict}
spec:
  policyName: replicas
  validationActions: [Deny]
  paramRef: {name: limit, namespace: default, parameterNotFoundAction: Deny}
  matchResources: {namespaceSelector: {matchLabels: {strict: "yes"}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: loose}
spec:
  policyName: replicas
  validationActions: [Warn, Audit]
  paramRef: {name: limit, namespace: default, parameterNotFoundAction: Allow}
`;

const MUTATION = `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: meshed}
spec:
  reinvocationPolicy: Never
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
  matchConditions: [{name: asked, expression: "has(object.metadata.labels) && 'mesh' in object.metadata.labels"}]
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: 'Object{metadata: Object.metadata{annotations: {"meshed-by": request.userInfo.username}}}'
  - patchType: JSONPatch
    jsonPatch:
      expression: '[JSONPatch{op: "add", path: "/data", value: {"name": object.metadata.name}}]'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: meshed}
spec: {policyName: meshed}
`;

describe.skipIf(missing !== undefined)('admission by expressions', () => {
  let cluster: Cluster;
  let hook: Server;
  let hookDir: string;
  let caBundle: string;
  const asked: string[] = [];

  beforeAll(async () => {
    hookDir = await mkdtemp(join(tmpdir(), 'kube-lite-hook-'));
    const authority = await ensureAuthority(hookDir, 'ca', systemClock);
    const alternativeNames = ['127.0.0.1'];
    const profile = { name: 'leaf', commonName: 'hook', organizations: [], usage: 'server', alternativeNames } as const;
    const { certificatePEM, keyPEM } = await ensureLeaf(hookDir, authority, profile, systemClock);
    caBundle = Buffer.from(authority.certificatePEM).toString('base64');
    hook = createServer({ cert: certificatePEM, key: keyPEM }, async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const review = JSON.parse(body) as { request: { uid: string; name: string } };
      asked.push(review.request.name);
      response.end(JSON.stringify({ ...review, response: { uid: review.request.uid, allowed: false } }));
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    cluster = await Cluster.start({
      node: false,
      flags: ['--runtime-config', 'storagemigration.k8s.io/v1beta1=true'],
    });
    await cluster.apply(DEFINITION);
    await cluster.ok(['wait', '--for=condition=Established', 'crd/limits.example.com']);
    await cluster.ok(['create', 'namespace', 'strict']);
    await cluster.ok(['label', 'namespace', 'strict', 'strict=yes']);
  });

  afterAll(() =>
    endAll(
      () => cluster?.remove(),
      () => hook?.close(),
      () => rm(hookDir, { recursive: true, force: true }),
    ),
  );

  test('policies with custom resources as parameters deny, warn and tell auditors', async () => {
    await cluster.apply(POLICY);
    const deploy = ['create', 'deployment', 'd', '--image=busybox:test', '--replicas=5'];
    const unset = await cluster.kubectl(['-n', 'strict', ...deploy]);
    expect(unset.stderr).toContain(
      "ValidatingAdmissionPolicy 'replicas' with binding 'strict' denied request: failed to configure binding: no params found",
    );
    await cluster.apply(
      'apiVersion: example.com/v2\nkind: Limit\nmetadata: {name: limit, namespace: default}\nmax: 3\n',
    );
    const denied = await cluster.kubectl(['-n', 'strict', ...deploy]);
    expect(denied.stderr).toContain(
      `deployments.apps "d" is forbidden: ValidatingAdmissionPolicy 'replicas' with binding 'strict' denied request: at most 3, not 5`,
    );
    const warned = await cluster.kubectl(['-n', 'default', ...deploy]);
    expect(warned.code).toBe(0);
    expect(warned.stderr).toContain(
      "Warning: Validation failed for ValidatingAdmissionPolicy 'replicas' with binding 'loose': at most 3, not 5",
    );
    await cluster.ok(['-n', 'strict', 'create', 'deployment', 'd', '--image=busybox:test', '--replicas=3']);
    const scaled = await cluster.kubectl(['-n', 'strict', 'scale', 'deployment', 'd', '--replicas=4']);
    expect(scaled.stderr).toContain('at most 3, not 4');
    await cluster.ok(['delete', 'validatingadmissionpolicybinding', 'strict']);
    await cluster.ok(['-n', 'strict', 'scale', 'deployment', 'd', '--replicas=4']);
  });

  test('expressions are checked against types in the status', async () => {
    await cluster.apply(
      POLICY.split('---')[0]?.replace('variables.replicas <= params.max', 'object.spec.nothing') ?? '',
    );
    const warning = await eventually('a warning', async () => {
      const path = 'jsonpath={.status.typeChecking.expressionWarnings[0].warning}';
      return (await cluster.ok(['get', 'validatingadmissionpolicy', 'replicas', '-o', path])) || undefined;
    });
    expect(warning).toContain('apps/v1, Kind=Deployment: ERROR: ');
    await cluster.ok(['delete', 'validatingadmissionpolicies,validatingadmissionpolicybindings', '--all']);
  });

  test('mutating policies merge and patch', async () => {
    await cluster.apply(MUTATION);
    await cluster.apply('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: in, labels: {mesh: "yes"}}\n');
    await cluster.apply('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: out}\n');
    const { data, metadata } = await cluster.get<{ data: object; metadata: { annotations: object } }>(
      'configmap',
      'in',
    );
    expect(data).toEqual({ name: 'in' });
    expect(metadata.annotations).toHaveProperty('meshed-by');
    expect(await cluster.get('configmap', 'out')).not.toHaveProperty('data');
    await cluster.ok(['delete', 'mutatingadmissionpolicies,mutatingadmissionpolicybindings', '--all']);
  });

  test('conditions say which requests a webhook at a URL is asked about', async () => {
    const webhook = {
      name: 'url.example.com',
      clientConfig: { url: `https://127.0.0.1:${(hook.address() as AddressInfo).port}/check`, caBundle },
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
      matchConditions: [
        { name: 'named', expression: "object.metadata.name.startsWith('asked')" },
        { name: 'allowed', expression: "authorizer.group('').resource('configmaps').check('create').allowed()" },
      ],
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
    };
    const configuration = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'url' },
      webhooks: [webhook],
    };
    await cluster.apply(JSON.stringify(configuration));
    await cluster.ok(['create', 'configmap', 'other']);
    const refused = await cluster.kubectl(['create', 'configmap', 'asked']);
    expect(refused.stderr).toContain('admission webhook "url.example.com" denied the request without explanation');
    expect(asked).toEqual(['asked']);
    const metrics = await cluster.ok(['get', '--raw', '/metrics']);
    expect(metrics).toMatch(
      /apiserver_admission_webhook_rejection_count\{name="url.example.com",type="validating".*\} 1/,
    );
    await cluster.ok(['delete', 'validatingwebhookconfiguration', 'url']);
  });

  test('a migration stores custom resources in the new storage version', async () => {
    const storage = (version: string): string =>
      DEFINITION.replace(
        /- name: (v\d)\n {4}served: true\n {4}storage: \w+/g,
        (_all, name) => `- name: ${name}\n    served: true\n    storage: ${name === version}`,
      );
    await cluster.apply(storage('v2'));
    await eventually('the new storage version', async () => {
      const stored = await cluster.ok(['get', 'crd', 'limits.example.com', '-o', 'jsonpath={.status.storedVersions}']);
      return stored === '["v1","v2"]';
    });
    await cluster.apply(`
apiVersion: storagemigration.k8s.io/v1beta1
kind: StorageVersionMigration
metadata: {name: limits}
spec: {resource: {group: example.com, resource: limits}}
`);
    await cluster.ok(['wait', '--for=condition=Succeeded', 'storageversionmigration/limits', '--timeout=120s']);
    const patch = '{"status":{"storedVersions":["v2"]}}';
    await cluster.ok(['patch', 'crd', 'limits.example.com', '--subresource=status', '--type=merge', '-p', patch]);
    const { max } = await cluster.get<{ max: number }>('limits.v1.example.com', 'limit');
    expect(max).toBe(3);
  });
});
