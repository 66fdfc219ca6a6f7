import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import type { DeepReadonly, KubeObject, ResourceType } from '../../api/object.ts';
import { builtinDefinitions } from '../../api/scheme.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createMetrics } from '../../base/metrics.ts';
import { type Client, createClient, RestClientMetrics } from '../../client/index.ts';
import { ensurePKI, type PKI } from '../../pki/index.ts';
import { MemoryStore } from '../../storage/memory/memory-store.ts';
import { type APIServer, createAPIServer, createWatchCache } from '../index.ts';
import { resolveService } from '../services/service-endpoint.ts';
import { WebhookClient } from '../webhooks/index.ts';
import { ConversionMetrics } from './conversion-metrics.ts';
import { CustomResources } from './custom-resources.ts';
import { CRDS } from './types.ts';

const admin = { username: 'admin', groups: ['system:masters'] };
const group = 'cogs.example.com';

let directory: string;
let pki: PKI;
let store: MemoryStore;
let server: APIServer;
let client: Client;
let stop: AbortController;
let running: Promise<unknown>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crd-'));
  pki = await ensurePKI(directory, {
    clock: systemClock,
    nodeName: 'n1',
    nodeAddresses: ['127.0.0.1'],
    serverNames: ['localhost'],
    serviceIPs: ['10.43.0.1'],
    clusterDomain: 'cluster.local',
  } as Parameters<typeof ensurePKI>[1]);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

async function start(): Promise<void> {
  const definitions = builtinDefinitions();
  const cache = createWatchCache(store, definitions);
  const { certificatePEM: cert, keyPEM: key } = pki.apiserver;
  server = createAPIServer(
    {
      bindAddress: '127.0.0.1',
      port: 0,
      serviceCIDRs: ['10.43.0.0/16'],
      nodePortRange: [30000, 32767],
      tls: { cert, key, clientCA: pki.clientCA.certificatePEM },
    },
    {
      store,
      definitions,
      authenticator: { authenticate: () => Promise.resolve({ user: admin }) },
      authorizer: { authorize: () => ({ decision: 'allow', reason: '' }) },
      admission: [],
      clock: systemClock,
      logger: silentLogger,
      metrics: createMetrics(),
    },
    cache,
  );
  client = createClient(server.transport(admin));
  stop = new AbortController();
  const up = Promise.withResolvers<void>();
  const serving = server.component.run(stop.signal, up.resolve);
  await up.promise;
  const ready = Promise.withResolvers<void>();
  const resources = new CustomResources({
    server,
    client,
    metrics: new ConversionMetrics(createMetrics()),
    webhooks: new WebhookClient({
      clock: systemClock,
      requests: new RestClientMetrics(createMetrics()),
      resolve: (service) => resolveService(server.reader, service),
    }),
    clock: systemClock,
    logger: silentLogger,
  });
  running = Promise.all([serving, resources.run(stop.signal, ready.resolve)]);
  await ready.promise;
}

async function halt(): Promise<void> {
  stop.abort();
  await running;
}

beforeEach(async () => {
  store = new MemoryStore();
  await start();
});

afterEach(async () => {
  await halt();
  await store.close();
});

type Spec = Partial<CustomResourceDefinition['spec']>;
type Version = CustomResourceDefinition['spec']['versions'][number];

function version(name: string, spec: object, more: Partial<Version> = {}): Version {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: spec } } } };
  return { name, served: true, storage: true, schema, ...more } as Version;
}

function draft(spec: Spec = {}, plural = 'cogs', kind = 'Cog') {
  return {
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { plural, kind },
      versions: [version('v1', { a: { type: 'string' } })],
      ...spec,
    },
  };
}

const cogs = (of = 'v1', resource = 'cogs'): ResourceType => ({
  group,
  version: of,
  resource,
  kind: 'Cog',
  namespaced: false,
});

const read = (name = `cogs.${group}`) => server.reader.get(CRDS, { name });
const conditionOf = (crd: DeepReadonly<CustomResourceDefinition> | undefined, type: string) =>
  crd?.status.conditions?.find((condition) => condition.type === type);
const served = (resource = 'cogs') =>
  [...server.definitions.all()].filter(({ type }) => type.group === group && type.resource === resource);
const until = (check: () => unknown) => expect.poll(check, { interval: 2 });

async function define(...args: Parameters<typeof draft>): Promise<void> {
  await client.create(CRDS, draft(...args) as Parameters<typeof client.create<CustomResourceDefinition>>[1]);
  await until(() => served(args[1]).length).toBeGreaterThan(0);
}

async function change(edit: (crd: CustomResourceDefinition) => void): Promise<void> {
  const crd = structuredClone(read()) as CustomResourceDefinition;
  edit(crd);
  const before = served();
  await client.update(CRDS, crd);
  await until(() => served().some((one) => before.includes(one))).toBe(false);
}

const cog = (spec: object, name = 'x') => ({ metadata: { name }, spec }) as unknown as KubeObject;

test('a definition is established and served, and served again after a restart', async () => {
  await define();
  const crd = read();
  expect(conditionOf(crd, 'NamesAccepted')).toMatchObject({ status: 'True', reason: 'NoConflicts' });
  expect(conditionOf(crd, 'Established')).toMatchObject({ status: 'True', reason: 'InitialNamesAccepted' });
  expect(crd?.status.acceptedNames).toEqual({ plural: 'cogs', singular: 'cog', kind: 'Cog', listKind: 'CogList' });
  expect(crd?.metadata.generation).toBe(1);
  await client.create(cogs(), cog({ a: '1', gone: 1 }));
  await halt();
  await start();
  expect((await client.get(cogs(), { name: 'x' }))['spec']).toEqual({ a: '1' });
});

test('names that are taken are given when they become free', async () => {
  await define();
  await client.create(CRDS, draft({}, 'others', 'Cog') as never);
  const other = (): ReturnType<typeof read> => read(`others.${group}`);
  await until(() => conditionOf(other(), 'NamesAccepted')).toMatchObject({
    status: 'False',
    reason: 'ListKindConflict',
    message: '"CogList" is already in use',
  });
  expect(conditionOf(other(), 'Established')).toMatchObject({ status: 'False', reason: 'NotAccepted' });
  expect(other()?.status.acceptedNames).toEqual({ plural: 'others', kind: '' });
  expect(served('others')).toEqual([]);
  await client.delete(CRDS, { name: `cogs.${group}` });
  await until(() => conditionOf(other(), 'Established')?.status).toBe('True');
  await until(() => served('others').length).toBe(1);
});

test('versions share one stored form', async () => {
  const v1 = version('v1', { a: { type: 'string' }, b: { type: 'string', default: 'b1' } });
  const old = version('v0', { a: { type: 'string' } }, { storage: false, deprecated: true });
  await define({ versions: [v1, old] });
  expect(served().map((one) => [one.type.version, one.deprecationWarning])).toEqual([
    ['v1', undefined],
    ['v0', `${group}/v0 Cog is deprecated; use ${group}/v1 Cog`],
  ]);
  await client.create(cogs('v0'), cog({ a: '1', b: 'pruned' }));
  expect(await client.get(cogs('v1'), { name: 'x' })).toMatchObject({
    apiVersion: `${group}/v1`,
    spec: { a: '1', b: 'b1' },
  });
  expect(await client.get(cogs('v0'), { name: 'x' })).toMatchObject({ apiVersion: `${group}/v0`, spec: { a: '1' } });
  const same = await client.get(cogs('v0'), { name: 'x' });
  expect(await client.update(cogs('v0'), same)).toEqual(same);
  await change((crd) => {
    for (const one of crd.spec.versions) one.storage = one.name === 'v0';
  });
  expect(read()?.status.storedVersions).toEqual(['v1', 'v0']);
  const stored = async (): Promise<KubeObject> => {
    const value = (await store.get(`/registry/${group}/cogs/x`))?.value ?? new Uint8Array();
    return JSON.parse(Buffer.from(value).toString()) as KubeObject;
  };
  expect((await stored()).apiVersion).toBe(`${group}/v1`);
  // Writing the same again is how objects move to another storage version.
  const before = await client.get(cogs('v1'), { name: 'x' });
  const after = await client.update(cogs('v1'), before);
  expect(after.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion);
  expect((await stored()).apiVersion).toBe(`${group}/v0`);
});

test('defaults that came later are filled in when objects are read', async () => {
  await define();
  await client.create(cogs(), cog({ a: '1' }));
  await change((crd) => {
    crd.spec.versions = [version('v1', { a: { type: 'string' }, d: { type: 'integer', default: 7 } })];
  });
  expect((await client.get(cogs(), { name: 'x' }))['spec']).toEqual({ a: '1', d: 7 });
  const { items } = await client.list(cogs());
  expect(items.map((one) => one['spec'])).toEqual([{ a: '1', d: 7 }]);
});

test('what was stored under a looser schema may stay as it is', async () => {
  await define({ versions: [version('v1', { a: { type: 'string' }, b: { type: 'integer' } })] });
  await client.create(cogs(), cog({ a: 'long', b: 1 }));
  await change((crd) => {
    crd.spec.versions = [version('v1', { a: { type: 'string', maxLength: 2 }, b: { type: 'integer' } })];
  });
  const patch = (spec: object) => client.patch(cogs(), { name: 'x' }, 'merge', { spec });
  expect((await patch({ b: 2 }))['spec']).toEqual({ a: 'long', b: 2 });
  await expect(patch({ a: 'longer' })).rejects.toMatchObject({ status: { reason: 'Invalid' } });
  expect((await patch({ a: 'ok' }))['spec']).toEqual({ a: 'ok', b: 2 });
});

test('a replacement names the version that it replaces; a status is checked by itself', async () => {
  const properties = {
    spec: { type: 'object', properties: { a: { type: 'string' } } },
    status: { type: 'object', properties: { n: { type: 'integer' } } },
  };
  const loose = { name: 'v1', served: true, storage: true, subresources: { status: {} } } as const;
  await define({ versions: [{ ...loose, schema: { openAPIV3Schema: { type: 'object', properties } } }] });
  const { metadata } = await client.create(cogs(), cog({ a: 'long' }));
  expect((await client.get(cogs(), { name: 'x' }))['status']).toBeUndefined();
  await expect(client.update(cogs(), cog({ a: 'x' }))).rejects.toThrow('metadata.resourceVersion: Invalid value: 0');
  await change((crd) => {
    const stricter = { ...properties.spec, required: ['b'] };
    crd.spec.versions = [
      { ...loose, schema: { openAPIV3Schema: { type: 'object', properties: { ...properties, spec: stricter } } } },
    ];
  });
  const set = (n: unknown) =>
    client.updateStatus(cogs(), { ...cog({ a: 'x' }), metadata, status: { n } } as KubeObject);
  await expect(set('1')).rejects.toThrow('status.n: Invalid value: "string"');
  expect(await set(1)).toMatchObject({ spec: { a: 'long' }, status: { n: 1 }, metadata: { generation: 1 } });
});

test('rules see the old value and give their reasons', async () => {
  const rules = [
    { rule: 'self >= oldSelf', message: 'only grows', reason: 'FieldValueForbidden' },
    { rule: 'self < 10', messageExpression: "self > 10 ? 'far too much' : 'too much'" },
  ];
  await define({ versions: [version('v1', { n: { type: 'integer', 'x-kubernetes-validations': rules } })] });
  await client.create(cogs(), cog({ n: 3 }));
  const patch = (n: number) => client.patch(cogs(), { name: 'x' }, 'merge', { spec: { n } });
  await expect(patch(2)).rejects.toThrow('spec.n: Forbidden: only grows');
  await expect(patch(11)).rejects.toThrow('spec.n: Invalid value: 11: far too much');
  expect((await patch(4))['spec']).toEqual({ n: 4 });
});

test('a watch ends when the schema changes', async () => {
  await define();
  const events: string[] = [];
  const watch = (async () => {
    for await (const { type } of client.watch(cogs(), {}, stop.signal)) events.push(type);
  })();
  await client.create(cogs(), cog({ a: '1' }));
  await until(() => events).toEqual(['ADDED']);
  await change((crd) => {
    crd.spec.versions = [version('v1', { a: { type: 'string' }, d: { type: 'integer' } })];
  });
  await watch;
  expect(events).toEqual(['ADDED']);
});

describe('deletion', () => {
  test('takes the instances along', async () => {
    await define();
    await client.create(cogs(), cog({ a: '1' }));
    await client.delete(CRDS, { name: `cogs.${group}` });
    await until(() => read()).toBeUndefined();
    await until(() => served()).toEqual([]);
    await define();
    expect((await client.list(cogs())).items).toEqual([]);
  });

  test('waits for instances that finalizers hold', async () => {
    await define();
    const held = cog({ a: '1' });
    await client.create(cogs(), { ...held, metadata: { ...held.metadata, finalizers: ['example.com/hold'] } });
    await client.delete(CRDS, { name: `cogs.${group}` });
    await until(() => conditionOf(read(), 'Terminating')).toMatchObject({
      status: 'True',
      reason: 'InstanceDeletionInProgress',
    });
    expect(read()?.metadata).toMatchObject({
      generation: 1,
      finalizers: ['customresourcecleanup.apiextensions.k8s.io'],
    });
    await until(() => served().every((one) => one.terminating)).toBe(true);
    await expect(client.create(cogs(), cog({}, 'y'))).rejects.toMatchObject({
      status: { code: 405, message: 'create not allowed while custom resource definition is terminating' },
    });
    await until(() => server.reader.get(cogs(), { name: 'x' })?.metadata.deletionTimestamp).toBeDefined();
    await client.patch(cogs(), { name: 'x' }, 'merge', { metadata: { finalizers: null } });
    await until(() => read()).toBeUndefined();
    await until(() => served()).toEqual([]);
  });
});

test('a request that is under way when its definition goes is done, or there is nothing to do it with', async () => {
  await define();
  const definitions = served();
  const outcomes = new Set<string>();
  for (let turns = 0; turns < 30; turns++) {
    const creating = client.create(cogs(), cog({ a: '1' }, `y${turns}`)).then(
      () => 'done',
      (error) => error.status.reason as string,
    );
    for (let i = 0; i < turns; i++) await Promise.resolve();
    for (const definition of definitions) server.removeDefinition(definition);
    outcomes.add(await creating);
    for (const definition of definitions) await server.addDefinition(definition);
  }
  expect([...outcomes].sort()).toEqual(['NotFound', 'done']);
});

test('groups that the server has by itself stay as they are', async () => {
  const names = { plural: 'widgets', kind: 'Widget' };
  await client.create(CRDS, {
    metadata: { name: 'widgets.apps.k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved, a test' } },
    spec: { ...draft().spec, group: 'apps.k8s.io', names },
  } as never);
  await until(() => conditionOf(read('widgets.apps.k8s.io'), 'KubernetesAPIApprovalPolicyConformant')).toMatchObject({
    status: 'False',
    reason: 'UnapprovedAnnotation',
  });
  await client.create(CRDS, {
    metadata: { name: 'ingresses.networking.k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved' } },
    spec: { ...draft().spec, group: 'networking.k8s.io', names: { plural: 'ingresses', kind: 'Odd' } },
  } as never);
  await until(() => conditionOf(read('ingresses.networking.k8s.io'), 'Established')?.status).toBe('True');
  await client.list({
    group: 'networking.k8s.io',
    version: 'v1',
    resource: 'ingresses',
    kind: 'Ingress',
    namespaced: true,
  });
  expect(server.definitions.get('networking.k8s.io', 'v1', 'ingresses')?.custom).toBeUndefined();
});
