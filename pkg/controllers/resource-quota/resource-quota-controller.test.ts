import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { PersistentVolumeClaim, Pod, ResourceQuota } from '../../api/generated/types.ts';
import { startControllers } from '../testing.ts';
import { newResourceQuotaController } from './resource-quota-controller.ts';

test('counts what a namespace uses as objects come, end and go', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newResourceQuotaController(deps)]);
  const used = () =>
    (cluster.get(resources.resourcequotas, { namespace: 'n', name: 'q' }) as ResourceQuota | undefined)?.status?.used;
  const hard = {
    pods: '3',
    'requests.cpu': '1',
    'limits.memory': '128Mi',
    'services.nodeports': '1',
    'requests.storage': '2Gi',
    'count/deployments.apps': '1',
  };
  cluster.add(resources.resourcequotas, { metadata: { namespace: 'n', name: 'q' }, spec: { hard }, status: {} });
  await clock.advance(10);
  const none = Object.fromEntries(Object.keys(hard).map((name) => [name, '0']));
  expect(used()).toEqual(none);
  const container = { name: 'c', resources: { requests: { cpu: '50m' }, limits: { memory: '32Mi' } } };
  for (const name of ['a', 'b']) {
    cluster.add(resources.pods, { metadata: { namespace: 'n', name }, spec: { containers: [container] }, status: {} });
  }
  cluster.add(resources.services, { metadata: { namespace: 'n', name: 's' }, spec: { type: 'NodePort', ports: [{}] } });
  cluster.add(resources.deployments, { metadata: { namespace: 'n', name: 'd' } });
  cluster.add(resources.pods, { metadata: { namespace: 'other', name: 'x' }, spec: { containers: [container] } });
  await clock.advance(10);
  expect(used()).toEqual({
    ...none,
    pods: '2',
    'requests.cpu': '100m',
    'limits.memory': '64Mi',
    'services.nodeports': '1',
    'count/deployments.apps': '1',
  });
  cluster.change<Pod>(resources.pods, { namespace: 'n', name: 'a' }, (pod) => {
    pod.status = { phase: 'Succeeded' };
  });
  cluster.remove(resources.services, { namespace: 'n', name: 's' });
  await clock.advance(10);
  expect(used()).toMatchObject({ pods: '1', 'requests.cpu': '50m', 'services.nodeports': '0' });
  const writes = cluster.actions.length;
  await clock.advance(3_600_000);
  expect(cluster.actions).toHaveLength(writes);
  await stop();
});

test('counts a claim again when its VolumeAttributesClass changes in its status', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newResourceQuotaController(deps)]);
  const used = () =>
    (cluster.get(resources.resourcequotas, { namespace: 'n', name: 'q' }) as ResourceQuota | undefined)?.status?.used;
  const gold = { scopeName: 'VolumeAttributesClass', operator: 'In', values: ['gold'] };
  cluster.add(resources.resourcequotas, {
    metadata: { namespace: 'n', name: 'q' },
    spec: { hard: { persistentvolumeclaims: '1' }, scopeSelector: { matchExpressions: [gold] } },
  });
  cluster.add(resources.persistentvolumeclaims, {
    metadata: { namespace: 'n', name: 'c' },
    spec: { volumeAttributesClassName: 'silver' },
    status: { currentVolumeAttributesClassName: 'gold' },
  });
  await clock.advance(10);
  expect(used()).toEqual({ persistentvolumeclaims: '1' });
  cluster.change<PersistentVolumeClaim>(resources.persistentvolumeclaims, { namespace: 'n', name: 'c' }, (claim) => {
    claim.status = { currentVolumeAttributesClassName: 'silver' };
  });
  await clock.advance(10);
  expect(used()).toEqual({ persistentvolumeclaims: '0' });
  await stop();
});
