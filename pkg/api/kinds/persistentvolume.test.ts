import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import { create, update, updateStored, warningsOf } from './testing.ts';

const volume = (spec: object, rest: object = {}): Record<string, unknown> => ({
  ...rest,
  spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...spec },
});
const claim = (spec: object, rest: object = {}): Record<string, unknown> => ({
  ...rest,
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const path = { hostPath: { path: '/x' } };

describe('persistent volumes', () => {
  const cases: [string, Record<string, unknown>, string[]][] = [
    ['valid', volume(path), []],
    [
      'empty',
      { spec: {} },
      ['spec.accessModes Required', 'spec.capacity Required', 'spec.capacity NotSupported', 'spec Required'],
    ],
    ['nothing of it', volume({ ...path, capacity: { storage: '0' } }), ['spec.capacity[storage] Invalid']],
    ['two sources', volume({ ...path, cephfs: { monitors: ['a'] } }), ['spec.cephFS Forbidden']],
    ['GCE disk', volume({ gcePersistentDisk: {} }), ['spec.persistentDisk.pdName Required']],
    [
      'glusterfs',
      volume({ glusterfs: { endpoints: 'e', path: 'p', endpointsNamespace: '' } }),
      ['spec.glusterfs.endpointsNamespace Invalid'],
    ],
    [
      'iSCSI',
      volume({ iscsi: { targetPortal: 'p', iqn: 'eui.x', lun: 0, secretRef: {} } }),
      ['spec.iscsi.iqn Invalid', 'spec.iscsi.secretRef.name Required'],
    ],
    [
      'cinder',
      volume({ cinder: { volumeID: 'v', secretRef: { name: 'n' } } }),
      ['spec.cinder.secretRef.namespace Required'],
    ],
    [
      'azure file',
      volume({ azureFile: { secretName: 's', shareName: 'n', secretNamespace: '' } }),
      ['spec.azureFile.secretNamespace Required'],
    ],
    ['local', volume({ local: { path: '/a/../b' } }), ['spec.local.path Invalid', 'spec.nodeAffinity Required']],
    [
      'CSI',
      volume({ csi: { driver: 'd', nodeStageSecretRef: {}, nodePublishSecretRef: { name: 'A' } } }),
      [
        'spec.csi.volumeHandle Required',
        'spec.csi.nodePublishSecretRef.name Invalid',
        'spec.csi.nodePublishSecretRef.namespace Required',
      ],
    ],
    [
      'mount options of a directory',
      volume(path, { metadata: { annotations: { 'volume.beta.kubernetes.io/mount-options': '' } } }),
      ['metadata.annotations.volume.beta.kubernetes.io/mount-options Forbidden'],
    ],
    [
      'attributes of no driver',
      volume({ ...path, volumeAttributesClassName: '' }),
      ['spec.volumeAttributesClassName Required', 'spec.csi Required'],
    ],
    ['mode', volume({ ...path, volumeMode: 'Tape' }), ['spec.volumeMode NotSupported']],
    [
      'recycled root',
      volume({ hostPath: { path: '//./' }, persistentVolumeReclaimPolicy: 'Recycle' }),
      ['spec.persistentVolumeReclaimPolicy Forbidden'],
    ],
    ['affinity to nothing', volume({ ...path, nodeAffinity: {} }), ['spec.nodeAffinity.required Required']],
  ];

  it.each(cases)('%s', (_name, body, errors) => {
    expect(create('/PersistentVolume', body).errors).toEqual(errors);
  });

  const affinity = (key: string): object => ({
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'Exists' }] }] } },
  });
  const changes: [string, object, object, string[]][] = [
    ['source', path, { hostPath: { path: '/y' } }, ['spec.persistentvolumesource Forbidden']],
    ['mode', path, { volumeMode: 'Block' }, ['volumeMode Invalid']],
    ['size', path, { capacity: { storage: '2Gi' } }, []],
    ['affinity', { ...path, ...affinity('a') }, affinity('b'), ['nodeAffinity Invalid']],
    ['label', { ...path, ...affinity('beta.kubernetes.io/os') }, affinity('kubernetes.io/os'), []],
    ['first affinity', path, affinity('a'), []],
    [
      'secret for expansion',
      { csi: { driver: 'd', volumeHandle: 'h' } },
      { csi: { driver: 'd', volumeHandle: 'h', controllerExpandSecretRef: { name: 'n', namespace: 'm' } } },
      [],
    ],
  ];

  it.each(changes)('changed %s', (_name, spec, change, errors) => {
    const apply = (object: KubeObject) => Object.assign(object.spec as object, change);
    expect(update('/PersistentVolume', volume(spec), apply).errors).toEqual(errors);
  });

  it('warn of what is on its way out', () => {
    const beta = 'volume.beta.kubernetes.io';
    const metadata = { annotations: { [`${beta}/storage-class`]: 'c', [`${beta}/mount-options`]: 'o' } };
    const body = volume(
      { ...path, persistentVolumeReclaimPolicy: 'Recycle', ...affinity('beta.kubernetes.io/os') },
      { metadata },
    );
    expect(warningsOf('/PersistentVolume', body)).toEqual([
      'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
      'metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since v1.31; use "mountOptions" attribute instead',
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      'spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
    ]);
    const storageos = { volumeName: 'v' };
    expect(warningsOf('/PersistentVolume', volume({ storageos }))).toEqual([
      'spec.storageOS: deprecated in v1.22, non-functional in v1.25+',
    ]);
  });
});

describe('claims', () => {
  const cases: [string, Record<string, unknown>, string[]][] = [
    ['valid', claim({}), []],
    ['no storage', claim({ resources: {} }), ['spec.resources[storage] Required']],
    [
      'bad source',
      claim({ dataSourceRef: { kind: 'X', name: '' } }),
      [
        'spec.dataSource.name Required',
        'spec.dataSource Invalid',
        'spec.dataSourceRef.name Required',
        'spec.dataSourceRef Invalid',
      ],
    ],
    [
      'two sources',
      claim({
        dataSource: { kind: 'PersistentVolumeClaim', name: 'a' },
        dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'b' },
      }),
      ['spec Invalid'],
    ],
    [
      'group of a source',
      claim({ dataSourceRef: { apiGroup: 'A_', kind: 'X', name: 'x' } }),
      ['spec.dataSource.apiGroup Invalid', 'spec.dataSourceRef.apiGroup Invalid'],
    ],
    ['attributes class', claim({ volumeAttributesClassName: 'A_' }), ['spec.volumeAttributesClassName Invalid']],
    [
      'source of no kind',
      claim({ dataSourceRef: {} }),
      [
        'spec.dataSource.name Required',
        'spec.dataSource.kind Required',
        'spec.dataSource Invalid',
        'spec.dataSourceRef.name Required',
        'spec.dataSourceRef.kind Required',
        'spec.dataSourceRef Invalid',
      ],
    ],
    [
      'source in another namespace',
      claim({ dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'x', namespace: 'other' } }),
      [],
    ],
  ];

  it.each(cases)('%s', (_name, body, errors) => {
    expect(create('/PersistentVolumeClaim', body).errors).toEqual(errors);
  });

  const bound = { status: { phase: 'Bound', capacity: { storage: '1Gi' } } };
  const size = (storage: string, more: object = {}): object => ({ resources: { requests: { storage }, ...more } });
  const changes: [string, object, object, object, string[]][] = [
    ['volume', {}, {}, { volumeName: 'v' }, []],
    ['other volume', { volumeName: 'v' }, {}, { volumeName: 'w' }, ['spec Forbidden']],
    ['size before it is bound', {}, {}, size('2Gi'), ['spec Forbidden']],
    ['size', {}, bound, size('2Gi'), []],
    ['other amounts', {}, bound, size('1Gi', { limits: { storage: '3Gi' } }), ['spec Forbidden']],
    ['smaller than it is', {}, bound, size('512Mi'), ['spec.resources.requests.storage Forbidden']],
    ['first class', {}, {}, { storageClassName: 'c' }, []],
    ['other class', { storageClassName: 'c' }, {}, { storageClassName: 'd' }, ['spec Forbidden']],
    ['mode', {}, {}, { volumeMode: 'Block' }, ['spec Forbidden', 'volumeMode Invalid']],
    ['attributes of a bound one', { volumeAttributesClassName: 'a' }, bound, { volumeAttributesClassName: 'b' }, []],
    [
      'attributes removed before they are in force',
      { volumeAttributesClassName: 'a' },
      bound,
      { volumeAttributesClassName: undefined },
      [],
    ],
    [
      'attributes removed',
      { volumeAttributesClassName: 'a' },
      { status: { ...bound.status, currentVolumeAttributesClassName: 'a' } },
      { volumeAttributesClassName: undefined },
      ['spec.volumeAttributesClassName Forbidden'],
    ],
    [
      'group of the source that was named',
      { dataSourceRef: { apiGroup: 'x.y', kind: 'K', name: 'n' } },
      {},
      { dataSourceRef: { apiGroup: 'X_', kind: 'K', name: 'n' } },
      ['spec Invalid', 'spec Forbidden'],
    ],
  ];

  it.each(changes)('changed %s', (_name, spec, status, change, errors) => {
    const { object: old } = create('/PersistentVolumeClaim', claim(spec));
    const apply = (object: KubeObject) => Object.assign(object.spec as object, change);
    // The status is that of the stored claim; creation clears it.
    const stored = Object.assign(structuredClone(old), status) as KubeObject;
    expect(updateStored('/PersistentVolumeClaim', stored, apply).errors).toEqual(errors);
  });

  it('report sizes and what is done about them', () => {
    const status = {
      capacity: { storage: '-1' },
      allocatedResourceStatuses: { cpu: 'Odd' },
      allocatedResources: { storage: '-1' },
    };
    const apply = (object: KubeObject) => Object.assign(object, { status });
    expect(update('/PersistentVolumeClaim', claim({}), apply, 'status').errors).toEqual([
      'status.capacity[storage] Invalid',
      'status.allocatedResourceStatuses NotSupported',
      'status.allocatedResourceStatuses NotSupported',
      'status.allocatedResources[storage] Invalid',
    ]);
  });

  it('warn of fractions', () => {
    expect(warningsOf('/PersistentVolumeClaim', claim(size('1500m')))).toEqual([
      'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
    ]);
  });
});
