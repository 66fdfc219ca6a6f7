import { describe, expect, test } from 'vitest';
import { safeEncode } from '../json-hash.ts';
import type { ReadDeployment, ReadReplicaSet } from './replica-counts.ts';
import { rollingLimits } from './replica-counts.ts';
import { scaleAll, scaleNewest, scaleOld } from './scaling.ts';
import { sameTemplate, templateHash } from './template-hash.ts';

function deployment(replicas: number, maxSurge: number | string, maxUnavailable: number | string): ReadDeployment {
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } };
  return { metadata: { name: 'd' }, spec: { replicas, strategy }, status: {} } as unknown as ReadDeployment;
}

/** `desired` and `max` are the annotations; `age` orders the sets (smaller: older). */
function set(age: number, replicas: number, available: number, desired?: number, max?: number): ReadReplicaSet {
  return {
    metadata: {
      name: `s${age}`,
      creationTimestamp: `2026-01-01T00:00:0${age}Z`,
      annotations: {
        ...(desired === undefined ? {} : { 'deployment.kubernetes.io/desired-replicas': String(desired) }),
        ...(max === undefined ? {} : { 'deployment.kubernetes.io/max-replicas': String(max) }),
      },
    },
    spec: { replicas },
    status: { replicas, availableReplicas: available },
  } as unknown as ReadReplicaSet;
}

const sizes = (scalings: readonly { set: ReadReplicaSet; replicas: number }[]) =>
  Object.fromEntries(scalings.map((one) => [one.set.metadata.name, one.replicas]));

test.each([
  [10, '25%', '25%', { maxSurge: 3, maxUnavailable: 2 }],
  [1, '25%', '25%', { maxSurge: 1, maxUnavailable: 0 }],
  [3, 0, '0%', { maxSurge: 0, maxUnavailable: 1 }],
  [2, '100%', 5, { maxSurge: 2, maxUnavailable: 2 }],
  [0, '25%', '25%', { maxSurge: 0, maxUnavailable: 0 }],
])('limits of %i replicas with surge %s and unavailable %s', (replicas, surge, unavailable, expected) => {
  expect(rollingLimits(deployment(replicas, surge, unavailable))).toEqual(expected);
});

describe('rolling update', () => {
  test.each([
    ['grows by the surge', deployment(4, 1, 0), set(2, 0, 0), [set(1, 4, 4)], 1],
    ['never above the wanted size', deployment(4, 9, 0), set(2, 3, 3), [set(1, 1, 1)], 4],
    ['no room', deployment(4, 1, 1), set(2, 1, 0), [set(1, 4, 4)], undefined],
    ['shrinks after a scale down', deployment(2, 1, 1), set(2, 5, 5), [], 2],
    ['complete', deployment(2, 1, 1), set(2, 2, 2), [], undefined],
  ])('newest set: %s', (_, wanted, newest, old, expected) => {
    expect(scaleNewest(wanted, [newest, ...old], newest)).toBe(expected);
  });

  test.each([
    ['as many as the minimum allows', deployment(4, 1, 1), set(3, 1, 0), [set(1, 4, 4)], { s1: 3 }],
    ['what is not available first', deployment(4, 1, 1), set(3, 2, 2), [set(1, 2, 2), set(2, 1, 0)], { s2: 0, s1: 1 }],
    ['not while the new ones are missing', deployment(4, 1, 0), set(3, 1, 0), [set(1, 4, 4)], {}],
    ['a stuck old rollout makes way', deployment(3, 1, 0), set(3, 0, 0), [set(1, 3, 3), set(2, 1, 0)], { s2: 0 }],
    ['oldest first', deployment(4, 4, 0), set(3, 4, 4), [set(1, 2, 2), set(2, 2, 2)], { s1: 0, s2: 0 }],
    ['nothing old left', deployment(4, 1, 1), set(3, 4, 4), [set(1, 0, 0)], {}],
    ['not by counts that are older than a size', deployment(4, 3, 2), set(3, 4, 0), [set(1, 2, 4), set(2, 1, 0)], {}],
  ])('old sets: %s', (_, wanted, newest, old, expected) => {
    expect(sizes(scaleOld(wanted, newest, old))).toEqual(expected);
  });
});

describe('change of size', () => {
  test.each([
    ['the only active set takes it all', deployment(5, 1, 1), set(2, 3, 3), [set(1, 0, 0)], { s2: 5 }],
    ['also an old one', deployment(5, 1, 1), undefined, [set(1, 3, 3)], { s1: 5 }],
    ['up from 0: the newest', deployment(5, 1, 1), set(2, 0, 0), [set(1, 0, 0)], { s2: 5 }],
    ['in proportion', deployment(8, 2, 1), set(2, 3, 0, 4, 6), [set(1, 3, 3, 4, 6)], { s2: 5, s1: 5 }],
    ['in proportion, down', deployment(4, 2, 1), set(2, 4, 0, 10, 12), [set(1, 8, 8, 10, 12)], { s1: 4, s2: 2 }],
    ['saturated: the old ones go', deployment(3, 1, 1), set(2, 3, 3, 3), [set(1, 1, 1)], { s1: 0 }],
    ['to 0', deployment(0, 1, 1), set(2, 2, 1, 3, 4), [set(1, 2, 2, 3, 4)], { s1: 0, s2: 0 }],
  ])('%s', (_, wanted, newest, old, expected) => {
    expect(sizes(scaleAll(wanted, newest, old))).toEqual(expected);
  });
});

describe('template hash', () => {
  const template = (image: string, labels: Record<string, string> = { app: 'a' }) => ({
    metadata: { labels },
    spec: { containers: [{ name: 'c', image }] },
  });

  test('is safe, stable in the order of fields, and changes with template and collisions', () => {
    const hash = templateHash(template('x'), undefined);
    expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
    const { metadata, spec } = template('x');
    expect(templateHash({ spec, metadata }, undefined)).toBe(hash);
    expect(templateHash(template('y'), undefined)).not.toBe(hash);
    expect(templateHash(template('x'), 1)).not.toBe(hash);
    expect(safeEncode('0123456789')).toBe('456789bcdf');
  });

  test('sameTemplate ignores only the hash label', () => {
    const hashed = template('x', { app: 'a', 'pod-template-hash': 'h' });
    expect(sameTemplate(template('x'), hashed)).toBe(true);
    expect(sameTemplate(template('x'), template('x', { app: 'b' }))).toBe(false);
    expect(sameTemplate(template('x'), template('y'))).toBe(false);
  });
});
