import { IndexSet } from './indexes.ts';
import type { ReadJob } from './job-pods.ts';

/** Why the succeeded indexes are enough; undefined: they are not. Upstream: matchSuccessPolicy. */
export function successPolicyMessage(job: ReadJob, succeeded: IndexSet): string | undefined {
  for (const [index, rule] of (job.spec.successPolicy?.rules ?? []).entries()) {
    let matching = succeeded.size;
    let needed = rule.succeededCount;
    if (rule.succeededIndexes !== undefined) {
      const wanted = IndexSet.parse(rule.succeededIndexes, job.spec.completions ?? 0);
      matching = [...wanted].filter((item) => succeeded.has(item)).length;
      needed ??= wanted.size;
    }
    if (needed !== undefined && matching >= needed) return `Matched rules at index ${index}`;
  }
  return undefined;
}
