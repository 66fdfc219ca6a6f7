import { describe, expect, test } from 'vitest';
import type { Pod } from '../generated/types.ts';
import { matchesNodeSelectorTerm } from './node-selector.ts';
import { placedPodRequests, podRequests } from './pod-requests.ts';
import { tolerates } from './tolerations.ts';

const cpu = (amount: string, restartPolicy?: string): object => ({
  name: 'c',
  restartPolicy,
  resources: { requests: { cpu: amount } },
});

describe('pod requests', () => {
  test.each<[string, object, number]>([
    ['containers add up', { containers: [cpu('1'), cpu('250m')] }, 1250],
    [
      'an init container counts when it is larger',
      { containers: [cpu('1')], initContainers: [cpu('3'), cpu('2')] },
      3000,
    ],
    ['sidecars run beside containers', { containers: [cpu('1')], initContainers: [cpu('500m', 'Always')] }, 1500],
    [
      'sidecars run beside later init containers',
      { containers: [cpu('1')], initContainers: [cpu('500m', 'Always'), cpu('2')] },
      2500,
    ],
    [
      'but not beside earlier ones',
      { containers: [cpu('100m')], initContainers: [cpu('2'), cpu('500m', 'Always')] },
      2000,
    ],
    ['overhead', { containers: [cpu('1')], overhead: { cpu: '100m' } }, 1100],
    ['requests of the pod replace sums', { containers: [cpu('1')], resources: { requests: { cpu: '3' } } }, 3000],
  ])('%s', (_name, spec, expected) => {
    expect(podRequests(spec as Pod['spec']).get('cpu')).toBe(expected);
  });
});

describe('requests of a pod that is resized', () => {
  const resized = (asked: string, has: string, conditions: object[] = []): number | undefined =>
    placedPodRequests({
      spec: { containers: [cpu(asked)] },
      status: { containerStatuses: [{ name: 'c', resources: { requests: { cpu: has } } }], conditions },
    } as unknown as Pod).get('cpu');

  test.each([
    ['it becomes larger', '3', '1', [], 3000],
    ['it becomes smaller, but is not yet', '1', '3', [], 3000],
    ['it cannot become so large', '30', '1', [{ type: 'PodResizePending', reason: 'Infeasible' }], 1000],
    ['it becomes larger later', '3', '1', [{ type: 'PodResizePending', reason: 'Deferred' }], 3000],
  ])('%s', (_name, asked, has, conditions, expected) => {
    expect(resized(asked, has, conditions)).toBe(expected);
  });
});

describe('tolerations', () => {
  const taint = { key: 'k', value: 'v', effect: 'NoSchedule' };
  test.each([
    [{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoSchedule' }, true],
    [{ key: 'k', value: 'v' }, true],
    [{ key: 'k', operator: 'Exists' }, true],
    [{ operator: 'Exists' }, true],
    [{ key: 'k', value: 'other' }, false],
    [{ key: 'other', operator: 'Exists' }, false],
    [{ key: 'k', operator: 'Exists', effect: 'NoExecute' }, false],
    [{ operator: 'Equal' }, false],
  ])('%j: %s', (toleration, expected) => {
    expect(tolerates(toleration, taint)).toBe(expected);
  });
});

describe('node selector terms', () => {
  const node = { name: 'n1', labels: { zone: 'a', cores: '8' } };
  test.each([
    [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a', 'b'] }] }, true],
    [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }, false],
    [{ matchExpressions: [{ key: 'none', operator: 'NotIn', values: ['a'] }] }, true],
    [
      {
        matchExpressions: [
          { key: 'zone', operator: 'Exists' },
          { key: 'none', operator: 'Exists' },
        ],
      },
      false,
    ],
    [{ matchExpressions: [{ key: 'none', operator: 'DoesNotExist' }] }, true],
    [{ matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['4'] }] }, true],
    [{ matchExpressions: [{ key: 'zone', operator: 'Gt', values: ['4'] }] }, false],
    [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }, true],
    [{}, false],
  ])('%j: %s', (term, expected) => {
    expect(matchesNodeSelectorTerm(term, node)).toBe(expected);
  });
});
