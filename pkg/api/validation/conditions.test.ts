import { describe, expect, it } from 'vitest';
import { validateConditions } from './conditions.ts';

const good = { type: 'Ready', status: 'True', reason: 'AsExpected', lastTransitionTime: '2030-01-01T00:00:00Z' };

describe('conditions', () => {
  const cases: [string, object[], string[]][] = [
    ['complete', [good, { ...good, type: 'a.b/Other' }], []],
    ['empty', [{}], ['c[0].type', 'c[0].type', 'c[0].status', 'c[0].lastTransitionTime', 'c[0].reason']],
    ['twice', [good, good], ['c[1].type']],
    ['odd reason', [{ ...good, reason: '1 reason' }], ['c[0].reason']],
    [
      'out of bounds',
      [{ ...good, reason: 'x'.repeat(1025), message: 'x'.repeat(32_769), observedGeneration: -1 }],
      ['c[0].observedGeneration', 'c[0].reason', 'c[0].message'],
    ],
  ];

  it.each(cases)('%s', (_name, conditions, fields) => {
    expect(validateConditions(conditions, 'c').map(({ field }) => field)).toEqual(fields);
  });
});
