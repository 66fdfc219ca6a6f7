import { beforeEach, describe, expect, it } from 'vitest';
import type { StatusError } from '../../api/errors.ts';
import { AdmissionHarness, pod } from './testing/harness.ts';

let harness: AdmissionHarness;

beforeEach(() => {
  harness = new AdmissionHarness();
  const allocatable = { cpu: '2', memory: '1Gi' };
  const linux = { 'kubernetes.io/os': 'linux' };
  const declaredFeatures = ['GuaranteedQoSPodCPUResize'];
  harness.put('nodes', { metadata: { name: 'able', labels: linux }, status: { allocatable, declaredFeatures } });
  harness.put('nodes', { metadata: { name: 'plain', labels: linux }, status: { allocatable } });
  const windows = { 'kubernetes.io/os': 'windows' };
  harness.put('nodes', { metadata: { name: 'win', labels: windows }, status: { allocatable, declaredFeatures } });
});

const sized = (nodeName: string, requests: object, more: object = {}): object => ({
  ...pod({ nodeName, containers: [{ name: 'main', image: 'app', resources: { requests } }], ...more }),
  status: { qosClass: 'Guaranteed' },
});

async function resize(old: object, object: object, subresource = 'resize'): Promise<string> {
  try {
    await harness.run('pods', object, { name: 'p', oldObject: old, subresource });
    return '';
  } catch (error) {
    const { status } = error as StatusError;
    const causes = status.details?.causes?.map(({ reason, field }) => `${reason}@${field ?? ''}`) ?? [];
    return [(status.message ?? '').replace('pods "p" is forbidden: ', ''), ...causes].join(' ');
  }
}

describe('NodeDeclaredFeatureValidator', () => {
  const needs = (feature: string, node: string): string =>
    `pod update requires features ${feature} which are not available on node "${node}"`;
  const podLevel = { resources: { requests: { cpu: '1' } } };
  const burstable = { ...sized('plain', { cpu: '500m' }), status: { qosClass: 'Burstable' } };
  it.each([
    ['the CPU of a guaranteed pod', sized('able', { cpu: '1' }), sized('able', { cpu: '500m' }), ''],
    [
      'the CPU of a guaranteed pod on another node',
      sized('plain', { cpu: '1' }),
      sized('plain', { cpu: '500m' }),
      needs('GuaranteedQoSPodCPUResize', 'plain'),
    ],
    ['the CPU of a burstable pod', burstable, sized('plain', { cpu: '600m' }), ''],
    ['the same CPU written in another way', sized('plain', { cpu: '1' }), sized('plain', { cpu: '1000m' }), ''],
    ['memory', sized('plain', { memory: '1Mi' }), sized('plain', { memory: '2Mi' }), ''],
    ['no node yet', sized('', { cpu: '1' }), sized('', { cpu: '2' }), ''],
    ['a node that is gone', sized('gone', { cpu: '1' }), sized('gone', { cpu: '2' }), 'node "gone" not found'],
    [
      'the pod as a whole, and CPU',
      sized('plain', { cpu: '1' }),
      sized('plain', { cpu: '2' }, podLevel),
      needs('GuaranteedQoSPodCPUResize, InPlacePodLevelResourcesVerticalScaling', 'plain'),
    ],
  ])('%s', async (_, old, object, refusal) => {
    expect(await resize(old, object)).toBe(refusal);
  });

  it('looks at updates of the pod itself, not of its status', async () => {
    const [old, object] = [sized('plain', { cpu: '1' }), sized('plain', { cpu: '2' })];
    expect(await resize(old, object, '')).toBe(needs('GuaranteedQoSPodCPUResize', 'plain'));
    expect(await resize(old, object, 'status')).toBe('');
  });
});

describe('PodResizeValidator', () => {
  const full = "Node didn't have enough allocatable resources: ";
  it.each([
    ['what fits', { cpu: '2', memory: '1Gi' }, 'able', ''],
    ['too much', { cpu: '2001m' }, 'able', `${full}cpu, requested: 2001, allocatable: 2000 NodeCapacity@`],
    [
      'too much of both',
      { cpu: '3', memory: '2Gi' },
      'able',
      `${full}cpu, requested: 3000, allocatable: 2000; memory, requested: 2147483648, allocatable: 1073741824 NodeCapacity@`,
    ],
    [
      'another system',
      { cpu: '2' },
      'win',
      'pod resize is only supported on linux nodes, node "win" is "windows" UnsupportedPlatform@',
    ],
  ])('%s', async (_, requests, node, refusal) => {
    expect(await resize(sized(node, { cpu: '1', memory: '1Mi' }), sized(node, requests))).toBe(refusal);
  });

  it('has nothing against what does not change', async () => {
    expect(await resize(sized('able', { cpu: '9' }), sized('able', { cpu: '9' }))).toBe('');
  });
});
