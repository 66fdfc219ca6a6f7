import type { ReadPod } from '../pod-status.ts';
import type { ReadJob } from './job-pods.ts';

export const INDEX_KEY = 'batch.kubernetes.io/job-completion-index';

/** A set of completion indexes, as status.completedIndexes writes them: `0,3-5,7`. */
export class IndexSet {
  readonly #indexes: Set<number>;

  constructor(indexes: Iterable<number> = []) {
    this.#indexes = new Set(indexes);
  }

  /** Indexes from `limit` on are left out. */
  static parse(text: string | undefined, limit: number): IndexSet {
    const indexes: number[] = [];
    for (const part of (text ?? '').split(',')) {
      const match = /^(\d+)(?:-(\d+))?$/.exec(part);
      if (match === null) continue;
      const last = Math.min(Number(match[2] ?? match[1]), limit - 1);
      for (let index = Number(match[1]); index <= last; index++) indexes.push(index);
    }
    return new IndexSet(indexes);
  }

  get size(): number {
    return this.#indexes.size;
  }

  has(index: number): boolean {
    return this.#indexes.has(index);
  }

  with(others: Iterable<number>): IndexSet {
    return new IndexSet([...this.#indexes, ...others]);
  }

  [Symbol.iterator](): Iterator<number> {
    return this.#indexes.values();
  }

  /** Runs of at least three are written as a range, two in a row with a comma. */
  toString(): string {
    const sorted = [...this.#indexes].sort((a, b) => a - b);
    const parts: string[] = [];
    for (let i = 0; i < sorted.length; ) {
      let end = i;
      while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
      const separator = end === i + 1 ? ',' : '-';
      parts.push(end === i ? String(sorted[i]) : `${sorted[i]}${separator}${sorted[end]}`);
      i = end + 1;
    }
    return parts.join(',');
  }
}

export function isIndexed(job: ReadJob): boolean {
  return job.spec.completionMode === 'Indexed';
}

/** The completion index of a pod; undefined when it has none or one beyond the completions. */
export function indexOf(job: ReadJob, pod: ReadPod): number | undefined {
  const text = pod.metadata.annotations?.[INDEX_KEY];
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const index = Number(text);
  return index < (job.spec.completions ?? 0) ? index : undefined;
}
