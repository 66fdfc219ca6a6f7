/** What sig-network asks of the API: Services and all that hangs on them, on a server without a node. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CallAnswer, call } from './api-call.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`the tests of the Service API do not run: ${missing}`);

const MERGE = 'application/merge-patch+json';

interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly status?: { readonly loadBalancer?: object; readonly conditions?: readonly object[] };
}

interface List<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

interface Endpoints extends Stored {
  readonly subsets?: readonly {
    readonly addresses?: readonly { readonly ip: string }[];
    readonly notReadyAddresses?: readonly { readonly ip: string }[];
    readonly ports?: readonly { readonly name?: string; readonly port: number }[];
  }[];
}

interface Slice extends Stored {
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[];
  readonly ports?: readonly { readonly name?: string; readonly port: number }[];
}

describe.skipIf(missing !== undefined)('Services and what hangs on them, through the API', () => {
  let cluster: Cluster;
  let namespaces = 0;

  beforeAll(async () => {
    cluster = await Cluster.start({ node: false });
  });
  afterAll(() => cluster?.remove());

  async function namespace(): Promise<string> {
    const name = `service-api-${namespaces++}`;
    await ok('POST', '/api/v1/namespaces', { metadata: { name } });
    return name;
  }

  function send(method: string, path: string, body?: object, type = 'application/json'): Promise<CallAnswer> {
    const text = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': type } };
    return call(cluster, path, { method, ...text });
  }

  async function ok<T = Stored>(method: string, path: string, body?: object, type?: string): Promise<T> {
    const { code, body: text } = await send(method, path, body, type);
    expect([200, 201], `${method} ${path}: ${text}`).toContain(code);
    return JSON.parse(text) as T;
  }

  const get = <T = Stored>(path: string): Promise<T> => ok<T>('GET', path);

  /** What a watch from a version on has to tell by now. */
  async function eventsSince(path: string, version: string, selector = ''): Promise<[type: string, object: Stored][]> {
    const query = `watch=true&timeoutSeconds=1&resourceVersion=${version}&labelSelector=${encodeURIComponent(selector)}`;
    const { body } = await call(cluster, `${path}?${query}`);
    return body
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const { type, object } = JSON.parse(line) as { type: string; object: Stored };
        return [type, object];
      });
  }

  /** A Pod that looks as if it ran, as endpoint controllers see it. */
  async function addPod(inNamespace: string, name: string, podIP: string, labels: object, ports: object[]) {
    const pods = `/api/v1/namespaces/${inNamespace}/pods`;
    const containers = [{ name: 'c', image: 'none', ports }];
    await ok('POST', pods, { metadata: { name, labels }, spec: { containers, schedulerName: 'nobody' } });
    const conditions = [{ type: 'Ready', status: 'True' }];
    const status = { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions };
    await ok('PATCH', `${pods}/${name}/status`, { status }, MERGE);
  }

  test.each([
    [
      'discovery.k8s.io',
      'endpointslices',
      true,
      { addressType: 'IPv4', endpoints: [{ addresses: ['1.2.3.4', '5.6.7.8'] }, { addresses: ['2.2.3.4'] }] },
    ],
    [
      'networking.k8s.io',
      'ingresses',
      true,
      // Of a class that nobody serves: else its status would not be ours to change.
      { spec: { ingressClassName: 'another', defaultBackend: { service: { name: 'none', port: { number: 80 } } } } },
    ],
    ['networking.k8s.io', 'ingressclasses', false, { spec: { controller: 'example.com/controller' } }],
  ])('%s %s: discovery, and every verb', async (group, resource, namespaced, content) => {
    const groups = await get<{ groups: { name: string; versions: { version: string }[] }[] }>('/apis');
    const versions = groups.groups.find(({ name }) => name === group)?.versions ?? [];
    expect(versions.map(({ version }) => version)).toContain('v1');
    expect((await get<{ versions: { version: string }[] }>(`/apis/${group}`)).versions).toContainEqual(
      expect.objectContaining({ version: 'v1' }),
    );
    const { resources } = await get<{ resources: { name: string; verbs: string[] }[] }>(`/apis/${group}/v1`);
    expect(resources.find(({ name }) => name === resource)?.verbs.sort()).toEqual(
      ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'].sort(),
    );
    if (resource === 'ingresses') expect(resources.map(({ name }) => name)).toContain('ingresses/status');

    const everywhere = `/apis/${group}/v1/${resource}`;
    const unique = await namespace();
    const path = namespaced ? `/apis/${group}/v1/namespaces/${unique}/${resource}` : everywhere;
    const selector = `special=${unique}`;
    const query = `?labelSelector=${encodeURIComponent(selector)}`;
    const { metadata: before } = await get<List<Stored>>(`${everywhere}${query}`);
    const body = { metadata: { generateName: 'e2e-', labels: { special: unique } }, ...content };
    const created: Stored[] = [];
    for (let i = 0; i < 3; i++) created.push(await ok('POST', path, body));
    const { name, uid } = created[0]?.metadata ?? { name: '', uid: '' };
    expect((await get(`${path}/${name}`)).metadata.uid).toBe(uid);
    for (const at of [path, everywhere]) expect((await get<List<Stored>>(`${at}${query}`)).items).toHaveLength(3);

    const patched = await ok('PATCH', `${path}/${name}`, { metadata: { annotations: { patched: 'true' } } }, MERGE);
    expect(patched.metadata.annotations).toEqual({ patched: 'true' });
    const wanted = { ...patched, metadata: { ...patched.metadata, annotations: { patched: 'true', updated: 'true' } } };
    expect((await ok('PUT', `${path}/${name}`, wanted)).metadata.annotations).toMatchObject({ updated: 'true' });
    if (resource === 'ingresses') await changeStatus(`${path}/${name}`);

    await ok('DELETE', `${path}/${name}`);
    expect((await send('GET', `${path}/${name}`)).code).toBe(404);
    expect((await get<List<Stored>>(`${path}${query}`)).items).toHaveLength(2);
    await ok('DELETE', `${path}${query}`);
    expect((await get<List<Stored>>(`${path}${query}`)).items).toHaveLength(0);
    const events = (await eventsSince(everywhere, before.resourceVersion, selector)).map(([type]) => type);
    const changes = resource === 'ingresses' ? 4 : 2;
    const all = [...Array(3).fill('ADDED'), ...Array(changes).fill('MODIFIED'), ...Array(3).fill('DELETED')];
    expect(events).toEqual(all);
  });

  async function changeStatus(path: string): Promise<void> {
    const loadBalancer = (ip: string) => ({ loadBalancer: { ingress: [{ ip }] } });
    const patch = { metadata: { annotations: { patchedstatus: 'true' } }, status: loadBalancer('169.1.1.1') };
    const patched = await ok('PATCH', `${path}/status`, patch, MERGE);
    expect(patched).toMatchObject({ status: patch.status, metadata: { annotations: { patchedstatus: 'true' } } });
    const updated = await ok('PUT', `${path}/status`, { ...patched, status: loadBalancer('169.1.1.2') });
    expect(updated.status).toEqual(loadBalancer('169.1.1.2'));
    expect((await get(`${path}/status`)).status).toEqual(updated.status);
  }

  test('the life of the status of a Service that another load balancer serves', async () => {
    const path = `/api/v1/namespaces/${await namespace()}/services`;
    const labels = { 'test-service-static': 'true' };
    const created = await ok('POST', path, {
      metadata: { name: 'lb', labels },
      spec: {
        type: 'LoadBalancer',
        loadBalancerClass: 'example.com/internal-vip',
        ports: [{ name: 'http', port: 80, targetPort: 80, protocol: 'TCP' }],
      },
    });
    expect((await get(`${path}/lb/status`)).metadata.uid).toBe(created.metadata.uid);
    const loadBalancer = { ingress: [{ ip: '203.0.113.1', ipMode: 'VIP' }] };
    const patch = {
      metadata: { annotations: { patchedstatus: 'true' } },
      status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
    };
    const patched = await ok('PATCH', `${path}/lb/status`, patch, MERGE);
    expect(patched).toMatchObject({ metadata: patch.metadata, status: { loadBalancer } });
    const condition = {
      type: 'StatusUpdate',
      status: 'True',
      reason: 'E2E',
      message: 'Set from e2e test',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const updated = await ok('PUT', `${path}/lb/status`, {
      ...patched,
      status: { loadBalancer, conditions: [condition] },
    });
    expect(updated.status).toEqual({ loadBalancer, conditions: [condition] });
    const label = { metadata: { labels: { 'test-service': 'patched' } } };
    const relabelled = await ok('PATCH', `${path}/lb`, label, 'application/strategic-merge-patch+json');
    expect(relabelled).toMatchObject({ metadata: { labels: { ...labels, 'test-service': 'patched' } } });
    expect(relabelled.status).toEqual(updated.status);
    await ok('DELETE', `${path}/lb`);
    expect((await send('GET', `${path}/lb`)).code).toBe(404);
    const events = await eventsSince(path, created.metadata.resourceVersion);
    expect(events.map(([type]) => type)).toEqual(['MODIFIED', 'MODIFIED', 'MODIFIED', 'DELETED']);
  });

  test('Services are deleted by their labels', async () => {
    const path = `/api/v1/namespaces/${await namespace()}/services`;
    for (const [name, kind] of Object.entries({ a: 'go', b: 'go', c: 'stay' }))
      await ok('POST', path, { metadata: { name, labels: { kind } }, spec: { ports: [{ port: 80 }] } });
    expect((await get<List<Stored>>(path)).items).toHaveLength(3);
    await ok('DELETE', `${path}?labelSelector=kind%3Dgo`);
    const { items } = await get<List<Stored>>(path);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['c']);
  });

  test('the kubernetes Service is found in all namespaces, secure, and leads to the API server', async () => {
    const { items } = await get<List<Stored & { spec: { ports: object[] } }>>('/api/v1/services');
    const found = items.find(({ metadata }) => metadata.name === 'kubernetes' && metadata.namespace === 'default');
    expect(found?.spec.ports).toEqual([expect.objectContaining({ name: 'https', port: 443, protocol: 'TCP' })]);
    const endpoints = await eventually('its endpoints', () =>
      get<Endpoints>('/api/v1/namespaces/default/endpoints/kubernetes'),
    );
    const slices = await get<List<Slice>>(
      '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes',
    );
    const [subset] = endpoints.subsets ?? [];
    expect(subset?.addresses?.length).toBeGreaterThan(0);
    expect(slices.items).toHaveLength(1);
    expect(slices.items[0]?.endpoints?.flatMap(({ addresses }) => addresses)).toEqual(
      subset?.addresses?.map(({ ip }) => ip),
    );
    expect(slices.items[0]?.ports).toMatchObject(subset?.ports ?? []);
  });

  test('the life of an Endpoints object', async () => {
    const path = `/api/v1/namespaces/${await namespace()}/endpoints`;
    const ports = [{ name: 'http', port: 80, protocol: 'TCP' }];
    const selector = 'test-endpoint-static=true';
    const created = await ok('POST', path, {
      metadata: { name: 'testservice', labels: { 'test-endpoint-static': 'true' } },
      subsets: [{ addresses: [{ ip: '10.0.0.24' }], ports }],
    });
    const selected = `${path}?labelSelector=${encodeURIComponent(selector)}`;
    expect((await get<List<Stored>>('/api/v1/endpoints')).items.map(({ metadata }) => metadata.uid)).toContain(
      created.metadata.uid,
    );
    const labels = { ...created.metadata.labels, 'test-service': 'updated' };
    const updated = await ok('PUT', `${path}/testservice`, { ...created, metadata: { ...created.metadata, labels } });
    expect((await get(`${path}/testservice`)).metadata.labels).toEqual(labels);
    const subsets = [{ addresses: [{ ip: '10.0.0.25' }], ports: [{ name: 'http-test', port: 8080, protocol: 'TCP' }] }];
    const patch = { metadata: { labels: { 'test-service': 'patched' } }, subsets };
    await ok('PATCH', `${path}/testservice`, patch, 'application/strategic-merge-patch+json');
    expect(await get<Endpoints>(`${path}/testservice`)).toMatchObject(patch);
    await ok('DELETE', selected);
    expect((await get<List<Stored>>(selected)).items).toHaveLength(0);
    const events = await eventsSince(path, updated.metadata.resourceVersion, selector);
    expect(events.map(([type, { metadata }]) => [type, metadata.labels?.['test-service']])).toEqual([
      ['MODIFIED', 'patched'],
      ['DELETED', 'patched'],
    ]);
  });

  test('Endpoints and EndpointSlices follow the Pods of a Service, and go with it', async () => {
    const name = await namespace();
    const slicesOf = async (service: string): Promise<readonly Slice[]> =>
      (
        await get<List<Slice>>(
          `/apis/discovery.k8s.io/v1/namespaces/${name}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D${service}`,
        )
      ).items;
    const endpointsOf = async (service: string): Promise<string[]> => {
      const { subsets = [] } = await get<Endpoints>(`/api/v1/namespaces/${name}/endpoints/${service}`);
      return subsets.flatMap(({ addresses = [], ports = [] }) =>
        addresses.flatMap(({ ip }) => ports.map((port) => `${ip}:${port.port}/${port.name ?? ''}`)),
      );
    };
    const pairsOf = async (service: string): Promise<string[]> =>
      (await slicesOf(service)).flatMap(({ endpoints, ports }) =>
        (endpoints ?? []).flatMap(({ addresses }) =>
          (ports ?? []).map((port) => `${addresses[0]}:${port.port}/${port.name ?? ''}`),
        ),
      );
    const expectPairs = async (service: string, wanted: readonly string[], slices: number): Promise<void> => {
      await eventually(`${service}: ${wanted}`, async () => {
        const [one, other] = [await endpointsOf(service), await pairsOf(service)];
        const same = [one, other].every((pairs) => pairs.sort().join() === [...wanted].sort().join());
        return same && (await slicesOf(service)).length === slices;
      });
    };
    const port = { containerPort: 3000, name: 'example-name' };
    await addPod(name, 'pod1', '10.1.0.1', { pod1: 'on', shared12: 'on' }, [port]);
    const others = [
      { ...port, containerPort: 3001 },
      { containerPort: 3002, name: 'other-port' },
    ];
    await addPod(name, 'pod2', '10.1.0.2', { pod2: 'on', shared12: 'on' }, others);
    const addService = (service: string, selector: object, targetPort: number | string): Promise<Stored> =>
      ok('POST', `/api/v1/namespaces/${name}/services`, {
        metadata: { name: service },
        spec: { selector, publishNotReadyAddresses: true, ports: [{ name: 'p', port: 80, targetPort }] },
      });
    await addService('int-port', { pod1: 'on' }, 3000);
    await addService('named-port', { shared12: 'on' }, 'example-name');
    await addService('no-match', { pod3: 'on' }, 8080);
    await expectPairs('int-port', ['10.1.0.1:3000/p'], 1);
    const both = ['10.1.0.1:3000/p', '10.1.0.2:3001/p'];
    await expectPairs('named-port', both, 2);
    await expectPairs('no-match', [], 1);
    const [empty] = await slicesOf('no-match');
    expect(empty?.metadata.labels?.['endpointslice.kubernetes.io/managed-by']).toBe('endpointslice-controller.k8s.io');
    for (const { metadata } of await slicesOf('named-port'))
      await ok('DELETE', `/apis/discovery.k8s.io/v1/namespaces/${name}/endpointslices/${metadata.name}`);
    await expectPairs('named-port', both, 2);
    await ok('DELETE', `/api/v1/namespaces/${name}/pods/pod1?gracePeriodSeconds=0`);
    await expectPairs('named-port', ['10.1.0.2:3001/p'], 1);
    await ok('DELETE', `/api/v1/namespaces/${name}/services/no-match`);
    await eventually('both are gone', async () => {
      const { code } = await send('GET', `/api/v1/namespaces/${name}/endpoints/no-match`);
      return code === 404 && (await slicesOf('no-match')).length === 0;
    });
  });

  test('a hundred new Services have their endpoints within the time of one', async () => {
    const name = await namespace();
    await addPod(name, 'pause', '10.1.0.3', { app: 'svc-latency' }, []);
    const names = Array.from({ length: 100 }, (_, index) => `latency-svc-${index}`);
    for (const service of names)
      await ok('POST', `/api/v1/namespaces/${name}/services`, {
        metadata: { name: service },
        spec: { selector: { app: 'svc-latency' }, ports: [{ port: 80 }] },
      });
    await eventually('all have one', async () => {
      const { items } = await get<List<Endpoints>>(`/api/v1/namespaces/${name}/endpoints`);
      return items.filter(({ subsets }) => subsets?.[0]?.addresses?.[0]?.ip === '10.1.0.3').length === names.length;
    });
  });
});
