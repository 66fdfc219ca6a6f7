import { beforeEach, describe, expect, it } from 'vitest';
import type { StatusError } from '../../api/errors.ts';
import { AdmissionHarness, pod } from './testing/harness.ts';

let harness: AdmissionHarness;

beforeEach(() => {
  harness = new AdmissionHarness();
  const allocatable = { cpu: '2', memory: '1Gi' };
  const linux = { 'kubernetes.io/os': 'linux' };
  const declaredFeatures = ['InPlacePodVerticalScalingInitContainers'];
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
  const init = (nodeName: string, cpu: string, more: object = {}): object =>
    sized(nodeName, {}, { initContainers: [{ name: 'i', image: 'app', resources: { requests: { cpu } } }], ...more });
  const podLevel = { resources: { requests: { cpu: '1' } } };
  it.each([
    ['the CPU of a guaranteed pod', sized('plain', { cpu: '1' }), sized('plain', { cpu: '500m' }), ''],
    ['an init container', init('able', '1'), init('able', '2'), ''],
    [
      'an init container on another node',
      init('plain', '1'),
      init('plain', '2'),
      needs('InPlacePodVerticalScalingInitContainers', 'plain'),
    ],
    ['no node yet', init('', '1'), init('', '2'), ''],
    ['a node that is gone', init('gone', '1'), init('gone', '2'), 'node "gone" not found'],
    [
      'the pod as a whole, and an init container',
      init('plain', '1'),
      init('plain', '2', podLevel),
      needs('InPlacePodLevelResourcesVerticalScaling, InPlacePodVerticalScalingInitContainers', 'plain'),
    ],
  ])('%s', async (_, old, object, refusal) => {
    expect(await resize(old, object)).toBe(refusal);
  });

  it('looks at updates of the pod itself, not of its status', async () => {
    const [old, object] = [init('plain', '1'), init('plain', '2')];
    expect(await resize(old, object, '')).toBe(needs('InPlacePodVerticalScalingInitContainers', 'plain'));
    expect(await resize(old, object, 'status')).toBe('');
  });
});

describe('PodResizeValidator', () => {
  const full = "node didn't have enough allocatable resources: ";
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
