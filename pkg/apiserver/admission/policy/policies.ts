import type { ResourceDefinition } from '../../../api/definition.ts';
import type { MatchResources, ParamKind, ParamRef } from '../../../api/generated/types.ts';
import type { ResourceType } from '../../../api/object.ts';
import type { DeepReadonly } from '../../../base/json.ts';
import type { ObjectReader, Operation } from '../../contract.ts';
import { RequestIndex } from '../matching/request-index.ts';
import { isConfiguration } from '../matching/rules.ts';
import type { Versions } from '../matching/versions.ts';
import { mayMatch } from './match-resources.ts';

/** What validating and mutating policies have in common. */
export interface PolicyObject {
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly failurePolicy?: string;
    readonly matchConstraints?: DeepReadonly<MatchResources>;
    readonly paramKind?: DeepReadonly<ParamKind>;
  };
}

export interface BindingObject {
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly policyName?: string;
    readonly matchResources?: DeepReadonly<MatchResources>;
    readonly paramRef?: DeepReadonly<ParamRef>;
  };
}

export interface BoundPolicy<P, B> {
  readonly policy: P;
  readonly bindings: readonly B[];
}

/** Reviews decide about requests themselves: policies must not get in their way. */
const EXCLUDED: ReadonlySet<string> = new Set([
  'authentication.k8s.io/selfsubjectreviews',
  'authentication.k8s.io/tokenreviews',
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
  'authorization.k8s.io/subjectaccessreviews',
]);

/** All policies of one type that have bindings, in the order of their names; a change is in force at once. */
export class Policies<P extends PolicyObject, B extends BindingObject> {
  readonly #load: () => readonly BoundPolicy<P, B>[];
  readonly #index: RequestIndex<BoundPolicy<P, B>>;
  #bound: readonly BoundPolicy<P, B>[] | undefined;

  private constructor(load: () => readonly BoundPolicy<P, B>[], versions: () => Versions) {
    this.#load = load;
    this.#index = new RequestIndex(
      (operation, definition, subresource) => {
        const { group, resource } = definition.type;
        if (isConfiguration(definition.type) || EXCLUDED.has(`${group}/${resource}`)) return [];
        return this.#all().filter(({ policy }) =>
          mayMatch(policy.spec?.matchConstraints, versions(), operation, definition, subresource),
        );
      },
      () => versions().generation,
    );
  }

  static watch<P extends PolicyObject, B extends BindingObject>(
    reader: ObjectReader,
    types: { readonly policies: ResourceType; readonly bindings: ResourceType },
    versions: () => Versions,
  ): Policies<P, B> {
    const load = (): BoundPolicy<P, B>[] =>
      bind(
        reader.list(types.policies) as unknown as Iterable<P>,
        reader.list(types.bindings) as unknown as Iterable<B>,
      );
    const policies = new Policies<P, B>(load, versions);
    const reset = (): void => {
      policies.#bound = undefined;
      policies.#index.reset();
    };
    reader.onChange(types.policies, reset);
    reader.onChange(types.bindings, reset);
    return policies;
  }

  /** Those that may be about a request; names, labels and conditions have not been looked at. */
  matching(operation: Operation, definition: ResourceDefinition, subresource: string): readonly BoundPolicy<P, B>[] {
    const all = this.#all();
    return all.length === 0 ? all : this.#index.get(operation, definition, subresource);
  }

  #all(): readonly BoundPolicy<P, B>[] {
    this.#bound ??= this.#load();
    return this.#bound;
  }
}

function bind<P extends PolicyObject, B extends BindingObject>(
  policies: Iterable<P>,
  bindings: Iterable<B>,
): BoundPolicy<P, B>[] {
  const byPolicy = new Map<string, B[]>();
  for (const binding of sorted(bindings)) {
    const name = binding.spec?.policyName ?? '';
    const known = byPolicy.get(name);
    if (known === undefined) byPolicy.set(name, [binding]);
    else known.push(binding);
  }
  return sorted(policies).flatMap((policy) => {
    const bound = byPolicy.get(policy.metadata.name);
    return bound === undefined ? [] : [{ policy, bindings: bound }];
  });
}

function sorted<T extends { readonly metadata: { readonly name: string } }>(objects: Iterable<T>): T[] {
  return [...objects].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}
