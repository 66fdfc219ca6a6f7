import { beforeEach, describe, expect, it } from 'vitest';
import { AdmissionHarness } from './testing/harness.ts';

let harness: AdmissionHarness;
beforeEach(() => {
  harness = new AdmissionHarness();
});

async function refused(spec: object, message: string): Promise<void> {
  await expect(harness.admitted(spec)).rejects.toThrow(`pods "p" is forbidden: ${message}`);
}

describe('LimitRanger', () => {
  const range = (...limits: object[]): void =>
    harness.put('limitranges', { metadata: { namespace: 'ns', name: 'lr' }, spec: { limits } });
  const container = (resourcesOf: object, name = 'main'): object => ({ name, resources: resourcesOf });

  it('fills in defaults and says so', async () => {
    range({
      type: 'Container',
      default: { cpu: '500m', memory: '128Mi' },
      defaultRequest: { cpu: '100m', memory: '128Mi' },
    });
    const { spec, metadata } = await harness.admitted({
      containers: [container({}), container({ limits: { cpu: '2' }, requests: { cpu: '2' } }, 'b')],
    });
    expect(spec.containers[0].resources).toEqual({
      limits: { cpu: '500m', memory: '128Mi' },
      requests: { cpu: '100m', memory: '128Mi' },
    });
    expect(spec.containers[1].resources).toEqual({
      limits: { cpu: '2', memory: '128Mi' },
      requests: { cpu: '2', memory: '128Mi' },
    });
    expect(metadata.annotations['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu, memory request for container main; cpu, memory limit for container main; memory request for container b; memory limit for container b',
    );
  });

  it.each([
    [
      { type: 'Container', min: { cpu: '500m' } },
      [{ requests: { cpu: '100m' } }],
      'minimum cpu usage per Container is 500m, but request is 100m',
    ],
    [
      { type: 'Container', max: { cpu: '1' } },
      [{ limits: { cpu: '2' } }],
      'maximum cpu usage per Container is 1, but limit is 2',
    ],
    [{ type: 'Container', max: { cpu: '1' } }, [{}], 'maximum cpu usage per Container is 1.  No limit is specified'],
    [
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      [{ requests: { cpu: '100m' }, limits: { cpu: '1' } }],
      'cpu max limit to request ratio per Container is 2, but provided ratio is 10.000000',
    ],
    [
      { type: 'Pod', max: { cpu: '2' } },
      [{ limits: { cpu: '1500m' } }, { limits: { cpu: '1' } }],
      'maximum cpu usage per Pod is 2, but limit is 2500m',
    ],
    [
      { type: 'Pod', min: { memory: '64Mi' }, max: { cpu: '2' } },
      [{}],
      '[minimum memory usage per Pod is 64Mi.  No request is specified, maximum cpu usage per Pod is 2.  No limit is specified]',
    ],
  ])('%j', async (limits, containers, message) => {
    range(limits);
    await refused({ containers: containers.map((own, index) => container(own, `c${index}`)) }, message);
  });
});
