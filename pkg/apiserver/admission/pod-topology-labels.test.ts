import { beforeEach, describe, expect, it } from 'vitest';
import { AdmissionHarness, type Any } from './testing/harness.ts';

const zone = 'topology.kubernetes.io/zone';
const region = 'topology.kubernetes.io/region';
let harness: AdmissionHarness;

beforeEach(() => {
  harness = new AdmissionHarness();
  harness.put('nodes', { metadata: { name: 'n1', labels: { [zone]: 'z1', [region]: 'r1', other: 'x' } } });
});

describe('PodTopologyLabels', () => {
  it.each([
    [{ nodeName: 'n1' }, {}, { [zone]: 'z1', [region]: 'r1' }],
    [{ nodeName: 'n1' }, { a: 'b', [zone]: 'own' }, { a: 'b', [zone]: 'own', [region]: 'r1' }],
    [{ nodeName: 'gone' }, { a: 'b' }, { a: 'b' }],
    [{}, { a: 'b' }, { a: 'b' }],
  ])('of a pod with %j', async (spec, labels, expected) => {
    expect((await harness.admitted(spec, { labels })).metadata.labels).toEqual(expected);
  });

  it.each([
    [
      { kind: 'Node', name: 'n1' },
      { [zone]: 'z1', [region]: 'r1' },
    ],
    [{ kind: 'Node', name: 'gone' }, undefined],
    [{ name: 'n1' }, undefined],
  ])('of a binding to %j', async (target, expected) => {
    const binding = { metadata: { name: 'p' }, target };
    const { object } = await harness.run('pods', binding, { name: 'p', subresource: 'binding' });
    expect((object as Any).metadata.labels).toEqual(expected);
  });
});
