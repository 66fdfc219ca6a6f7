import { type Candidate, startMs } from './victims.ts';

/** Makes every priority positive, so that fewer pods of negative priority are better than more. */
const PRIORITY_OFFSET = 2 ** 31;

/** The greater the better; later ones decide among equals only. */
const CRITERIA: readonly ((candidate: Candidate) => number)[] = [
  ({ violations }) => -violations,
  ({ victims }) => -(victims[0]?.priority ?? 0),
  ({ victims }) => -victims.reduce((sum, { priority }) => sum + priority + PRIORITY_OFFSET, 0),
  ({ victims }) => -victims.length,
  earliestStartOfHighest,
];

/** The node where preemption does the least harm; the first of equals. Upstream: pickOneNodeForPreemption. */
export function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  let left = candidates;
  for (const score of CRITERIA) {
    if (left.length <= 1) break;
    const best = left.reduce((most, candidate) => Math.max(most, score(candidate)), Number.NEGATIVE_INFINITY);
    left = left.filter((candidate) => score(candidate) === best);
  }
  return left[0];
}

/** When the longest-running of the most important victims started: a later start loses less work. */
function earliestStartOfHighest({ victims }: Candidate): number {
  const highest = victims[0]?.priority;
  return victims
    .filter(({ priority }) => priority === highest)
    .reduce((earliest, victim) => Math.min(earliest, startMs(victim)), Number.POSITIVE_INFINITY);
}
