/** Texts like `1,3-5`: the indexes of an Indexed job. */

import { goQuote } from '../validation/go-format.ts';

interface IndexInterval {
  readonly first: number;
  readonly last: number;
}

/** How many indexes the text names, or what is wrong with it. Intervals ascend and do not touch `completions`. */
export function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0;
  let previous: number | undefined;
  let count = 0;
  for (const part of text.split(',')) {
    const interval = parseInterval(part, completions);
    if (typeof interval === 'string') return interval;
    if (previous !== undefined && previous >= interval.first) {
      return `non-increasing order, previous: ${previous}, current: ${interval.first}`;
    }
    count += interval.last - interval.first + 1;
    previous = interval.last;
  }
  return count;
}

/** The first index that both texts name; parts that do not read are skipped. */
export function commonIndex(one: string, other: string, completions: number): number | undefined {
  const right = intervals(other, completions);
  for (const a of intervals(one, completions)) {
    const b = right.find(({ first, last }) => a.first <= last && first <= a.last);
    if (b !== undefined) return Math.max(a.first, b.first);
  }
  return undefined;
}

function intervals(text: string, completions: number): IndexInterval[] {
  if (text === '') return [];
  return text
    .split(',')
    .map((part) => parseInterval(part, completions))
    .filter((interval) => typeof interval !== 'string');
}

function parseInterval(part: string, completions: number): IndexInterval | string {
  const ends = part.split('-');
  if (ends.length > 2) {
    const rule = "an index interval can have at most two parts separated by '-'";
    return `the fragment ${goQuote(part)} violates the requirement that ${rule}`;
  }
  const numbers: number[] = [];
  for (const end of ends) {
    if (!/^[+-]?\d+$/.test(end)) return `cannot convert string to integer for index: ${goQuote(end)}`;
    if (Number(end) >= completions) return `too large index: ${goQuote(end)}`;
    numbers.push(Number(end));
  }
  const [first = 0, last = first] = numbers;
  if (ends.length === 2 && first >= last) return `non-increasing order, previous: ${first}, current: ${last}`;
  return { first, last };
}
