import { describe, expect, it } from 'vitest';
import { create } from './testing.ts';

const main = { name: 'main', image: 'a:1' };
const at = 'spec.volumes[0]';
const pod = (...volumes: object[]): Record<string, unknown> => ({
  spec: { containers: [main], serviceAccountName: 'a', volumes },
});

describe('volumes of pods', () => {
  const cases: [string, object, string[]][] = [
    ['emptyDir', { emptyDir: { sizeLimit: '-1' } }, [`${at}.emptyDir.sizeLimit Forbidden`]],
    [
      'gitRepo',
      { gitRepo: { directory: '../x' } },
      [`${at}.gitRepo.repository Required`, `${at}.gitRepo.directory Invalid`],
    ],
    [
      'GCE disk',
      { gcePersistentDisk: { partition: 256 } },
      [`${at}.persistentDisk.pdName Required`, `${at}.persistentDisk.partition Invalid`],
    ],
    [
      'AWS disk',
      { awsElasticBlockStore: { volumeID: 'v', partition: -1 } },
      [`${at}.awsElasticBlockStore.partition Invalid`],
    ],
    [
      'secret',
      { secret: { defaultMode: 512 } },
      [`${at}.secret.secretName Required`, `${at}.secret.defaultMode Invalid`],
    ],
    [
      'items',
      { configMap: { name: 'c', items: [{ key: 'any key', path: '..x', mode: -1 }, {}] } },
      [
        `${at}.configMap.items[0].path Invalid`,
        `${at}.configMap.items[0].mode Invalid`,
        `${at}.configMap.items[1].key Required`,
        `${at}.configMap.items[1].path Required`,
      ],
    ],
    ['NFS', { nfs: { server: 's', path: '' } }, [`${at}.nfs.path Required`, `${at}.nfs.path Invalid`]],
    [
      'iSCSI',
      { iscsi: { targetPortal: 'p', iqn: 'x', lun: 256, chapAuthSession: true, initiatorName: 'iqn.bad' } },
      [
        `${at}.iscsi.iqn Invalid`,
        `${at}.iscsi.lun Invalid`,
        `${at}.iscsi.secretRef Required`,
        `${at}.iscsi.initiatorname Invalid`,
      ],
    ],
    [
      'iSCSI with a long portal',
      { iscsi: { targetPortal: 'p'.repeat(63), iqn: 'iqn.2001-04.a.b:c', lun: 0, initiatorName: 'iqn.2001-04.a.b:c' } },
      [`${at}.name Invalid`],
    ],
    ['glusterfs', { glusterfs: {} }, [`${at}.glusterfs.endpoints Required`, `${at}.glusterfs.path Required`]],
    ['flocker', { flocker: {} }, [`${at}.flocker Required`]],
    [
      'flocker twice',
      { flocker: { datasetName: 'a/b', datasetUUID: 'u' } },
      [`${at}.flocker Invalid`, `${at}.flocker.datasetName Invalid`],
    ],
    ['claim', { persistentVolumeClaim: {} }, [`${at}.persistentVolumeClaim.claimName Required`]],
    ['RBD', { rbd: {} }, [`${at}.rbd.monitors Required`, `${at}.rbd.image Required`]],
    ['cinder', { cinder: { volumeID: 'v', secretRef: {} } }, [`${at}.cinder.secretRef.name Required`]],
    ['quobyte', { quobyte: { registry: 'a:1,b', volume: 'v' } }, [`${at}.quobyte.registry Invalid`]],
    [
      'quobyte tenant',
      { quobyte: { registry: 'a:1', tenant: 't'.repeat(65) } },
      [`${at}.quobyte.tenant Required`, `${at}.quobyte.volume Required`],
    ],
    ['FC', { fc: {} }, [`${at}.fc.targetWWNs Required`]],
    [
      'FC without lun',
      { fc: { targetWWNs: ['a'], wwids: ['b'] } },
      [`${at}.fc.targetWWNs Invalid`, `${at}.fc.lun Required`],
    ],
    [
      'flex',
      { flexVolume: { driver: 'd', options: { 'a.k8s.io/b': 'x' } } },
      [`${at}.flexVolume.options[a.k8s.io/b] Invalid`],
    ],
    [
      'azure disk',
      { azureDisk: { diskName: 'd', diskURI: 'x', kind: 'Managed' } },
      [`${at}.azureDisk.diskURI NotSupported`],
    ],
    [
      'azure disk modes',
      { azureDisk: { diskName: 'd', diskURI: 'https://x', cachingMode: 'No', kind: 'Odd' } },
      [`${at}.azureDisk.cachingMode NotSupported`, `${at}.azureDisk.kind NotSupported`],
    ],
    [
      'storageOS',
      { storageos: { volumeName: 'A', volumeNamespace: 'B', secretRef: {} } },
      [
        `${at}.storageos.volumeName Invalid`,
        `${at}.storageos.volumeNamespace Invalid`,
        `${at}.storageos.secretRef.name Required`,
      ],
    ],
    ['scaleIO', { scaleIO: { gateway: 'g', system: 's' } }, [`${at}.scaleIO.volumeName Required`]],
    [
      'CSI',
      { csi: { driver: '', nodePublishSecretRef: {} } },
      [`${at}.csi.driver Required`, `${at}.csi.nodePublishSecretRef.name Required`],
    ],
    [
      'image',
      { image: { pullPolicy: 'Odd' } },
      [`${at}.image.reference Required`, `${at}.image.pullPolicy NotSupported`],
    ],
    ['ephemeral', { ephemeral: {} }, [`${at}.ephemeral.volumeClaimTemplate Required`]],
    [
      'claim template',
      {
        ephemeral: {
          volumeClaimTemplate: {
            metadata: { name: 'n', labels: { a: 'b' } },
            spec: { accessModes: ['ReadWriteOnce'] },
          },
        },
      },
      [
        `${at}.ephemeral.volumeClaimTemplate.metadata.name Forbidden`,
        `${at}.ephemeral.volumeClaimTemplate.spec.resources[storage] Required`,
      ],
    ],
    ['second cephfs', { nfs: { server: 's', path: '/p' }, cephfs: { monitors: [] } }, [`${at}.cephFS Forbidden`]],
    ['second downward API', { nfs: { server: 's', path: '/p' }, downwardAPI: {} }, [`${at}.downwarAPI Forbidden`]],
  ];

  it.each(cases)('%s', (_name, source, errors) => {
    expect(create('/Pod', pod({ name: 'v', ...source })).errors).toEqual(errors);
  });

  it('do not share a claim with one that is made for the pod', () => {
    const template = { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1' } } } };
    const volumes = [
      { name: 'v', ephemeral: { volumeClaimTemplate: template } },
      { name: 'w', persistentVolumeClaim: { claimName: 'x-v' } },
    ];
    expect(create('/Pod', pod(...volumes)).errors).toEqual(['spec.volumes[1].persistentVolumeClaim.claimName Invalid']);
  });
});

describe('projected volumes', () => {
  const source = `${at}.projected.sources[0]`;
  const cases: [string, object[], string[]][] = [
    [
      'token',
      [{ serviceAccountToken: { path: '', expirationSeconds: 2 ** 33 } }],
      [`${source}.serviceAccountToken.expirationSeconds Invalid`, `${at}.projected.path Required`],
    ],
    ['token path', [{ serviceAccountToken: { path: '/x' } }], [`${at}.projected.path Invalid`]],
    [
      'same path',
      [
        { secret: { name: 's', items: [{ key: 'k', path: 'p' }] } },
        { configMap: { name: 'c', items: [{ key: 'k', path: 'p' }] } },
      ],
      [`${at}.projected Invalid`],
    ],
    ['two in one', [{ secret: { name: 's' }, configMap: { name: 'c' } }], [`${source} Forbidden`]],
  ];

  it.each(cases)('%s', (_name, sources, errors) => {
    expect(create('/Pod', pod({ name: 'v', projected: { sources } })).errors).toEqual(errors);
  });

  it('have tokens of the pod’s account only', () => {
    const volumes = [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }];
    expect(create('/Pod', { spec: { containers: [main], volumes } }).errors).toEqual([
      `${source}.serviceAccountToken Forbidden`,
    ]);
  });
});
