import type { DeepReadonly } from '../../base/json.ts';
import type { Steps } from '../../base/steps.ts';
import type { KubeObject } from '../object.ts';
import type { Schema } from '../schema.ts';
import { type Comparison, compareSteps } from './compare.ts';
import type { FieldSet } from './field-set.ts';
import type { Managed } from './managed-fields.ts';

/** A write seen in a version that is not the request's: fields may have other names there. */
export interface VersionView {
  readonly schema: Schema;
  readonly live: DeepReadonly<KubeObject>;
  readonly object: DeepReadonly<KubeObject>;
}

/** By apiVersion. */
export type VersionViews = ReadonlyMap<string, VersionView>;

/** What a write changes for an owner of fields: seen in the version that the owner used, if there is a view of it. In steps. */
export type ComparisonFor = (owner: Pick<Managed, 'apiVersion'>) => Steps<Comparison>;

/** `own`: what the write changes in the version of the request, or in any that is not among `views`. */
export function comparisonsFor(own: Comparison, views: VersionViews | undefined, untracked: FieldSet): ComparisonFor {
  const known = new Map<string, Comparison>();
  return function* ({ apiVersion }) {
    const view = views?.get(apiVersion);
    if (view === undefined) return own;
    let comparison = known.get(apiVersion);
    if (comparison === undefined) {
      comparison = yield* compareSteps(view.schema, view.live, view.object, untracked);
      known.set(apiVersion, comparison);
    }
    return comparison;
  };
}
