import type { ResourceDefinition } from '../../../api/definition.ts';
import { isStatusError } from '../../../api/errors.ts';
import type { Namespace } from '../../../api/generated/types.ts';
import type { DeepReadonly } from '../../../base/json.ts';
import type { AdmissionAttributes, Authorizer, ObjectReader } from '../../contract.ts';
import type { Definitions } from '../../definitions.ts';
import type { MatchConditionMetrics } from '../expressions/match-condition-metrics.ts';
import { namespaceOf, requireNamespace } from '../matching/selectors.ts';
import type { Versions } from '../matching/versions.ts';
import { matchRequest } from './match-resources.ts';
import { ConfigurationError, collectParams, type Param, paramDefinition } from './params.ts';
import type { BindingObject, BoundPolicy, PolicyObject } from './policies.ts';

export interface PolicyDeps {
  readonly conditionMetrics: MatchConditionMetrics;
  readonly reader: ObjectReader;
  readonly authorizer: Authorizer;
  readonly versions: Versions;
  readonly definitions: Definitions;
}

/** One evaluation: a policy as a binding has it, with one parameter. */
export interface Invocation<P, B> {
  readonly policy: P;
  readonly binding: B;
  /** The version that the policy wants the objects in. */
  readonly definition: ResourceDefinition;
  readonly param: Param | undefined;
}

/** A policy, or one of its bindings, that cannot be used for a request. */
export interface PolicyProblem<P, B> {
  readonly policy: P;
  readonly binding: B | undefined;
  readonly message: string;
}

export interface Plan<P, B> {
  readonly invocations: readonly Invocation<P, B>[];
  /** Of policies whose failure policy is Fail. */
  readonly problems: readonly PolicyProblem<P, B>[];
}

/** What has to be evaluated for a request, in order. */
export async function planPolicies<P extends PolicyObject, B extends BindingObject>(
  candidates: readonly BoundPolicy<P, B>[],
  attributes: AdmissionAttributes,
  deps: PolicyDeps,
): Promise<Plan<P, B>> {
  const invocations: Invocation<P, B>[] = [];
  const problems: PolicyProblem<P, B>[] = [];
  const namespace = namespaceOf(attributes);
  for (const { policy, bindings } of candidates) {
    const report = (error: unknown, binding?: B): void => {
      if (!(error instanceof ConfigurationError) && !isStatusError(error)) throw error;
      if (policy.spec?.failurePolicy === 'Ignore') return;
      const what = binding === undefined ? 'policy' : 'binding';
      problems.push({ policy, binding, message: `failed to configure ${what}: ${error.message}` });
    };
    try {
      const definition = matchRequest(policy.spec?.matchConstraints, attributes, deps);
      if (definition === undefined) continue;
      const { paramKind } = policy.spec ?? {};
      const params = paramKind === undefined ? undefined : paramDefinition(paramKind, deps.definitions);
      for (const binding of bindings) {
        try {
          if (matchRequest(binding.spec?.matchResources, attributes, deps) === undefined) continue;
          for (const param of await collectParams(params, binding.spec?.paramRef, namespace, deps))
            invocations.push({ policy, binding, definition, param });
        } catch (error) {
          report(error, binding);
        }
      }
    } catch (error) {
      report(error);
    }
  }
  return { invocations, problems };
}

/** What expressions see as `namespaceObject`. Throws NotFound. */
export function namespaceObject(
  attributes: AdmissionAttributes,
  reader: ObjectReader,
): DeepReadonly<Namespace> | undefined {
  const { namespace } = attributes;
  return namespace === '' ? undefined : requireNamespace(reader, namespace);
}
