import { beforeEach, describe, expect, it } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { KubeObject, ResourceType } from '../../api/object.ts';
import { FakeClock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { FakeReader } from '../authorization/fake-reader.ts';
import { RBACAuthorizer } from '../authorization/rbac.ts';
import type { AdmissionPlugin } from '../contract.ts';
import { runAdmission, type TestAnswer, type TestRequest } from './admission-request.ts';
import { admissionPlugins, ensureSystemPriorityClasses } from './index.ts';

let reader: FakeReader;
let clock: FakeClock;
let cluster: FakeCluster;
let plugins: AdmissionPlugin[];

beforeEach(() => {
  reader = new FakeReader();
  clock = new FakeClock();
  cluster = new FakeCluster();
  const rbac = RBACAuthorizer.watch(reader).authorizer;
  plugins = admissionPlugins({
    reader,
    clock,
    client: visible(cluster.client),
    rbac,
    authorizer: rbac,
    resourceOf: (apiVersion, kind) =>
      (Object.values(resources) as ResourceType[]).find(
        (type) => type.kind === kind && apiVersion.endsWith(type.version),
      ),
  });
  put('namespaces', { metadata: { name: 'ns' } });
  put('serviceaccounts', { metadata: { namespace: 'ns', name: 'default' } });
});

/** What the client writes is seen by the reader, as it is in the API server. */
function visible(client: Client): Client {
  return Object.assign(Object.create(client) as Client, {
    async updateStatus(...[type, object]: Parameters<Client['updateStatus']>) {
      const stored = await client.updateStatus(type, object);
      reader.put(type, stored as KubeObject);
      return stored;
    },
  });
}

function typeOf(name: keyof typeof resources): ResourceType<never> {
  return resources[name] as ResourceType<never>;
}

function put(name: keyof typeof resources, object: object): void {
  reader.put(typeOf(name), object as KubeObject);
}

function run(
  name: keyof typeof resources,
  object: object | undefined,
  more: Partial<TestRequest> = {},
): Promise<TestAnswer> {
  return runAdmission(plugins, { type: typeOf(name), ...(object === undefined ? {} : { object }), ...more });
}

const pod = (spec: object = {}, metadata: object = {}): object => ({
  metadata: { name: 'p', ...metadata },
  spec: { containers: [{ name: 'main', image: 'app' }], ...spec },
});

// biome-ignore lint/suspicious/noExplicitAny: tests look at parts of objects of any kind.
type Any = any;
const admitted = async (spec: object = {}, metadata: object = {}): Promise<Any> =>
  (await run('pods', pod(spec, metadata), { name: 'p' })).object;
const refused = async (spec: object, message: string): Promise<void> => {
  await expect(run('pods', pod(spec), { name: 'p' })).rejects.toThrow(`pods "p" is forbidden: ${message}`);
};

describe('NamespaceLifecycle', () => {
  it('refuses content for namespaces that are missing or going away', async () => {
    await expect(run('configmaps', {}, { namespace: 'ghost' })).rejects.toThrow('namespaces "ghost" not found');
    put('namespaces', { metadata: { name: 'ns', deletionTimestamp: '2026-01-01T00:00:00Z' } });
    const create = run('configmaps', {});
    await expect(create).rejects.toThrow(
      'configmaps "x" is forbidden: unable to create new content in namespace ns because it is being terminated',
    );
    await expect(create).rejects.toMatchObject({
      status: { details: { causes: [{ reason: 'NamespaceTerminating' }] } },
    });
    await run('configmaps', {}, { oldObject: {} });
    const remove = (name: string) => run('namespaces', undefined, { operation: 'DELETE', name });
    await expect(remove('kube-system')).rejects.toThrow('this namespace may not be deleted');
    await remove('ns');
  });
});

describe('ServiceAccount', () => {
  it('mounts the token of the default account into every container', async () => {
    const { spec } = await admitted({ initContainers: [{ name: 'i' }] });
    expect(spec).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default' });
    const [volume] = spec.volumes;
    expect(volume.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(volume.projected).toEqual({
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    });
    const mount = { name: volume.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
    for (const container of [...spec.containers, ...spec.initContainers])
      expect(container.volumeMounts).toEqual([mount]);
  });

  it('respects opting out, own mounts and own pull secrets', async () => {
    put('serviceaccounts', {
      metadata: { namespace: 'ns', name: 'quiet' },
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: 'reg' }],
    });
    const quiet = { serviceAccountName: 'quiet' };
    expect((await admitted(quiet)).spec).toMatchObject({ imagePullSecrets: [{ name: 'reg' }] });
    expect((await admitted(quiet)).spec.volumes).toBeUndefined();
    expect((await admitted({ ...quiet, automountServiceAccountToken: true })).spec.volumes).toHaveLength(1);
    const own = await admitted({ ...quiet, imagePullSecrets: [{ name: 'own' }] });
    expect(own.spec.imagePullSecrets).toEqual([{ name: 'own' }]);
    const mount = { name: 'mine', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
    const mounted = await admitted({
      containers: [{ name: 'main', volumeMounts: [mount] }],
      volumes: [{ name: 'mine' }],
    });
    expect(mounted.spec.volumes).toEqual([{ name: 'mine' }]);
  });

  it('waits a little for the default account, and refuses others that are missing', async () => {
    await refused(
      { serviceAccountName: 'ghost' },
      'error looking up service account ns/ghost: serviceaccount "ghost" not found',
    );
    reader.remove(resources.serviceaccounts, { namespace: 'ns', name: 'default' });
    const waiting = admitted();
    await Promise.resolve();
    put('serviceaccounts', { metadata: { namespace: 'ns', name: 'default' } });
    expect((await waiting).spec.serviceAccountName).toBe('default');
    reader.remove(resources.serviceaccounts, { namespace: 'ns', name: 'default' });
    const late = expect(admitted()).rejects.toThrow('serviceaccount "default" not found');
    await clock.advance(2000);
    await late;
  });

  it('keeps a strict account to its own secrets', async () => {
    put('serviceaccounts', {
      metadata: { namespace: 'ns', name: 'strict', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } },
      secrets: [{ name: 'okay' }],
    });
    const strict = { serviceAccountName: 'strict' };
    const volume = (secretName: string) => ({ ...strict, volumes: [{ name: 'v', secret: { secretName } }] });
    await admitted(volume('okay'));
    const because = 'is not allowed because service account strict does not reference that secret';
    await refused(volume('other'), `volume with secret.secretName="other" ${because}`);
    const env = [{ name: 'E', valueFrom: { secretKeyRef: { name: 'other', key: 'k' } } }];
    await refused(
      { ...strict, containers: [{ name: 'main', env }] },
      `container main with envVar E referencing secret.secretName="other" ${because}`,
    );
  });
});

describe('LimitRanger', () => {
  const range = (...limits: object[]): void =>
    put('limitranges', { metadata: { namespace: 'ns', name: 'lr' }, spec: { limits } });
  const container = (resourcesOf: object, name = 'main'): object => ({ name, resources: resourcesOf });

  it('fills in defaults and says so', async () => {
    range({
      type: 'Container',
      default: { cpu: '500m', memory: '128Mi' },
      defaultRequest: { cpu: '100m', memory: '128Mi' },
    });
    const { spec, metadata } = await admitted({
      containers: [container({}), container({ limits: { cpu: '2' }, requests: { cpu: '2' } }, 'b')],
    });
    expect(spec.containers[0].resources).toEqual({
      limits: { cpu: '500m', memory: '128Mi' },
      requests: { cpu: '100m', memory: '128Mi' },
    });
    expect(spec.containers[1].resources).toEqual({
      limits: { cpu: '2', memory: '128Mi' },
      requests: { cpu: '2', memory: '128Mi' },
    });
    expect(metadata.annotations['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu, memory request for container main; cpu, memory limit for container main; memory request for container b; memory limit for container b',
    );
  });

  it.each([
    [
      { type: 'Container', min: { cpu: '500m' } },
      [{ requests: { cpu: '100m' } }],
      'minimum cpu usage per Container is 500m, but request is 100m',
    ],
    [
      { type: 'Container', max: { cpu: '1' } },
      [{ limits: { cpu: '2' } }],
      'maximum cpu usage per Container is 1, but limit is 2',
    ],
    [{ type: 'Container', max: { cpu: '1' } }, [{}], 'maximum cpu usage per Container is 1.  No limit is specified'],
    [
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      [{ requests: { cpu: '100m' }, limits: { cpu: '1' } }],
      'cpu max limit to request ratio per Container is 2, but provided ratio is 10.000000',
    ],
    [
      { type: 'Pod', max: { cpu: '2' } },
      [{ limits: { cpu: '1500m' } }, { limits: { cpu: '1' } }],
      'maximum cpu usage per Pod is 2, but limit is 2500m',
    ],
    [
      { type: 'Pod', min: { memory: '64Mi' }, max: { cpu: '2' } },
      [{}],
      '[minimum memory usage per Pod is 64Mi.  No request is specified, maximum cpu usage per Pod is 2.  No limit is specified]',
    ],
  ])('%j', async (limits, containers, message) => {
    range(limits);
    await refused({ containers: containers.map((own, index) => container(own, `c${index}`)) }, message);
  });
});

describe('Priority', () => {
  beforeEach(async () => {
    put('priorityclasses', { metadata: { name: 'hi' }, value: 4242, preemptionPolicy: 'Never' });
    await ensureSystemPriorityClasses(cluster.client);
    for (const object of cluster.list(resources.priorityclasses)) put('priorityclasses', object);
  });

  it('resolves class names', async () => {
    expect((await admitted()).spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
    expect((await admitted({ priorityClassName: 'hi' })).spec).toMatchObject({
      priority: 4242,
      preemptionPolicy: 'Never',
    });
    expect((await admitted({ priorityClassName: 'system-cluster-critical' })).spec.priority).toBe(2_000_000_000);
    put('priorityclasses', { metadata: { name: 'gd' }, value: 7, globalDefault: true });
    expect((await admitted()).spec).toMatchObject({ priority: 7, priorityClassName: 'gd' });
  });

  it('refuses what does not fit', async () => {
    const hi = { priorityClassName: 'hi' };
    await refused(
      { ...hi, priority: 1 },
      'the integer value of priority (1) must not be provided in pod spec; priority admission controller computed 4242 from the given PriorityClass name',
    );
    await refused(
      { ...hi, preemptionPolicy: 'PreemptLowerPriority' },
      'the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; priority admission controller computed Never from the given PriorityClass name',
    );
    await refused({ priorityClassName: 'ghost' }, 'no PriorityClass with name ghost was found');
    const remove = run('priorityclasses', undefined, { operation: 'DELETE', name: 'system-node-critical' });
    await expect(remove).rejects.toThrow('this is a system priority class and cannot be deleted');
    put('priorityclasses', { metadata: { name: 'gd' }, value: 7, globalDefault: true });
    const second = run('priorityclasses', { globalDefault: true }, { name: 'gd2' });
    await expect(second).rejects.toThrow(
      '"gd2" is forbidden: PriorityClass gd is already marked as default. Only one default can exist',
    );
  });
});

describe('the small plugins', () => {
  const notReady = {
    key: 'node.kubernetes.io/not-ready',
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 300,
  };
  const unreachable = { ...notReady, key: 'node.kubernetes.io/unreachable' };

  it.each([
    [undefined, [notReady, unreachable]],
    [[{ key: unreachable.key, operator: 'Exists' }], [{ key: unreachable.key, operator: 'Exists' }, notReady]],
    [[{ operator: 'Exists', effect: 'NoExecute' }], [{ operator: 'Exists', effect: 'NoExecute' }]],
  ])('DefaultTolerationSeconds: %j', async (tolerations, wanted) => {
    expect((await admitted(tolerations === undefined ? {} : { tolerations })).spec.tolerations).toEqual(wanted);
  });

  it('TaintNodesByCondition, StorageObjectInUseProtection and the default classes', async () => {
    const node = (await run('nodes', { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } })).object as Any;
    expect(node.spec.taints).toEqual([
      { key: 'a', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
    ]);
    const annotations = (kind: string) => ({ [`${kind}.kubernetes.io/is-default-class`]: 'true' });
    const at = (name: string, day: number, kind: string) => ({
      metadata: { name, creationTimestamp: `2026-01-0${day}T00:00:00Z`, annotations: annotations(kind) },
    });
    put('storageclasses', at('old', 1, 'storageclass'));
    put('storageclasses', at('new', 2, 'storageclass'));
    put('ingressclasses', at('nginx', 1, 'ingressclass'));
    const claim = (await run('persistentvolumeclaims', { spec: {} })).object as Any;
    expect(claim.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
    expect(claim.spec.storageClassName).toBe('new');
    const none = (await run('persistentvolumeclaims', { spec: { storageClassName: '' } })).object as Any;
    expect(none.spec.storageClassName).toBe('');
    expect(((await run('ingresses', { spec: {} })).object as Any).spec.ingressClassName).toBe('nginx');
  });

  it('RuntimeClass', async () => {
    put('runtimeclasses', {
      metadata: { name: 'rc' },
      handler: 'h',
      overhead: { podFixed: { cpu: '50m', memory: '10Mi' } },
      scheduling: { nodeSelector: { rt: 'yes' }, tolerations: [{ key: 'rt', operator: 'Exists' }] },
    });
    const rc = { runtimeClassName: 'rc' };
    expect((await admitted({ ...rc, nodeSelector: { a: 'b' } })).spec).toMatchObject({
      overhead: { cpu: '50m', memory: '10Mi' },
      nodeSelector: { a: 'b', rt: 'yes' },
      tolerations: [notReady, unreachable, { key: 'rt', operator: 'Exists' }],
    });
    await refused(
      { ...rc, overhead: { cpu: '1' } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    );
    await refused(
      { ...rc, nodeSelector: { rt: 'no' } },
      'conflict: runtimeClass.scheduling.nodeSelector[rt] = yes; pod.spec.nodeSelector[rt] = no',
    );
    await refused({ runtimeClassName: 'ghost' }, 'pod rejected: RuntimeClass "ghost" not found');
  });

  it('OwnerReferencesPermissionEnforcement', async () => {
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u', blockOwnerDeletion: true };
    const owned = { metadata: { ownerReferences: [owner] } };
    await expect(run('configmaps', owned)).rejects.toThrow(
      "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>",
    );
    await expect(run('configmaps', owned, { oldObject: {} })).rejects.toThrow(
      "cannot set an ownerRef on a resource you can't delete",
    );
    const root = { username: 'root', groups: ['system:masters'] };
    await run('configmaps', owned, { user: root });
    await run('configmaps', { metadata: { ownerReferences: [{ ...owner, blockOwnerDeletion: false }] } });
    await run('configmaps', owned, { oldObject: owned });
  });
});

describe('NodeRestriction', () => {
  const user = { username: 'system:node:n1', groups: ['system:nodes'] };
  const ours = { metadata: { name: 'p', uid: 'u1' }, spec: { nodeName: 'n1', containers: [] } };
  const theirs = { metadata: { name: 'p', uid: 'u1' }, spec: { nodeName: 'n2', containers: [] } };
  const mirror = (metadata: object = {}, spec: object = {}): object => ({
    metadata: {
      annotations: { 'kubernetes.io/config.mirror': 'x' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u', controller: true }],
      ...metadata,
    },
    spec: { nodeName: 'n1', containers: [], ...spec },
  });
  const token = (spec: object): object => ({ spec });
  const bound = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'u1' };

  it.each<[string, keyof typeof resources, object | undefined, Partial<TestRequest>]>([
    ['its mirror pod', 'pods', mirror(), {}],
    ['its pod status', 'pods', ours, { oldObject: ours, subresource: 'status' }],
    ['its node', 'nodes', { metadata: { labels: { 'kubernetes.io/hostname': 'n1', a: 'b' } } }, { name: 'n1' }],
    ['its node again', 'nodes', {}, { name: 'n1', oldObject: {} }],
    ['a token of its pod', 'serviceaccounts', token({ boundObjectRef: bound }), { subresource: 'token' }],
    ['its lease', 'leases', {}, { name: 'n1', namespace: 'kube-node-lease' }],
  ])('lets a node write %s', async (_, type, object, more) => {
    put('namespaces', { metadata: { name: 'kube-node-lease' } });
    reader.put(typeOf('pods'), { ...ours, metadata: { ...ours.metadata, namespace: 'ns' } });
    await run(type, object, { user, ...more });
  });

  it.each<[string, keyof typeof resources, object | undefined, Partial<TestRequest>]>([
    ['node "n1" can only create mirror pods', 'pods', ours, {}],
    ['can only create pods with spec.nodeName set to itself', 'pods', mirror({}, { nodeName: 'n2' }), {}],
    ['with an owner reference set to itself', 'pods', mirror({ ownerReferences: [] }), {}],
    ['a mirror pod may not reference service accounts', 'pods', mirror({}, { serviceAccountName: 'x' }), {}],
    [
      'can not create pods that reference configmaps',
      'pods',
      mirror({}, { volumes: [{ name: 'v', configMap: { name: 'c' } }] }),
      {},
    ],
    ['can only update pod status for pods', 'pods', theirs, { oldObject: theirs, subresource: 'status' }],
    [
      'cannot update labels through pod status',
      'pods',
      { ...ours, metadata: { labels: { a: 'b' } } },
      { oldObject: ours, subresource: 'status' },
    ],
    ['can only delete pods', 'pods', undefined, { operation: 'DELETE', name: 'p' }],
    ['is not allowed to modify node "n2"', 'nodes', {}, { name: 'n2', oldObject: {} }],
    ['is not allowed to modify taints', 'nodes', {}, { name: 'n1', oldObject: { spec: { taints: [{ key: 'a' }] } } }],
    [
      'is not allowed to modify labels: node-restriction.kubernetes.io/a, node-role.kubernetes.io/master',
      'nodes',
      {
        metadata: { labels: { 'node-restriction.kubernetes.io/a': '', 'node-role.kubernetes.io/master': '', own: '' } },
      },
      { name: 'n1', oldObject: {} },
    ],
    ['node requested token not bound to a pod', 'serviceaccounts', token({}), { subresource: 'token' }],
    ['different node', 'serviceaccounts', token({ boundObjectRef: bound }), { subresource: 'token' }],
    ['same name as the requesting node', 'leases', {}, { name: 'n2', namespace: 'kube-node-lease' }],
    ['can only access leases in', 'leases', {}, { name: 'n1' }],
  ])('refuses with "%s"', async (message, type, object, more) => {
    put('namespaces', { metadata: { name: 'kube-node-lease' } });
    reader.put(typeOf('pods'), { ...theirs, metadata: { ...theirs.metadata, namespace: 'ns' } });
    await expect(run(type, object, { user, ...more })).rejects.toThrow(message);
  });
});

describe('PodSecurity', () => {
  const enforce = (level: string, version = 'v1.28'): void =>
    put('namespaces', {
      metadata: {
        name: 'ns',
        labels: { 'pod-security.kubernetes.io/enforce': level, 'pod-security.kubernetes.io/enforce-version': version },
      },
    });
  const main = (securityContext: object): object => ({ containers: [{ name: 'main', securityContext }] });
  const good = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const podContext = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };

  it.each([
    [main({ privileged: true }), 'privileged (container "main" must not set securityContext.privileged=true)'],
    [{ hostNetwork: true }, 'host namespaces (hostNetwork=true)'],
    [{ volumes: [{ name: 'h', hostPath: { path: '/' } }] }, 'hostPath volumes (volume "h")'],
    [
      main({ capabilities: { add: ['SYS_ADMIN'] } }),
      'non-default capabilities (container "main" must not include "SYS_ADMIN" in securityContext.capabilities.add)',
    ],
    [{ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, 'forbidden sysctls (kernel.msgmax)'],
    [
      { securityContext: { seccompProfile: { type: 'Unconfined' } } },
      'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      { securityContext: { seLinuxOptions: { type: 'evil_t' } } },
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "evil_t")',
    ],
    [
      { containers: [{ name: 'main', ports: [{ containerPort: 1, hostPort: 80 }] }] },
      'hostPort (container "main" uses hostPort 80)',
    ],
  ])('baseline refuses %j', async (spec, message) => {
    enforce('baseline');
    await refused(spec, `violates PodSecurity "baseline:v1.28": ${message}`);
  });

  it('baseline allows a plain pod', async () => {
    enforce('baseline');
    await admitted();
  });

  it.each([
    [
      {},
      'allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ],
    [
      { ...main(good), securityContext: podContext, volumes: [{ name: 'n', nfs: { server: 's', path: '/' } }] },
      'restricted volume types (volume "n" uses restricted volume type "nfs")',
    ],
    [{ ...main(good), securityContext: { ...podContext, runAsUser: 0 } }, 'runAsUser=0 (pod must not set runAsUser=0)'],
  ])('restricted refuses %j', async (spec, message) => {
    enforce('restricted');
    await refused(spec, `violates PodSecurity "restricted:v1.28": ${message}`);
  });

  it('restricted allows a careful pod, and updates that do not change the spec', async () => {
    enforce('restricted', 'latest');
    await admitted({ ...main(good), securityContext: podContext });
    await run('pods', pod({}, { labels: { a: 'b' } }), { oldObject: pod() });
  });

  it('warns of pods and templates', async () => {
    put('namespaces', { metadata: { name: 'ns', labels: { 'pod-security.kubernetes.io/warn': 'baseline' } } });
    const template = { spec: { hostPID: true, containers: [] } };
    const warning = 'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)';
    expect((await run('deployments', { spec: { template } })).warnings).toEqual([warning]);
    expect((await run('cronjobs', { spec: { jobTemplate: { spec: { template } } } })).warnings).toEqual([warning]);
    expect((await run('pods', pod({ hostPID: true }))).warnings).toEqual([warning]);
  });

  it('checks labels of namespaces and names the pods that a new one would refuse', async () => {
    const labels = (level: string): object => ({
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': level } },
    });
    await expect(run('namespaces', labels('strict'))).rejects.toMatchObject({ code: 422 });
    for (const name of ['b', 'a'])
      reader.put(typeOf('pods'), { ...pod({ hostPID: true }), metadata: { namespace: 'ns', name } });
    const { warnings } = await run('namespaces', labels('baseline'), { oldObject: {}, name: 'ns' });
    expect(warnings).toEqual([
      'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
      'a (and 1 other pod): host namespaces',
    ]);
  });
});

describe('ResourceQuota', () => {
  function quota(hard: Record<string, string>, used: Record<string, string>, spec: object = {}): void {
    const object = { metadata: { namespace: 'ns', name: 'q' }, spec: { hard, ...spec }, status: { hard, used } };
    if (cluster.list(resources.resourcequotas).length > 0) cluster.remove(resources.resourcequotas, object.metadata);
    const stored = cluster.add(resources.resourcequotas, object);
    put('resourcequotas', stored);
  }
  const wants = (requests: object, limits: object = {}): object => ({
    containers: [{ name: 'main', resources: { requests, limits } }],
  });
  const used = () => cluster.get(resources.resourcequotas, { namespace: 'ns', name: 'q' })?.status?.used;

  it('books what it admits, also for requests at the same time, and refuses the rest', async () => {
    quota({ 'requests.cpu': '1', 'limits.memory': '1Gi' }, { 'requests.cpu': '0', 'limits.memory': '0' });
    await refused({}, 'failed quota: q: must specify limits.memory for: main; requests.cpu for: main');
    const half = wants({ cpu: '500m' }, { memory: '512Mi' });
    const results = await Promise.allSettled([admitted(half), admitted(half), admitted(half)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(used()).toEqual({ 'requests.cpu': '1', 'limits.memory': '1Gi' });
  });

  it('names what is exceeded', async () => {
    quota({ 'requests.cpu': '1' }, { 'requests.cpu': '500m' });
    await refused(
      wants({ cpu: '600m' }),
      'exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=500m, limited: requests.cpu=1',
    );
  });

  it('counts objects and heeds scopes', async () => {
    quota({ pods: '0' }, { pods: '0' }, { scopes: ['Terminating'] });
    await refused({ activeDeadlineSeconds: 10 }, 'exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0');
    await admitted();
    quota({ 'count/configmaps': '0', services: '1' }, { 'count/configmaps': '0', services: '0' });
    await expect(run('configmaps', {})).rejects.toThrow('exceeded quota: q, requested: count/configmaps=1');
    await run('services', { spec: {} });
    expect(used()).toMatchObject({ services: '1' });
  });
});
