import { afterAll, describe, expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { Pod, ResourceResourceClaim } from '../../api/generated/types.ts';
import type { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { CycleState } from '../framework/cycle-state.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { podInfo } from '../framework/pod-info.ts';
import { pluginsByName } from '../profiles.ts';
import { nodeFixture as node, podFixture as pod, TestProfile } from '../testing/fixtures.ts';

const controller = new AbortController();
afterAll(() => controller.abort());

const DRIVER = 'gpu.example.com';
const results = (device: string): object[] => [{ request: 'r', driver: DRIVER, pool: 'a', device }];
const onNode = (name: string): object => ({
  nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }],
});

/** Node `a` has the devices x and y. */
function devices(api: FakeCluster): void {
  api.add(resources.deviceclasses, { metadata: { name: 'gpu' }, spec: {} });
  api.add(resources.resourceslices, {
    metadata: { name: 's' },
    spec: {
      driver: DRIVER,
      nodeName: 'a',
      pool: { name: 'a', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'x' }, { name: 'y' }],
    },
  });
}

function claim(
  api: FakeCluster,
  name: string,
  fields: { status?: object; metadata?: object; request?: object } = {},
): void {
  const exactly = { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1, ...fields.request };
  api.add(resources.resourceclaims, {
    metadata: { name, namespace: 'default', uid: `uid-${name}`, ...fields.metadata },
    spec: { devices: { requests: [{ name: 'r', exactly }] } },
    status: fields.status ?? {},
  });
}

const claiming = (name = 'c', more: object = {}): Pod =>
  pod({ name: 'p', spec: { resourceClaims: [{ name: 'gpu', resourceClaimName: name }] }, ...more });

const profileOf = (objects: (api: FakeCluster) => void): Promise<TestProfile> =>
  TestProfile.create(controller.signal, {}, objects).then((profile) => profile.nodes(node('a'), node('b')));

test.each<[string, Pod, (api: FakeCluster) => void, string]>([
  ['goes where devices are', claiming(), (api) => claim(api, 'c'), 'a'],
  [
    'more than there are',
    claiming(),
    (api) => claim(api, 'c', { request: { count: 3 } }),
    '0/2 nodes are available: 2 cannot allocate all claims.',
  ],
  [
    'others have them',
    claiming(),
    (api) => {
      claim(api, 'c', { request: { count: 2 } });
      claim(api, 'd', { status: { allocation: { devices: { results: results('x') } } } });
    },
    '0/2 nodes are available: 2 cannot allocate all claims.',
  ],
  [
    'goes where its claim has its devices',
    claiming(),
    (api) => claim(api, 'c', { status: { allocation: { devices: { results: [] }, nodeSelector: onNode('b') } } }),
    'b',
  ],
  [
    'its claim has devices of a node that is gone',
    claiming(),
    (api) => claim(api, 'c', { status: { allocation: { devices: { results: [] }, nodeSelector: onNode('z') } } }),
    '0/2 nodes are available: 2 resourceclaim not available on the node.',
  ],
  ['no claim', claiming(), () => {}, '0/2 nodes are available: could not find ResourceClaim "default/c".'],
  [
    'a claim that goes away',
    claiming(),
    (api) => claim(api, 'c', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a/b'] } }),
    '0/2 nodes are available: resourceclaim "c" is being deleted.',
  ],
  [
    'no class',
    claiming(),
    (api) => claim(api, 'c', { request: { deviceClassName: 'none' } }),
    '0/2 nodes are available: request r: device class none does not exist.',
  ],
  [
    'a claim that was made for another pod',
    pod({
      name: 'p',
      spec: { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }] },
      status: { resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'c' }] },
    }),
    (api) => claim(api, 'c'),
    '0/2 nodes are available: ResourceClaim default/c was not created for Pod default/p (Pod is not owner).',
  ],
  [
    'a template that needs no claim',
    pod({
      spec: {
        nodeName: '',
        resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }],
        nodeSelector: { 'kubernetes.io/hostname': 'b' },
      },
      status: { resourceClaimStatuses: [{ name: 'gpu' }] },
    }),
    () => {},
    'b',
  ],
])('%s', async (_name, wanted, objects, expected) => {
  const profile = await profileOf((api) => {
    devices(api);
    objects(api);
  });
  expect(profile.outcome(wanted)).toBe(expected);
});

test('a selector that fails ends the attempt', async () => {
  const profile = await profileOf((api) => {
    devices(api);
    claim(api, 'c', { request: { selectors: [{ cel: { expression: 'device.attributes["a"].b == 1' } }] } });
  });
  expect(() => profile.outcome(claiming())).toThrow(
    'running "DynamicResources" filter plugin: claim default/c: selector #0: CEL runtime error: no such key: b',
  );
});

describe('one cycle', () => {
  async function start(wanted: Pod, objects: (api: FakeCluster) => void) {
    const profile = await profileOf((api) => {
      devices(api);
      objects(api);
    });
    const plugin = pluginsByName(profile.framework).get('DynamicResources');
    const state = new CycleState();
    const info = podInfo(wanted);
    const target = profile.cluster.get('a') as NodeInfo;
    plugin?.preFilter?.(state, info);
    plugin?.filter?.(state, info, target);
    plugin?.reserve?.(state, info, target);
    const stored = (name = 'c'): ResourceResourceClaim =>
      profile.api.get<ResourceResourceClaim>(resources.resourceclaims, {
        namespace: 'default',
        name,
      }) as ResourceResourceClaim;
    return { profile, plugin, state, info, target, stored };
  }

  test('binding writes the finalizer, the allocation and the reservation', async () => {
    const wanted = claiming();
    const { plugin, state, info, target, stored } = await start(wanted, (api) => claim(api, 'c'));
    await plugin?.preBind?.(state, info, target, controller.signal);
    expect(stored()).toMatchObject({
      metadata: { finalizers: ['resource.kubernetes.io/delete-protection'] },
      status: {
        allocation: {
          devices: { results: results('x') },
          nodeSelector: onNode('a'),
          allocationTimestamp: expect.any(String),
        },
        reservedFor: [{ resource: 'pods', name: 'p', uid: wanted.metadata.uid }],
      },
    });
  });

  test('what is reserved is not given twice, and is free again when the pod is not bound', async () => {
    const { profile, plugin, state, info, target } = await start(claiming(), (api) => {
      claim(api, 'c', { request: { count: 2 } });
      claim(api, 'd');
    });
    expect(profile.outcome(claiming('d'))).toContain('cannot allocate all claims');
    expect(profile.outcome(claiming('c'))).toContain('resource claim default/c is in the process of being allocated');
    plugin?.unreserve?.(state, info, target);
    expect(profile.outcome(claiming('d'))).toBe('a');
  });

  test('a claim that somebody else has allocated meanwhile', async () => {
    const { profile, plugin, state, info, target, stored } = await start(claiming(), (api) => claim(api, 'c'));
    await profile.api.client.updateStatus(resources.resourceclaims, {
      ...stored(),
      status: { allocation: { devices: { results: results('y') as never } } },
    } as never);
    await expect(plugin?.preBind?.(state, info, target, controller.signal)).rejects.toThrow(
      'claim default/c got allocated elsewhere in the meantime',
    );
  });

  test('a pod that is not bound after all gives its reservation back', async () => {
    const { profile, plugin, state, info, target } = await start(claiming(), (api) => claim(api, 'c'));
    await plugin?.preBind?.(state, info, target, controller.signal);
    plugin?.unreserve?.(state, info, target);
    expect(profile.api.actions.at(-1)).toMatchObject({
      verb: 'patch',
      subresource: 'status',
      name: 'c',
      body: { metadata: { uid: 'uid-c' }, status: { reservedFor: [{ $patch: 'delete', uid: info.uid }] } },
    });
  });

  test('devices that have to be made ready are waited for', async () => {
    const { profile, plugin, state, info, target, stored } = await start(claiming(), (api) => {
      claim(api, 'c');
      api.add(resources.resourceslices, {
        metadata: { name: 't' },
        spec: {
          driver: DRIVER,
          nodeName: 'a',
          pool: { name: 'a', generation: 2, resourceSliceCount: 1 },
          devices: [{ name: 'late', bindingConditions: ['Ready'], bindingFailureConditions: ['Broken'] }],
        },
      });
    });
    const bound = plugin?.preBind?.(state, info, target, controller.signal);
    await expect.poll(() => stored().status.allocation).toBeDefined();
    const [result] = stored().status.allocation?.devices?.results ?? [];
    expect(result).toMatchObject({
      device: 'late',
      bindingConditions: ['Ready'],
      bindingFailureConditions: ['Broken'],
    });
    await profile.api.client.updateStatus(resources.resourceclaims, {
      ...stored(),
      status: {
        ...stored().status,
        devices: [
          {
            driver: DRIVER,
            pool: 'a',
            device: 'late',
            conditions: [{ type: 'Ready', status: 'True', reason: '', message: '', lastTransitionTime: '' }],
          },
        ],
      },
    });
    await expect(bound).resolves.toBeUndefined();
  });
});

describe('extended resources', () => {
  const wanted = (more: object = {}): Pod =>
    pod({ name: 'p', requests: { 'example.com/gpu': '1', cpu: '1' }, ...more });
  const standsFor = (api: FakeCluster, extendedResourceName: string): void => {
    api.add(resources.deviceclasses, { metadata: { name: 'backed' }, spec: { extendedResourceName } });
  };
  test.each<[string, Pod, (api: FakeCluster) => void, string]>([
    ['a device stands for one', wanted(), (api) => standsFor(api, 'example.com/gpu'), 'a'],
    ['the name of a class is one', pod({ requests: { 'deviceclass.resource.kubernetes.io/gpu': '2' } }), () => {}, 'a'],
    [
      'there are not so many',
      wanted({ requests: { 'example.com/gpu': '3' } }),
      (api) => standsFor(api, 'example.com/gpu'),
      '0/2 nodes are available: 2 cannot allocate all claims.',
    ],
    [
      'no device does',
      wanted(),
      (api) => standsFor(api, 'example.com/other'),
      '0/2 nodes are available: 2 Insufficient example.com/gpu.',
    ],
    [
      'an attempt that failed left its claim',
      { ...wanted(), metadata: { ...wanted().metadata, uid: 'p' } } as Pod,
      (api) => {
        standsFor(api, 'example.com/gpu');
        const annotations = { 'resource.kubernetes.io/extended-resource-claim': 'true' };
        const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'p', controller: true }];
        claim(api, 'left', { metadata: { annotations, ownerReferences } });
      },
      '0/2 nodes are available: 2 cannot schedule extended resource claim.',
    ],
  ])('%s', async (_name, one, objects, expected) => {
    const profile = await profileOf((api) => {
      devices(api);
      objects(api);
    });
    expect(profile.outcome(one)).toBe(expected);
  });

  test('what the node has by a device plugin comes first', async () => {
    const profile = await TestProfile.create(controller.signal, {}, (api) => {
      devices(api);
      standsFor(api, 'example.com/gpu');
    });
    profile.nodes(node('b', { allocatable: { 'example.com/gpu': '1' } }));
    expect(profile.outcome(wanted())).toBe('b');
    profile.place('b', wanted());
    expect(profile.outcome(wanted())).toBe('0/1 nodes are available: 1 Insufficient example.com/gpu.');
  });

  test('binding makes a claim, and tells the pod of it', async () => {
    const one = wanted();
    const profile = await profileOf((api) => {
      devices(api);
      standsFor(api, 'example.com/gpu');
      api.add(resources.pods, one as never);
    });
    const plugin = pluginsByName(profile.framework).get('DynamicResources');
    const state = new CycleState();
    const info = podInfo(one);
    const target = profile.cluster.get('a') as NodeInfo;
    plugin?.preFilter?.(state, info);
    plugin?.filter?.(state, info, target);
    plugin?.reserve?.(state, info, target);
    await plugin?.preBind?.(state, info, target, controller.signal);
    const [made] = profile.api.list(resources.resourceclaims);
    expect(made).toMatchObject({
      metadata: {
        annotations: { 'resource.kubernetes.io/extended-resource-claim': 'true' },
        generateName: 'p-extended-resources-',
      },
      spec: {
        devices: { requests: [{ name: 'container-0-request-1', exactly: { deviceClassName: 'backed', count: 1 } }] },
      },
      status: { allocation: { devices: { results: [{ device: 'x' }] } }, reservedFor: [{ name: 'p' }] },
    });
    expect(profile.api.get<Pod>(resources.pods, one.metadata)?.status.extendedResourceClaimStatus).toEqual({
      resourceClaimName: made?.metadata.name,
      requestMappings: [{ containerName: 'c', resourceName: 'example.com/gpu', requestName: 'container-0-request-1' }],
    });
    const two = wanted({ name: 'q', requests: { 'example.com/gpu': '2' } });
    expect(profile.outcome(two)).toContain('cannot allocate all claims');
    plugin?.unreserve?.(state, info, target);
    await expect.poll(() => profile.api.list(resources.resourceclaims)).toEqual([]);
    expect(profile.outcome(two)).toBe('a');
  });
});

describe('no node', () => {
  test('a pod that was refused before this plugin had its turn is told nothing about preemption', async () => {
    const profile = await profileOf(devices);
    const plugin = pluginsByName(profile.framework).get('DynamicResources');
    const diagnosis = { total: 1, rejections: new Map(), absent: undefined, plugins: new Set<string>() };
    expect(await plugin?.postFilter?.(new CycleState(), podInfo(claiming()), diagnosis)).toEqual({
      success: false,
      message: 'not found',
      isFinal: true,
    });
  });

  test.each<[string, object[], string]>([
    ['nobody uses the devices that are in the way', [], 'deallocation of ResourceClaim completed'],
    ['somebody does', [{ resource: 'pods', name: 'q', uid: 'q' }], 'still not schedulable'],
  ])('%s', async (_name, reservedFor, expected) => {
    const profile = await profileOf((api) => {
      devices(api);
      const allocation = { devices: { results: [] }, nodeSelector: onNode('z') };
      claim(api, 'c', { status: { allocation, reservedFor } });
    });
    const { message } = await profile.preempt(claiming());
    expect(message?.startsWith(`${expected}, preemption: `)).toBe(true);
    const { status } =
      profile.api.get<ResourceResourceClaim>(resources.resourceclaims, { namespace: 'default', name: 'c' }) ?? {};
    expect(status?.allocation === undefined).toBe(expected.startsWith('deallocation'));
  });
});
