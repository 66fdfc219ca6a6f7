import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import type { KubeObject, ResourceType } from '../../api/object.ts';
import { builtinDefinitions } from '../../api/scheme.ts';
import { MASTERS_GROUP } from '../../api/user.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createMetrics, type Metrics } from '../../base/metrics.ts';
import { type Client, createClient, RestClientMetrics } from '../../client/index.ts';
import { MemoryStore } from '../../storage/memory/memory-store.ts';
import { type APIServer, createAPIServer, createWatchCache } from '../index.ts';
import { WebhookClient } from '../webhooks/index.ts';
import { FakeWebhook } from '../webhooks/testing/fake-webhook.ts';
import { ConversionMetrics } from './conversion-metrics.ts';
import { CustomResources } from './custom-resources.ts';
import { CRDS } from './types.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look at parts of objects of any kind.
type Any = any;

const admin = { username: 'admin', groups: [MASTERS_GROUP] };
let hook: FakeWebhook;
let webhooks: WebhookClient;
let metrics: Metrics;
let store: MemoryStore;
let server: APIServer;
let client: Client;
let stop: AbortController;
let running: Promise<unknown>;
/** What the webhook makes of an object. */
let convert: (object: Any, version: string) => unknown;
let result: object;

beforeAll(async () => {
  hook = await FakeWebhook.open();
  webhooks = new WebhookClient({
    clock: systemClock,
    requests: new RestClientMetrics(createMetrics()),
    resolve: () => ({ host: '127.0.0.1', port: hook.port }),
  });
});

afterAll(async () => {
  await webhooks.close();
  await hook.close();
});

beforeEach(async () => {
  hook.bodies.length = 0;
  metrics = createMetrics();
  convert = move;
  result = { status: 'Success' };
  hook.handler = (body, _request, response) => {
    const { request, ...review } = JSON.parse(body);
    const version = request.desiredAPIVersion;
    const convertedObjects = request.objects.map((object: Any) => convert(object, version));
    response.end(JSON.stringify({ ...review, response: { uid: request.uid, result, convertedObjects } }));
  };
  store = new MemoryStore();
  const definitions = builtinDefinitions();
  const cache = createWatchCache(store, definitions);
  server = createAPIServer(
    {
      bindAddress: '127.0.0.1',
      port: 0,
      serviceCIDRs: ['10.43.0.0/16'],
      nodePortRange: [30000, 32767],
      tls: await tls(),
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
    webhooks,
    metrics: new ConversionMetrics(metrics),
    clock: systemClock,
    logger: silentLogger,
  });
  running = Promise.all([serving, resources.run(stop.signal, ready.resolve)]);
  await ready.promise;
  await client.create(CRDS, definition('v1') as never);
  await expect.poll(() => server.definitions.get('example.com', 'v2', 'hosts')).toBeDefined();
});

afterEach(async () => {
  stop.abort();
  await running;
  await store.close();
});

async function tls(): Promise<{ cert: string; key: string; clientCA: string }> {
  const { createAuthority } = await import('../../pki/issue.ts');
  const nowMs = Date.now();
  const pair = await createAuthority({ commonName: 'test', notBeforeMs: nowMs, notAfterMs: nowMs + 86_400_000 });
  return { cert: pair.certificatePEM, key: pair.keyPEM, clientCA: pair.certificatePEM };
}

function definition(storage: 'v1' | 'v2'): object {
  const version = (name: string): object => ({
    name,
    served: true,
    storage: name === storage,
    selectableFields: (name === 'v1' ? ['.hostPort'] : ['.host', '.port']).map((jsonPath) => ({ jsonPath })),
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          hostPort: { type: 'string' },
          host: { type: 'string' },
          port: { type: 'string' },
        },
      },
    },
  });
  return {
    metadata: { name: 'hosts.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Cluster',
      names: { plural: 'hosts', kind: 'Host' },
      versions: [version('v1'), version('v2')],
      conversion: {
        strategy: 'Webhook',
        webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: hook.url('/c'), caBundle: hook.caBundle } },
      },
    },
  };
}

function hosts(version: string): ResourceType<KubeObject> {
  return { group: 'example.com', version, resource: 'hosts', kind: 'Host', namespaced: false };
}

/** v1 has host and port in one field, v2 in two. */
function move(object: Any, apiVersion: string): Any {
  const { hostPort, host, port, ...rest } = object;
  if (apiVersion === 'example.com/v1') return { ...rest, apiVersion, hostPort: `${host}:${port}` };
  const [name, number] = String(hostPort).split(':');
  return { ...rest, apiVersion, host: name, port: number };
}

function create(version: 'v1' | 'v2', name: string): Promise<Any> {
  const body = version === 'v1' ? { hostPort: 'h:1' } : { host: 'h', port: '1' };
  return client.create(hosts(version), { metadata: { name }, ...body } as never);
}

async function store2(): Promise<void> {
  const crd = (await client.get(CRDS, { name: 'hosts.example.com' })) as Any as CustomResourceDefinition;
  const { spec } = definition('v2') as Any;
  await client.update(CRDS, { ...crd, spec } as never);
  const before = server.definitions.get('example.com', 'v2', 'hosts');
  await expect
    .poll(() => {
      const now = server.definitions.get('example.com', 'v2', 'hosts');
      return now !== before && now?.storedAs?.type.version === 'v2';
    })
    .toBe(true);
}

describe('objects', () => {
  test('are read in the other version', async () => {
    await create('v1', 'a');
    expect(hook.bodies).toEqual([]);
    const read = (await client.get(hosts('v2'), { name: 'a' })) as Any;
    expect(read).toMatchObject({ apiVersion: 'example.com/v2', host: 'h', port: '1', metadata: { name: 'a' } });
    expect(read).not.toHaveProperty('hostPort');
    await client.get(hosts('v2'), { name: 'a' });
    expect(hook.bodies).toHaveLength(1);
    expect(JSON.parse(hook.bodies[0] ?? '')).toMatchObject({
      kind: 'ConversionReview',
      apiVersion: 'apiextensions.k8s.io/v1',
      request: { desiredAPIVersion: 'example.com/v2', objects: [{ apiVersion: 'example.com/v1', hostPort: 'h:1' }] },
    });
    expect(hook.paths).toContain('/c');
    const counted = await metrics.metrics();
    expect(counted).toContain('apiserver_conversion_webhook_request_total{result="success",failure_type=""} 1');
    expect(counted).toContain(
      '_conversion_webhook_duration_seconds_count{crd_name="hosts.example.com",from_version="v1",to_version="v2",succeeded="true"} 1',
    );
  });

  test('are written in the other version', async () => {
    const made = await create('v2', 'b');
    expect(made).toMatchObject({ apiVersion: 'example.com/v2', host: 'h' });
    expect(await client.get(hosts('v1'), { name: 'b' })).toMatchObject({ hostPort: 'h:1' });
    const patched = (await client.patch(hosts('v2'), { name: 'b' }, 'merge', { port: '2' })) as Any;
    expect(patched).toMatchObject({ host: 'h', port: '2' });
    expect(await client.get(hosts('v1'), { name: 'b' })).toMatchObject({ hostPort: 'h:2' });
    await client.delete(hosts('v2'), { name: 'b' });
    expect(server.reader.get(hosts('v1'), { name: 'b' })).toBeUndefined();
  });

  test('of several stored versions are in one list', async () => {
    await create('v1', 'a');
    await store2();
    await create('v2', 'b');
    const { items } = (await client.list(hosts('v2'))) as Any;
    expect(items.map(({ apiVersion, host, metadata }: Any) => [metadata.name, apiVersion, host])).toEqual([
      ['a', 'example.com/v2', 'h'],
      ['b', 'example.com/v2', 'h'],
    ]);
    const crd = (await client.get(CRDS, { name: 'hosts.example.com' })) as Any;
    expect(crd.status.storedVersions).toEqual(['v1', 'v2']);
    // An empty patch is enough to store an object anew.
    await client.patch(hosts('v1'), { name: 'a' }, 'merge', {});
    expect(server.reader.get(hosts('v2'), { name: 'a' })).toMatchObject({ apiVersion: 'example.com/v2', host: 'h' });
  });

  test('are watched in the other version, in order', async () => {
    await create('v1', 'a');
    const end = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { type, object } of client.watch(hosts('v2'), {}, end.signal)) {
        seen.push(`${type} ${object.metadata.name} ${(object as Any).host}`);
        if (seen.length === 1) await create('v2', 'b');
        if (seen.length === 2) await client.delete(hosts('v1'), { name: 'a' });
        if (seen.length === 3) end.abort();
      }
    })();
    await watching;
    expect(seen).toEqual(['ADDED a h', 'ADDED b h', 'DELETED a h']);
  });

  test('are selected by the fields of the version that is asked for', async () => {
    const put = (name: string, host: string, port: string) =>
      client.create(hosts('v2'), { metadata: { name }, host, port } as never);
    await put('a', 'one', '80');
    await put('b', 'one', '8080');
    await put('c', 'two', '80');
    const names = async (version: string, fieldSelector: string) =>
      ((await client.list(hosts(version), { fieldSelector })) as Any).items.map(({ metadata }: Any) => metadata.name);
    expect(await names('v2', 'host=one')).toEqual(['a', 'b']);
    expect(await names('v2', 'host=one,port=80')).toEqual(['a']);
    expect(await names('v2', 'host!=one,metadata.name!=a')).toEqual(['c']);
    expect(await names('v1', 'hostPort=one:8080')).toEqual(['b']);
    const end = new AbortController();
    const seen: string[] = [];
    const next = [
      () => client.patch(hosts('v2'), { name: 'c' }, 'merge', { port: '81' }),
      () => client.patch(hosts('v2'), { name: 'b' }, 'merge', { port: '81' }),
      () => client.patch(hosts('v1'), { name: 'b' }, 'merge', { hostPort: 'two:81' }),
      () => client.patch(hosts('v1'), { name: 'c' }, 'merge', { hostPort: 'one:82' }),
      () => client.delete(hosts('v2'), { name: 'a' }),
      () => end.abort(),
    ];
    for await (const { type, object } of client.watch(hosts('v2'), { fieldSelector: 'host=one' }, end.signal)) {
      const { metadata, host, port } = object as Any;
      seen.push(`${type} ${metadata.name} ${host}:${port}`);
      if (seen.length === 1) continue;
      if (seen.length === 2) await next.shift()?.();
      await next.shift()?.();
    }
    expect(seen).toEqual([
      'ADDED a one:80',
      'ADDED b one:8080',
      'MODIFIED b one:81',
      'DELETED b one:81',
      'ADDED c one:82',
      'DELETED a one:80',
    ]);
  });
});

describe('owners of fields', () => {
  const owners = ({ metadata }: Any) =>
    metadata.managedFields.map(({ manager, apiVersion, fieldsV1 }: Any) => [
      manager,
      apiVersion,
      Object.keys(fieldsV1),
    ]);
  const apply = (version: 'v1' | 'v2', fieldManager: string, fields: object, force = false): Promise<Any> => {
    const body = { apiVersion: `example.com/${version}`, kind: 'Host', metadata: { name: 'a' }, ...fields };
    return client.patch(hosts(version), { name: 'a' }, 'apply', body, { fieldManager, force });
  };

  test('are asked in the version that they used', async () => {
    await apply('v1', 'one', { hostPort: 'h:1' });
    await expect(apply('v2', 'two', { port: '2' })).rejects.toMatchObject({
      status: { code: 409, details: { causes: [{ reason: 'FieldManagerConflict', field: '.hostPort' }] } },
    });
    // What is the same after conversion is shared; who changes nothing has no time and comes first.
    expect(owners(await apply('v2', 'two', { port: '1' }))).toEqual([
      ['two', 'example.com/v2', ['f:port']],
      ['one', 'example.com/v1', ['f:hostPort']],
    ]);
    expect(owners(await apply('v2', 'two', { port: '2' }, true))).toEqual([['two', 'example.com/v2', ['f:port']]]);
  });

  test('lose what others change in another version', async () => {
    await apply('v1', 'one', { hostPort: 'h:1' });
    const patched = await client.patch(hosts('v2'), { name: 'a' }, 'merge', { port: '2' }, { fieldManager: 'two' });
    expect(owners(patched)).toEqual([['two', 'example.com/v2', ['f:port']]]);
  });

  test('keep what they have when the webhook does not answer', async () => {
    await apply('v2', 'one', { host: 'h', port: '1' });
    result = { status: 'Failure', message: 'no way' };
    const patch = { hostPort: 'h:2' };
    const patched = await client.patch(hosts('v1'), { name: 'a' }, 'merge', patch, { fieldManager: 'two' });
    expect(owners(patched)).toEqual([
      ['one', 'example.com/v2', ['f:host', 'f:port']],
      ['two', 'example.com/v1', ['f:hostPort']],
    ]);
    await expect(apply('v1', 'three', { hostPort: 'h:3' })).rejects.toThrow('no way');
  });
});

describe('a webhook that lies', () => {
  const about = 'conversion webhook for example.com/v1, Kind=Host';

  test.each([
    [
      'by another uid',
      (o: Any, v: string) => ({ ...move(o, v), metadata: { ...o.metadata, uid: 'x' } }),
      'must have the same UID: ',
    ],
    [
      'by another name',
      (o: Any, v: string) => ({ ...move(o, v), metadata: { ...o.metadata, name: 'x' } }),
      'must have the same name: a != x',
    ],
    [
      'by another kind',
      (o: Any, v: string) => ({ ...move(o, v), kind: 'X' }),
      'invalid kind (expected Host, received X)',
    ],
    ['by the old version', (o: Any) => o, 'invalid groupVersion (expected example.com/v2, received example.com/v1)'],
    ['by nothing', () => null, 'not an object'],
    ['by no metadata', (o: Any, v: string) => ({ ...move(o, v), metadata: 7 }), 'missing metadata in converted object'],
    [
      'by labels that are none',
      (o: Any, v: string) => ({ ...move(o, v), metadata: { ...o.metadata, labels: { a: 1 } } }),
      'metadata.labels[a] must be a string',
    ],
  ])('%s is not believed', async (_how, answer, message) => {
    await create('v1', 'a');
    convert = answer;
    const error = await client.get(hosts('v2'), { name: 'a' }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ status: { code: 500 } });
    expect((error as Error).message).toContain(about);
    expect((error as Error).message).toContain(message);
    expect(await metrics.metrics()).toContain('failure_type="conversion_webhook_invalid_converted_object_failure"} 1');
  });

  test.each([
    [{ status: 'Failure', message: 'no way' }, 'no way'],
    [{ status: 'Failure' }, "response.result.status was 'Failure', not 'Success'"],
  ])('or fails with %o is quoted', async (failed, message) => {
    await create('v1', 'a');
    result = failed;
    await expect(client.list(hosts('v2'))).rejects.toThrow(`${about} failed: ${message}`);
    // What needs no conversion goes on.
    expect(await client.get(hosts('v1'), { name: 'a' })).toMatchObject({ hostPort: 'h:1' });
  });

  test('ends the watches that need it, and no others', async () => {
    await create('v1', 'a');
    result = { status: 'Failure', message: 'broken' };
    const never = new AbortController();
    const watch = (async () => {
      for await (const _ of client.watch(hosts('v2'), {}, never.signal));
    })();
    await expect(watch).rejects.toThrow('broken');
    const end = new AbortController();
    for await (const { object } of client.watch(hosts('v1'), {}, end.signal)) {
      expect(object).toMatchObject({ hostPort: 'h:1' });
      end.abort();
    }
  });

  test('may change labels and annotations, and nothing else of the metadata', async () => {
    await create('v1', 'a');
    convert = (object, version) => ({
      ...move(object, version),
      metadata: { ...object.metadata, labels: { a: 'b' }, annotations: { c: 'd' }, finalizers: ['x/y'] },
    });
    const { metadata } = (await client.get(hosts('v2'), { name: 'a' })) as Any;
    expect(metadata).toMatchObject({ labels: { a: 'b' }, annotations: { c: 'd' } });
    expect(metadata).not.toHaveProperty('finalizers');
  });
});
