import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDriver } from '../../pkg/kubelet/dra/testing/test-driver.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const DRIVER = 'gpu.example.com';
const RESOURCE = 'example.com/gpu';

interface Claim {
  readonly metadata: {
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly { name: string }[];
  };
  readonly status?: {
    readonly allocation?: { readonly devices: { readonly results: readonly { device: string }[] } };
    readonly reservedFor?: readonly { readonly name: string }[];
  };
}
interface Pod {
  readonly status: {
    readonly phase: string;
    readonly extendedResourceClaimStatus?: { readonly resourceClaimName: string; readonly requestMappings: object[] };
    readonly resourceClaimStatuses?: readonly { readonly resourceClaimName: string }[];
    readonly conditions?: readonly { readonly type: string; readonly message?: string }[];
  };
}

describe.skipIf(missing !== undefined)('devices for claims', () => {
  let cluster: Cluster;
  let driver: TestDriver;
  beforeAll(async () => {
    cluster = await Cluster.start();
    driver = await TestDriver.start(DRIVER, join(cluster.dataDir, 'agent/kubelet'));
    driver.namesDevices = false;
    await eventually('the driver is registered', async () => driver.registrations.at(-1) === '');
    await apply('DeviceClass', 'big', {
      spec: {
        selectors: [{ cel: { expression: `device.attributes["${DRIVER}"].memory >= 40` } }],
        extendedResourceName: RESOURCE,
      },
    });
    await offer(1, [80, 40, 20]);
    const devices = { requests: [{ name: 'r', exactly: { deviceClassName: 'big' } }] };
    await apply('ResourceClaimTemplate', 'one', { spec: { spec: { devices } } });
    await apply('ResourceClaim', 'shared', { spec: { devices } });
  });
  afterAll(() =>
    endAll(
      () => driver?.kill(),
      () => cluster?.remove(),
    ),
  );

  const apply = (kind: string, name: string, fields: object): Promise<string> =>
    cluster.apply(JSON.stringify({ apiVersion: 'resource.k8s.io/v1', kind, metadata: { name }, ...fields }));
  /** What the node has: a device for each amount of memory. */
  const offer = (generation: number, memory: readonly number[]): Promise<string> =>
    apply('ResourceSlice', 'gpus', {
      spec: {
        driver: DRIVER,
        nodeName: cluster.nodeName,
        pool: { name: cluster.nodeName, generation, resourceSliceCount: 1 },
        devices: memory.map((int, i) => ({ name: `gpu-${i}`, attributes: { memory: { int } } })),
      },
    });
  const runWith = (name: string, containerResources: object, fields: object = {}): Promise<string> => {
    const main = { name: 'main', image: 'busybox:test', command: ['sleep', '3600'], resources: containerResources };
    const spec = { terminationGracePeriodSeconds: 1, containers: [main], ...fields };
    return cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }));
  };
  const run = (name: string, claim: object): Promise<string> =>
    runWith(name, { claims: [{ name: 'gpu' }] }, { resourceClaims: [{ name: 'gpu', ...claim }] });
  const until = (name: string, what: string, check: (status: Pod['status']) => boolean): Promise<Pod['status']> =>
    eventually(`${name} ${what}`, async () => {
      const { status } = await cluster.get<Pod>('pod', name);
      return check(status) ? status : undefined;
    });
  const running = (name: string): Promise<Pod['status']> => until(name, 'runs', ({ phase }) => phase === 'Running');
  const claimOf = (name: string): Promise<Claim> => cluster.get<Claim>('resourceclaim', name);
  const devicesOf = ({ status }: Claim): readonly string[] =>
    (status?.allocation?.devices.results ?? []).map(({ device }) => device);

  test('a claim is made, allocated, prepared, and given back', async () => {
    await run('own', { resourceClaimTemplateName: 'one' });
    const { resourceClaimStatuses = [] } = await running('own');
    const name = resourceClaimStatuses[0]?.resourceClaimName ?? '';
    const claim = await claimOf(name);
    expect(devicesOf(claim)).toEqual(['gpu-0']);
    expect(claim).toMatchObject({
      metadata: { finalizers: ['resource.kubernetes.io/delete-protection'], ownerReferences: [{ name: 'own' }] },
      status: { reservedFor: [{ name: 'own' }] },
    });
    expect(driver.calls).toEqual([`prepare ${name}`]);
    await cluster.ok(['delete', 'pod', 'own']);
    await eventually(
      'the claim is gone',
      async () => (await cluster.kubectl(['get', 'resourceclaim', name])).code !== 0,
    );
    expect(driver.calls).toEqual([`prepare ${name}`, `unprepare ${name}`]);
    driver.calls.length = 0;
  });

  test('a device stands for an extended resource', async () => {
    await runWith('extended', { limits: { [RESOURCE]: '1' } });
    const { extendedResourceClaimStatus: { resourceClaimName: name = '', requestMappings } = {} } =
      await running('extended');
    expect(requestMappings).toEqual([
      { containerName: 'main', resourceName: RESOURCE, requestName: 'container-0-request-0' },
    ]);
    expect(devicesOf(await claimOf(name))).toEqual(['gpu-0']);
    expect(driver.calls).toEqual([`prepare ${name}`]);
    await cluster.ok(['delete', 'pod', 'extended']);
    await eventually(
      'its claim is gone',
      async () => (await cluster.kubectl(['get', 'resourceclaim', name])).code !== 0,
    );
    driver.calls.length = 0;
  });

  test('pods share a claim; others wait for devices', async () => {
    await Promise.all([run('first', { resourceClaimName: 'shared' }), run('second', { resourceClaimName: 'shared' })]);
    await Promise.all([running('first'), running('second')]);
    const { status } = await claimOf('shared');
    expect(status?.reservedFor?.map(({ name }) => name).sort()).toEqual(['first', 'second']);
    await run('third', { resourceClaimTemplateName: 'one' });
    await running('third');
    // Two are large enough, and both are taken.
    await run('fourth', { resourceClaimTemplateName: 'one' });
    const waiting = await until('fourth', 'waits', ({ conditions = [] }) => conditions.some(({ message }) => message));
    expect(waiting.conditions).toMatchObject([
      {
        type: 'PodScheduled',
        reason: 'Unschedulable',
        message:
          '0/1 nodes are available: 1 cannot allocate all claims. still not schedulable, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
      },
    ]);
    await offer(2, [80, 40, 60]);
    await running('fourth');
    const name = (await running('fourth')).resourceClaimStatuses?.[0]?.resourceClaimName ?? '';
    expect(devicesOf(await claimOf(name))).toEqual(['gpu-2']);
    await cluster.ok(['delete', 'pod', 'first', 'third', 'fourth']);
    expect(driver.calls.filter((call) => call.endsWith(' shared'))).toEqual(['prepare shared']);
  });

  test('a driver that fails is named, and asked again', async () => {
    driver.problem = 'no power';
    await run('unlucky', { resourceClaimTemplateName: 'one' });
    const event = await eventually('the event', async () => {
      const of = ['--field-selector', 'involvedObject.name=unlucky,reason=FailedPrepareDynamicResources'];
      return (await cluster.ok(['get', 'events', ...of, '-o', 'jsonpath={.items[0].message}'])) || undefined;
    });
    expect(event).toMatch(
      /^Failed to prepare dynamic resources: prepare dynamic resources: NodePrepareResources failed for ResourceClaim unlucky-gpu-\w+: no power$/,
    );
    driver.problem = '';
    await running('unlucky');
    await cluster.ok(['delete', 'pod', 'unlucky']);
  });

  test('what is prepared is known after a restart', async () => {
    await cluster.signal('SIGTERM');
    cluster.launch();
    await cluster.nodeReady();
    await eventually('the driver is registered again', async () => driver.registrations.length >= 2);
    // The driver has to say anew what there is.
    await eventually(
      'the slices are gone',
      async () => (await cluster.ok(['get', 'resourceslices', '-o', 'name'])) === '',
    );
    await cluster.ok(['delete', 'pod', 'second']);
    expect(driver.calls.at(-1)).toBe('unprepare shared');
    await eventually('nobody has the claim', async () => (await claimOf('shared')).status?.reservedFor === undefined);
  });
});
