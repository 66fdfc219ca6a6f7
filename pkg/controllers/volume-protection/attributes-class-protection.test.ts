import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { startControllers } from '../testing.ts';
import { newAttributesClassProtectionController } from './attributes-class-protection.ts';

const fast = { name: 'fast' };

test.each([
  ['a volume', resources.persistentvolumes, { spec: { volumeAttributesClassName: 'fast' } }],
  ['a claim', resources.persistentvolumeclaims, { spec: { volumeAttributesClassName: 'fast' } }],
  [
    'a claim that has it still',
    resources.persistentvolumeclaims,
    { spec: { volumeAttributesClassName: 'slow' }, status: { currentVolumeAttributesClassName: 'fast' } },
  ],
  [
    'a claim that is being changed to it',
    resources.persistentvolumeclaims,
    { spec: {}, status: { modifyVolumeStatus: { status: 'InProgress', targetVolumeAttributesClassName: 'fast' } } },
  ],
] as const)('a class that is named by %s outlives its deletion', async (_, resource, body) => {
  const { cluster, clock, stop } = startControllers((deps) => [newAttributesClassProtectionController(deps)]);
  const metadata = { name: 'user', ...(resource.namespaced ? { namespace: 'n' } : {}) };
  cluster.add(resource as typeof resources.persistentvolumes, { metadata, ...body } as never);
  cluster.add(resources.volumeattributesclasses, { metadata: fast, driverName: 'd', parameters: {} });
  await clock.advance(10);
  expect(cluster.get(resources.volumeattributesclasses, fast)?.metadata.finalizers).toEqual([
    'kubernetes.io/vac-protection',
  ]);
  await cluster.client.delete(resources.volumeattributesclasses, fast);
  await clock.advance(10);
  expect(cluster.get(resources.volumeattributesclasses, fast)).toBeDefined();
  cluster.remove(resource, metadata);
  await clock.advance(10);
  expect(cluster.get(resources.volumeattributesclasses, fast)).toBeUndefined();
  await stop();
});
