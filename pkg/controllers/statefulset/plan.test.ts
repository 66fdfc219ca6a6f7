import { describe, expect, test } from 'vitest';
import type { ReadPod } from '../pod-status.ts';
import type { ReadStatefulSet } from './identity.ts';
import { nextStep, revisionFor } from './plan.ts';

const names = { current: 'old', update: 'new' };

/** `0old` ready, `0new!` not ready, `0old*` being deleted, `0old#` failed. */
function pod(text: string): ReadPod {
  const [, ordinal, revision, flag] = /^(\d+)(old|new)([!*#]?)$/.exec(text) ?? [];
  return {
    metadata: {
      name: `db-${ordinal}`,
      labels: { 'controller-revision-hash': revision },
      ...(flag === '*' ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { containers: [] },
    status: {
      phase: flag === '#' ? 'Failed' : 'Running',
      conditions: [{ type: 'Ready', status: flag === '!' ? 'False' : 'True' }],
    },
  } as unknown as ReadPod;
}

function plan(spec: object, pods: string): string {
  const set = {
    metadata: { name: 'db', namespace: 'n' },
    spec: { replicas: 3, selector: {}, updateStrategy: { type: 'RollingUpdate', rollingUpdate: {} }, ...spec },
    status: { currentReplicas: 1 },
  } as unknown as ReadStatefulSet;
  const step = nextStep(set, pods.split(' ').filter(Boolean).map(pod), names, 0);
  const created = step.create.map(({ ordinal, revision }) => `+${ordinal}${revision}`);
  const removed = [...step.remove, ...step.replace].map(({ metadata }) => `-${metadata.name.slice(3)}`);
  return [...created, ...removed].join(' ');
}

const parallel = { podManagementPolicy: 'Parallel' };
const rolling = (rollingUpdate: object) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } });

describe('stateful set: next step', () => {
  test.each<[string, object, string, string]>([
    ['ordered: the first', {}, '', '+0new'],
    ['ordered: waits for the first', {}, '0new!', ''],
    ['ordered: then the next', {}, '0new', '+1new'],
    ['ordered: a gap is filled first', {}, '0new 2new', '+1new'],
    ['ordered: waits for what goes away', {}, '0new* 1new', ''],
    ['a failed pod goes', {}, '0new# 1new', '-0'],
    ['parallel: all', parallel, '1new', '+0new +2new'],
    ['start ordinal', { ordinals: { start: 5 }, replicas: 2 }, '5new', '+6new'],
    ['ordered: one goes, the highest', { replicas: 1 }, '0new 1new 2new', '-2'],
    ['ordered: waits while one goes', { replicas: 1 }, '0new 1new 2new*', ''],
    ['ordered: none goes while another is sick', { replicas: 1 }, '0new 1new! 2new!', ''],
    ['ordered: the sick one goes', { replicas: 1 }, '0new 1new!', '-1'],
    ['parallel: all beyond go', { replicas: 1, ...parallel }, '0new 1new 2new', '-2 -1'],
    ['update: from the highest', {}, '0old 1old 2old', '-2'],
    ['update: one after the other', {}, '0old 1old 2new', '-1'],
    ['update: waits for the new one', {}, '0old 1old 2new!', ''],
    ['update: waits also when parallel', parallel, '0old 1old 2new!', ''],
    ['update: a broken old pod is replaced when parallel', parallel, '0old 1old! 2new', '-1'],
    ['update: partition', rolling({ partition: 2 }), '0old 1old 2new', ''],
    ['below the partition the old revision comes back', rolling({ partition: 2 }), '0old 2new', '+1old'],
    ['on delete: nothing', { updateStrategy: { type: 'OnDelete' } }, '0old 1old 2old', ''],
    ['on delete: what was deleted', { updateStrategy: { type: 'OnDelete' } }, '0old 2old', '+1new'],
  ])('%s', (_name, spec, pods, expected) => {
    expect(plan(spec, pods)).toBe(expected);
  });
});

test.each<[string, object, string]>([
  ['OnDelete', { type: 'OnDelete' }, 'new new new'],
  ['RollingUpdate', { type: 'RollingUpdate', rollingUpdate: { partition: 1 } }, 'old new new'],
  ['RollingUpdate as old clients wrote it', { type: 'RollingUpdate' }, 'old old new'],
])('what missing pods are made from: %s', (_, updateStrategy, expected) => {
  const set = { spec: { updateStrategy }, status: { currentReplicas: 2 } } as unknown as ReadStatefulSet;
  expect([0, 1, 2].map((index) => revisionFor(set, names, index)).join(' ')).toBe(expected);
});
