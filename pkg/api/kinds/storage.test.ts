import { describe, expect, it } from 'vitest';
import { strategies } from './index.ts';
import { create, newObject, update } from './testing.ts';

const group = 'storage.k8s.io';
const term = (...keys: string[]) => ({ matchLabelExpressions: keys.map((key) => ({ key, values: ['a'] })) });
const attachment = { attacher: 'csi.example.com', nodeName: 'n', source: { persistentVolumeName: 'pv' } };
const driver = { name: 'd', nodeID: 'n' };
const inline = 'spec.source.inlineVolumeSpec';
const terms = 'allowedTopologies[0].matchLabelExpressions';

describe('kinds of storage.k8s.io', () => {
  const cases: [kind: string, name: string, body: Record<string, unknown>, errors: string[]][] = [
    [
      'StorageClass',
      'topologies',
      {
        provisioner: 'a',
        allowedTopologies: [term('x', 'x'), term('x'), { matchLabelExpressions: [{ key: 'a b', values: ['c', 'c'] }] }],
      },
      [
        'allowedTopologies[0].matchLabelExpressions[1].key Duplicate',
        'allowedTopologies[1].matchLabelExpressions Duplicate',
        'allowedTopologies[2].matchLabelExpressions[0].values[1] Duplicate',
        'allowedTopologies[2].matchLabelExpressions[0].key Invalid',
      ],
    ],
    [
      'StorageClass',
      'parameters',
      { provisioner: 'a', parameters: { a: 'x'.repeat(262_144), '': '' }, reclaimPolicy: 'Recycle' },
      ['parameters Invalid', 'parameters TooLong', 'reclaimPolicy NotSupported'],
    ],
    ['VolumeAttributesClass', 'empty', {}, ['driverName Required', 'parameters Required']],
    ['VolumeAttributesClass', 'complete', { driverName: 'csi.example.com', parameters: { a: 'b' } }, []],
    [
      'CSIDriver',
      'tokens',
      {
        spec: {
          tokenRequests: [{ audience: 'a', expirationSeconds: 5 }, { audience: 'a' }],
          nodeAllocatableUpdatePeriodSeconds: 1,
        },
      },
      [
        'spec.tokenRequests[0].expirationSeconds Invalid',
        'spec.tokenRequests[1].audience Duplicate',
        'spec.nodeAllocatableUpdatePeriodSeconds Invalid',
      ],
    ],
    [
      'CSINode',
      'drivers',
      { spec: { drivers: [{ ...driver, topologyKeys: ['a', 'a'], allocatable: { count: -1 } }, { nodeID: 'n' }] } },
      [
        'spec.drivers[0].allocatable.count Invalid',
        'spec.drivers[0] Duplicate',
        'spec.drivers[1].name Required',
        'spec.drivers[1].name Invalid',
      ],
    ],
    [
      'CSIStorageCapacity',
      'order',
      { nodeTopology: { matchLabels: { a: 'b c' } }, storageClassName: 'A', capacity: '-1', maximumVolumeSize: '-1' },
      ['nodeTopology.matchLabels Invalid', 'storageClassName Invalid', 'capacity Invalid'],
    ],
    ['VolumeAttachment', 'complete', { spec: attachment }, []],
    [
      'VolumeAttachment',
      'empty',
      { spec: {} },
      ['spec.attacher Required', 'spec.attacher Invalid', 'spec.source Required', 'spec.nodeName Invalid'],
    ],
    [
      'VolumeAttachment',
      'volume of its own',
      {
        spec: {
          ...attachment,
          source: { inlineVolumeSpec: { capacity: { storage: '1Gi' }, storageClassName: 'a', volumeMode: 'Block' } },
        },
      },
      [
        `${inline}.capacity Forbidden`,
        `${inline}.csi Required`,
        `${inline}.accessModes Required`,
        `${inline} Required`,
        `${inline}.storageClassName Forbidden`,
        `${inline}.volumeMode Forbidden`,
      ],
    ],
    ['StorageClass', 'empty term', { provisioner: 'a', allowedTopologies: [{}] }, [`${terms} Duplicate`]],
    ['StorageClass', 'empty policy', { provisioner: 'a', reclaimPolicy: '' }, []],
    ['StorageClass', 'empty mode', { provisioner: 'a', volumeBindingMode: '' }, ['volumeBindingMode NotSupported']],
    [
      'CSIDriver',
      'secrets without tokens',
      { spec: { serviceAccountTokenInSecrets: false } },
      ['spec.serviceAccountTokenInSecrets Invalid'],
    ],
    [
      'VolumeAttachment',
      'two sources',
      { spec: { ...attachment, source: { persistentVolumeName: 'A', inlineVolumeSpec: {} } } },
      ['spec.source Forbidden', 'spec.source.persistentVolumeName Invalid'],
    ],
  ];

  it.each(cases)('%s: %s', (kind, _name, body, errors) => {
    expect(create(`${group}/${kind}`, body).errors).toEqual(errors);
  });

  const updates: [kind: string, body: Record<string, unknown>, change: object, errors: string[]][] = [
    ['StorageClass', { provisioner: 'a' }, { provisioner: 'b' }, ['provisioner Forbidden']],
    [
      'VolumeAttributesClass',
      { driverName: 'a', parameters: { a: 'b' } },
      { driverName: 'b', parameters: {} },
      ['driverName Forbidden', 'parameters Forbidden', 'parameters Required'],
    ],
    [
      'CSINode',
      { spec: { drivers: [driver] } },
      { spec: { drivers: [{ ...driver, nodeID: 'm' }] } },
      ['spec.drivers Invalid'],
    ],
    ['CSINode', { spec: { drivers: [driver] } }, { spec: { drivers: [{ ...driver, allocatable: { count: 2 } }] } }, []],
    ['VolumeAttachment', { spec: attachment }, { spec: { ...attachment, nodeName: 'm' } }, ['spec Invalid']],
    [
      'VolumeAttachment',
      { spec: attachment },
      { spec: { ...attachment, attacher: 'a_b' } },
      ['spec.attacher Invalid', 'spec Invalid'],
    ],
  ];

  it.each(updates)('update of %s', (kind, body, change, errors) => {
    expect(update(`${group}/${kind}`, body, (object) => Object.assign(object, change)).errors).toEqual(errors);
  });

  it('attachments report errors of limited size', () => {
    const status = { attached: false, attachError: { message: 'x'.repeat(2000), errorCode: -1 } };
    const object = newObject(`${group}/VolumeAttachment`, { spec: attachment, status });
    const context = { nowMs: 0, subresource: 'status' };
    const errors = strategies.get(`${group}/VolumeAttachment`)?.validateUpdate?.(object, object, context) ?? [];
    expect(errors.map(({ field }) => field)).toEqual(['status.attachError.message', 'status.attachError.errorCode']);
  });

  it('warn of tokens in attributes when there are new ones', () => {
    const key = `${group}/CSIDriver`;
    const warnings = (spec: object, old?: object) =>
      strategies
        .get(key)
        ?.warnings?.(newObject(key, { spec }), old === undefined ? undefined : newObject(key, { spec: old }));
    const tokenRequests = [{ audience: 'a' }];
    expect(warnings({ tokenRequests })).toHaveLength(1);
    expect(warnings({ tokenRequests }, {})).toHaveLength(1);
    expect(warnings({ tokenRequests }, { tokenRequests })).toEqual([]);
    expect(warnings({ tokenRequests, serviceAccountTokenInSecrets: false })).toEqual([]);
  });

  it('warn of old labels of nodes', () => {
    const label = 'beta.kubernetes.io/os';
    const text = 'deprecated since v1.14; use "kubernetes.io/os" instead';
    const warn = (key: string, body: Record<string, unknown>) =>
      strategies.get(key)?.warnings?.(newObject(key, body), undefined);
    expect(warn(`${group}/StorageClass`, { allowedTopologies: [term('a', label)] })).toEqual([
      `allowedTopologies[0].matchLabelExpressions[1].key: ${text}`,
    ]);
    const nodeTopology = { matchLabels: { [label]: 'a' }, matchExpressions: [{ key: label, operator: 'Exists' }] };
    expect(warn(`${group}/CSIStorageCapacity`, { nodeTopology })).toEqual([
      `nodeTopology.matchExpressions[0].key: ${label} is ${text}`,
      `nodeTopology.matchLabels.${label}: ${text}`,
    ]);
    expect(warn('node.k8s.io/RuntimeClass', { scheduling: { nodeSelector: { [label]: 'a' } } })).toEqual([
      `scheduling.nodeSelector: ${text}`,
    ]);
  });
});
