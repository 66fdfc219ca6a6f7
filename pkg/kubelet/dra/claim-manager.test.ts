import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { FakeClock, systemClock } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import { silentLogger } from '../../base/logger.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { CheckpointFile } from '../checkpoints/checkpoint-file.ts';
import { DevicePluginHandler } from '../devices/device-plugin-handler.ts';
import type { Pod } from '../types.ts';
import { ClaimManager } from './claim-manager.ts';
import { DraDrivers } from './dra-drivers.ts';
import { PluginRegistry } from './plugin-registry.ts';
import { PreparedClaims } from './prepared-claims.ts';
import { TestDriver } from './testing/test-driver.ts';

const DRIVER = 'gpu.example.com';
let directory: string;
let api: FakeCluster;
let stop: AbortController;
let clock: FakeClock;
let drivers: DraDrivers;
let here: Set<string>;
let running: TestDriver[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dra-'));
  api = new FakeCluster();
  stop = new AbortController();
  clock = new FakeClock();
  here = new Set(['p', 'q']);
  running = [];
  drivers = new DraDrivers('node', { client: api.client, clock, logger: silentLogger, registered() {} });
  const handlers = { DRAPlugin: drivers, DevicePlugin: new DevicePluginHandler(() => {}) };
  const registry = new PluginRegistry(join(directory, 'plugins_registry'), {
    clock: systemClock,
    logger: silentLogger,
    handlers,
  });
  await new Promise<void>((resolve) => void registry.run(stop.signal, resolve));
});
afterEach(async () => {
  stop.abort();
  drivers.close();
  for (const one of running) one.kill();
  await rm(directory, { recursive: true, force: true });
});

/** A driver that the kubelet has answered. */
async function driver(info: object = {}, version?: string): Promise<TestDriver> {
  const started = await TestDriver.start(DRIVER, directory, info, version);
  running.push(started);
  await expect.poll(() => started.registrations.length).toBeGreaterThan(0);
  return started;
}

async function manager(): Promise<ClaimManager> {
  const claims = new PreparedClaims(new CheckpointFile(join(directory, 'state')), silentLogger);
  await claims.load();
  const driverOf = (name: string) => drivers.get(name);
  return new ClaimManager({
    client: api.client,
    logger: silentLogger,
    claims,
    driver: driverOf,
    hasPod: (uid) => here.has(uid),
  });
}

function claim(name: string, pods: readonly string[] = ['p', 'q'], more: object = {}): void {
  const results = [{ request: 'r', driver: DRIVER, pool: 'p', device: 'd' }];
  const reservedFor = pods.map((uid) => ({ resource: 'pods', name: uid, uid }));
  api.add(resources.resourceclaims, {
    metadata: { name, namespace: 'default', uid: `uid-${name}` },
    spec: {},
    status: { allocation: { devices: { results } }, reservedFor, ...more },
  });
}

const pod = (
  uid: string,
  claims: readonly object[] = [{ name: 'gpu', resourceClaimName: 'c' }],
  status: object = {},
): Pod =>
  ({
    metadata: { name: uid, namespace: 'default', uid },
    spec: { resourceClaims: claims, containers: [{ name: 'main', resources: { claims: [{ name: 'gpu' }] } }] },
    status,
  }) as unknown as Pod;
const devicesOf = (
  of: ClaimManager,
  { spec, ...rest }: Pod,
  claims: readonly object[] = [{ name: 'gpu' }],
): readonly string[] => of.devicesOf({ spec, ...rest } as Pod, { name: 'main', resources: { claims } } as never);

describe('preparing', () => {
  test('once for all pods that use a claim, and back after the last of them', async () => {
    const gpu = await driver();
    claim('c');
    const claims = await manager();
    await Promise.all([claims.prepare(pod('p'), stop.signal), claims.prepare(pod('q'), stop.signal)]);
    expect(devicesOf(claims, pod('p'))).toEqual([`${DRIVER}/test=c`]);
    const [container] = pod('p').spec.containers;
    expect(container && claims.claimsOf(pod('p'), container).map(({ name }) => name)).toEqual(['c']);
    expect(container && claims.claimsOf(pod('other'), container)).toEqual([]);
    await claims.unprepare('p');
    expect(gpu.calls).toEqual(['prepare c']);
    await claims.unprepare('q');
    await claims.unprepare('q');
    expect(gpu.calls).toEqual(['prepare c', 'unprepare c']);
  });

  test.each([
    ['all of the claim', {}, [`${DRIVER}/test=c`]],
    ['its request', { request: 'r' }, [`${DRIVER}/test=c`]],
    ['another request', { request: 's' }, []],
  ])('a container gets what it asks for: %s', async (_name, request, expected) => {
    await driver();
    claim('c');
    const claims = await manager();
    await claims.prepare(pod('p'), stop.signal);
    expect(devicesOf(claims, pod('p'), [{ name: 'gpu', ...request }])).toEqual(expected);
  });

  test('what is prepared is known after a restart', async () => {
    const gpu = await driver({}, 'v1beta1');
    claim('c');
    await (await manager()).prepare(pod('p'), stop.signal);
    const restarted = await manager();
    await restarted.prepare(pod('p'), stop.signal);
    expect(devicesOf(restarted, pod('p'))).toEqual([`${DRIVER}/test=c`]);
    here.delete('p');
    await restarted.release();
    expect(gpu.calls).toEqual(['prepare c', 'unprepare c']);
  });

  test('an extended resource is a claim that the scheduler made', async () => {
    await driver();
    claim('made');
    const claims = await manager();
    const requestMappings = [{ containerName: 'main', resourceName: 'example.com/gpu', requestName: 'r' }];
    const extended = pod('p', [], { extendedResourceClaimStatus: { resourceClaimName: 'made', requestMappings } });
    await claims.prepare(extended, stop.signal);
    expect(devicesOf(claims, extended, [])).toEqual([`${DRIVER}/test=made`]);
  });

  test.each<[string, Pod, () => unknown, string]>([
    ['no claim', pod('p'), () => {}, 'fetch ResourceClaim c: resourceclaims.resource.k8s.io "c" not found'],
    [
      'a claim that is not made yet',
      pod('p', [{ name: 'gpu', resourceClaimTemplateName: 't' }]),
      () => {},
      'pod "default/p": ResourceClaim not created yet',
    ],
    [
      'another pod has it',
      pod('p'),
      () => claim('c', ['q']),
      'pod p (p) is not allowed to use ResourceClaim c (uid-c)',
    ],
    [
      'made for another pod',
      pod('p', [{ name: 'gpu', resourceClaimTemplateName: 't' }], {
        resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'c' }],
      }),
      () => claim('c'),
      'ResourceClaim default/c was not created for Pod default/p (Pod is not owner)',
    ],
    ['not allocated', pod('p'), () => claim('c', ['p'], { allocation: undefined }), 'ResourceClaim c: not allocated'],
    ['no driver', pod('p'), () => claim('c'), `DRA driver ${DRIVER} is not registered`],
  ])('fails: %s', async (_name, of, given, expected) => {
    given();
    const problem = await (await manager()).prepare(of, stop.signal).catch(describeError);
    expect(problem).toBe(`prepare dynamic resources: ${expected}`);
  });

  test('fails in the driver, and is tried again', async () => {
    const gpu = await driver();
    gpu.problem = 'no more';
    claim('c');
    const claims = await manager();
    const problem = await claims.prepare(pod('p'), stop.signal).catch(describeError);
    expect(problem).toBe('prepare dynamic resources: NodePrepareResources failed for ResourceClaim c: no more');
    gpu.problem = '';
    await claims.prepare(pod('p'), stop.signal);
    expect(gpu.calls).toEqual(['prepare c', 'prepare c']);
  });
});

describe('registration', () => {
  test.each([
    ['a driver', {}, ''],
    [
      'of a kind that is not known',
      { type: 'Other' },
      'RegisterPlugin error -- no handler registered for plugin type: Other at socket ',
    ],
    [
      'of a version that is not known',
      { supportedVersions: ['v9.DRAPlugin'] },
      'RegisterPlugin error -- invalid supported gRPC versions of DRA driver plugin gpu.example.com',
    ],
    [
      'a device plugin with a name that is none',
      { type: 'DevicePlugin', supportedVersions: ['v1beta1'], name: 'x' },
      'RegisterPlugin error -- the ResourceName "x" is invalid',
    ],
  ])('%s', async (_name, info, expected) => {
    const { registrations } = await driver(info);
    expect(registrations[0]?.startsWith(expected)).toBe(true);
    expect(registrations[0] === '').toBe(expected === '');
  });

  test('the devices of a driver that stays away go from the list', async () => {
    const slice = (name: string, spec: object) => api.add(resources.resourceslices, { metadata: { name }, spec });
    slice('own', { nodeName: 'node', driver: DRIVER });
    slice('of-another-driver', { nodeName: 'node', driver: 'other' });
    slice('of-another-node', { nodeName: 'b', driver: DRIVER });
    const names = async () =>
      (await api.client.list(resources.resourceslices)).items.map(({ metadata }) => metadata.name);
    const gpu = await driver();
    await expect.poll(() => drivers.get(DRIVER).isConnected).toBe(true);
    await gpu.stop();
    await expect
      .poll(() => {
        try {
          return drivers.get(DRIVER).name;
        } catch (error) {
          return describeError(error);
        }
      })
      .toBe(`DRA driver ${DRIVER} is not registered`);
    await clock.advance(29_000);
    expect(await names()).toHaveLength(3);
    await clock.advance(1_000);
    await expect.poll(names).toEqual(['of-another-driver', 'of-another-node']);
    drivers.start();
    await expect.poll(names).toEqual(['of-another-node']);
  });
});
