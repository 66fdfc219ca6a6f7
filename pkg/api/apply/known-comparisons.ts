import type { Steps } from '../../base/steps.ts';
import type { Schema } from '../schema.ts';
import { type Comparison, compareSteps } from './compare.ts';
import { emptySet, type FieldSet, union } from './field-set.ts';
import { hasShape, type Shape, shapeOf } from './shape.ts';
import { shareText } from './shared-text.ts';
import type { JSONObject } from './structure.ts';

/** Objects that are made at one time have few shapes: the pods of a handful of workloads. */
const MAX_KNOWN = 8;

interface Known {
  readonly untracked: FieldSet;
  readonly shape: Shape;
  readonly comparison: Comparison;
}

/**
 * How new objects of one type differ from one without content, by their shape. Objects of one shape share the sets of the
 * comparison, which saves making them, and their memory.
 */
export class KnownComparisons {
  readonly #schema: Schema;
  readonly #empty: JSONObject;
  /** The one that was wanted last comes first. */
  readonly #known: Known[] = [];

  constructor(schema: Schema, empty: JSONObject) {
    this.#schema = schema;
    this.#empty = empty;
  }

  /**
   * What is new or changed is all in `added`. The shape of a large object is not asked for, since every look at what it has takes
   * time by its size. In steps, as `compareSteps`.
   */
  *compare(object: JSONObject, untracked: FieldSet, isLarge: boolean): Steps<Comparison> {
    const known = isLarge ? undefined : this.#find(object, untracked);
    if (known !== undefined) return known.comparison;
    const { added, modified, removed, same } = yield* compareSteps(this.#schema, this.#empty, object, untracked);
    const comparison = { added: union(added, modified), modified: emptySet, removed, same };
    const shape = isLarge ? undefined : shapeOf(this.#schema, this.#empty, object, untracked);
    if (shape === undefined) return comparison;
    shareText(comparison.added);
    this.#known.unshift({ untracked, shape, comparison });
    if (this.#known.length > MAX_KNOWN) this.#known.pop();
    return comparison;
  }

  #find(object: JSONObject, untracked: FieldSet): Known | undefined {
    const known = this.#known;
    for (let i = 0; i < known.length; i++) {
      const candidate = known[i] as Known;
      if (candidate.untracked !== untracked || !hasShape(candidate.shape, object)) continue;
      if (i > 0) known.unshift(...known.splice(i, 1));
      return candidate;
    }
    return undefined;
  }
}
