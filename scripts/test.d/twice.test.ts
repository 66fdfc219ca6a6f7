import { describe, expect, test } from 'vitest';
import { type Outcome, twice } from './twice.ts';

const good: Outcome = { failed: [], broken: false };
const bad = (...failed: string[]): Outcome => ({ failed, broken: false });

describe('what fails is run once more', () => {
  test.each<[what: string, outcomes: Outcome[], code: number, runs: (readonly string[] | undefined)[]]>([
    ['nothing failed', [good], 0, [undefined]],
    ['what passes when run again', [bad('a', 'b'), good], 0, [undefined, ['a', 'b']]],
    ['what fails again', [bad('a', 'b'), bad('b')], 1, [undefined, ['a', 'b']]],
    ['what belongs to no file', [{ failed: ['a'], broken: true }], 1, [undefined]],
    ['what breaks when run again', [bad('a'), { failed: [], broken: true }], 1, [undefined, ['a']]],
    ['more than chance explains', [bad('a', 'b', 'c', 'd', 'e')], 1, [undefined]],
  ])('%s', async (_, outcomes, code, runs) => {
    const asked: (readonly string[] | undefined)[] = [];
    const rest = [...outcomes];
    const run = async (files?: readonly string[]): Promise<Outcome> => {
      asked.push(files);
      return rest.shift() ?? good;
    };
    expect(await twice(run, () => {})).toBe(code);
    expect(asked).toEqual(runs);
  });

  test('and told of by name', async () => {
    const lines: string[] = [];
    const outcomes = [bad('a.test.ts'), good];
    await twice(
      async () => outcomes.shift() ?? good,
      (line) => lines.push(line),
    );
    expect(lines).toEqual([
      'failed, and run again from the beginning: a.test.ts (the reasons are above)',
      'flaky, passed when run again: a.test.ts',
    ]);
  });
});
