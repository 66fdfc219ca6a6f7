import { describe, expect, it } from 'vitest';
import { resources } from '../generated/resources.ts';
import type { KubeObject, ResourceType } from '../object.ts';
import { quotaMatches } from './scopes.ts';
import { usageOf } from './usage.ts';

const { persistentvolumeclaims, pods, resourceclaims } = resources as unknown as Record<string, ResourceType>;
const object = (parts: object): KubeObject => ({ metadata: { name: 'x' }, ...parts }) as KubeObject;

describe('usageOf', () => {
  it('rounds storage up, heeds what is allocated and the class of the annotation', () => {
    const claim = (requested: string, allocated?: string) =>
      usageOf(
        persistentvolumeclaims as ResourceType,
        object({
          metadata: { name: 'c', annotations: { 'volume.beta.kubernetes.io/storage-class': 'old' } },
          spec: { storageClassName: 'new', resources: { requests: { storage: requested } } },
          status: allocated === undefined ? {} : { allocatedResources: { storage: allocated } },
        }),
      );
    expect(claim('1500m')).toEqual({
      'count/persistentvolumeclaims': '1',
      persistentvolumeclaims: '1',
      'requests.storage': '2',
      'old.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
      'old.storageclass.storage.k8s.io/requests.storage': '2',
    });
    expect(claim('1Gi', '2Gi')).toMatchObject({ 'requests.storage': '2Gi' });
    expect(claim('3Gi', '2Gi')).toMatchObject({ 'requests.storage': '3Gi' });
  });

  it('counts what a container has got until it is made smaller, unless its resize is infeasible', () => {
    const pod = (wanted: string, reason?: string) =>
      usageOf(
        pods as ResourceType,
        object({
          spec: { containers: [{ name: 'c', resources: { requests: { cpu: wanted }, limits: { cpu: wanted } } }] },
          status: {
            containerStatuses: [
              {
                name: 'c',
                allocatedResources: { cpu: '700m' },
                resources: { requests: { cpu: '2' }, limits: { cpu: '3' } },
              },
            ],
            ...(reason && { conditions: [{ type: 'PodResizePending', status: 'True', reason }] }),
          },
        }),
      );
    expect(pod('1')).toMatchObject({ cpu: '2', 'requests.cpu': '2', 'limits.cpu': '3' });
    expect(pod('5')).toMatchObject({ cpu: '5', 'limits.cpu': '5' });
    expect(pod('5', 'Infeasible')).toMatchObject({ cpu: '2', 'limits.cpu': '3' });
  });

  it('counts the devices a claim may get of each class', () => {
    const requests = [
      { name: 'a', exactly: { deviceClassName: 'gpu', count: 2 } },
      { name: 'b', exactly: { deviceClassName: 'nic', allocationMode: 'All' } },
      {
        name: 'c',
        firstAvailable: [
          { name: 'x', deviceClassName: 'gpu', count: 3 },
          { name: 'y', deviceClassName: 'gpu', count: 1 },
        ],
      },
    ];
    expect(usageOf(resourceclaims as ResourceType, object({ spec: { devices: { requests } } }))).toEqual({
      'count/resourceclaims.resource.k8s.io': '1',
      'gpu.deviceclass.resource.k8s.io/devices': '5',
      'nic.deviceclass.resource.k8s.io/devices': '32',
    });
  });
});

describe('quotaMatches', () => {
  const scoped = (operator: string, values?: string[]) =>
    ({
      metadata: { name: 'q' },
      spec: { scopeSelector: { matchExpressions: [{ scopeName: 'VolumeAttributesClass', operator, values }] } },
    }) as never;
  it.each([
    ['In', ['gold'], true, false],
    ['In', ['bronze'], true, false],
    ['In', ['lead'], false, false],
    ['NotIn', ['gold'], true, true],
    ['NotIn', ['gold', 'bronze', 'silver'], false, true],
    ['Exists', undefined, true, false],
    ['DoesNotExist', undefined, false, true],
  ])('asks the classes of a claim: %s %s', (operator, values, withClasses, without) => {
    const quota = scoped(operator, values);
    const spec = { volumeAttributesClassName: 'gold' };
    const status = {
      currentVolumeAttributesClassName: 'silver',
      modifyVolumeStatus: { targetVolumeAttributesClassName: 'bronze', status: 'InProgress' },
    };
    expect(quotaMatches(quota, persistentvolumeclaims as ResourceType, object({ spec, status }))).toBe(withClasses);
    expect(quotaMatches(quota, persistentvolumeclaims as ResourceType, object({ spec: {} }))).toBe(without);
    expect(quotaMatches(quota, pods as ResourceType, object({ spec: { containers: [] } }))).toBe(false);
  });
});
