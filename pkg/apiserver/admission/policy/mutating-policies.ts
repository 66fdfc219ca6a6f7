import type { AdmissionExpressions, CompiledMutatingPolicy, MutationResult } from '../../../api/admission/index.ts';
import { MergeError, mergeUnowned } from '../../../api/apply/index.ts';
import type { ResourceDefinition } from '../../../api/definition.ts';
import { internalError, isStatusError, StatusError, type StatusReason } from '../../../api/errors.ts';
import { resources } from '../../../api/generated/resources.ts';
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from '../../../api/generated/types.ts';
import type { DeepReadonly, KubeObject, ResourceType } from '../../../api/object.ts';
import { applyJSONPatch, PatchTestFailed } from '../../../api/patch/index.ts';
import { builtinPackage, builtinSchema } from '../../../api/schema/builtin.ts';
import type { Schema } from '../../../api/schema.ts';
import type { Clock } from '../../../base/clock.ts';
import { equalJSON } from '../../../base/json.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../../contract.ts';
import { AuthorizerHost } from '../expressions/authorizer-host.ts';
import { kindOf } from '../matching/versions.ts';
import { refuse } from '../refuse.ts';
import { ReinvocationState } from '../webhook/reinvocation.ts';
import { RequestForms } from '../webhook/request-forms.ts';
import { Policies } from './policies.ts';
import { type MutatingPolicyMetrics, policyErrorType } from './policy-metrics.ts';
import {
  type Invocation,
  namespaceObject,
  type PolicyDeps,
  type PolicyProblem,
  planPolicies,
} from './policy-request.ts';

type Policy = DeepReadonly<MutatingAdmissionPolicy>;
type Binding = DeepReadonly<MutatingAdmissionPolicyBinding>;
type Problem = PolicyProblem<Policy, Binding> & { readonly reason?: StatusReason };

export interface MutatingPoliciesDeps extends PolicyDeps {
  readonly clock: Clock;
  readonly mutatingMetrics: MutatingPolicyMetrics;
  loadExpressions(): Promise<AdmissionExpressions>;
}

const NAME = 'MutatingAdmissionPolicy';

/** Evaluates MutatingAdmissionPolicies that are bound, one after the other, and changes the object as they say. */
export function mutatingPolicies(deps: MutatingPoliciesDeps): AdmissionPlugin {
  const types = {
    policies: resources.mutatingadmissionpolicies as unknown as ResourceType,
    bindings: resources.mutatingadmissionpolicybindings as unknown as ResourceType,
  };
  const policies = Policies.watch<Policy, Binding>(deps.reader, types, () => deps.versions);
  const compiled = new WeakMap<Policy, Promise<CompiledMutatingPolicy>>();
  const compile = (policy: Policy): Promise<CompiledMutatingPolicy> => {
    let known = compiled.get(policy);
    if (known === undefined) {
      known = compilePolicy(policy, deps);
      compiled.set(policy, known);
    }
    return known;
  };
  return {
    name: NAME,
    handles: (operation, definition, subresource) => policies.matching(operation, definition, subresource).length > 0,
    async admit(attributes) {
      const { operation, definition, subresource } = attributes;
      const candidates = policies.matching(operation, definition, subresource);
      const plan = await planPolicies(candidates, attributes, deps);
      const problems: Problem[] = [...plan.problems];
      if (plan.invocations.length > 0) {
        problems.push(...(await new Mutations(attributes, deps, compile).run(plan.invocations)));
      }
      const refusal = refusalFor(attributes, problems);
      if (refusal !== undefined) throw refusal;
    },
  };
}

async function compilePolicy(policy: Policy, deps: MutatingPoliciesDeps): Promise<CompiledMutatingPolicy> {
  const { compileMutatingPolicy } = await import('../../../api/admission/index.ts');
  return compileMutatingPolicy(await deps.loadExpressions(), policy);
}

/** The mutations of one request in one round. */
class Mutations {
  readonly #attributes: AdmissionAttributes;
  readonly #deps: MutatingPoliciesDeps;
  readonly #compile: (policy: Policy) => Promise<CompiledMutatingPolicy>;
  readonly #forms: RequestForms;
  readonly #authorizer: AuthorizerHost;
  readonly #state: ReinvocationState;

  constructor(
    attributes: AdmissionAttributes,
    deps: MutatingPoliciesDeps,
    compile: (policy: Policy) => Promise<CompiledMutatingPolicy>,
  ) {
    this.#attributes = attributes;
    this.#deps = deps;
    this.#compile = compile;
    this.#forms = new RequestForms(attributes, deps.versions);
    this.#authorizer = new AuthorizerHost(deps.authorizer, attributes.user);
    this.#state = ReinvocationState.of(NAME, attributes);
  }

  /** What is wrong with policies whose failure policy is Fail. */
  async run(invocations: readonly Invocation<Policy, Binding>[]): Promise<Problem[]> {
    const problems: Problem[] = [];
    for (const invocation of invocations) problems.push(...(await this.#invoke(invocation)));
    this.#state.end(this.#attributes);
    return problems;
  }

  async #invoke(invocation: Invocation<Policy, Binding>): Promise<Problem[]> {
    const { evaluateMutation, matchesConditions } = await import('../../../api/admission/index.ts');
    const { policy, binding, definition, param } = invocation;
    const compiled = await this.#compile(policy);
    const problems: Problem[] = [];
    const report = (message: string): void => {
      if (policy.spec?.failurePolicy !== 'Ignore') problems.push({ policy, binding, message, reason: 'Invalid' });
    };
    const values = await this.#values(invocation);
    const { clock, conditionMetrics, mutatingMetrics } = this.#deps;
    if (compiled.conditions.length > 0) {
      const began = clock.monotonic();
      const matched = await this.#authorizer.settle(() => matchesConditions(compiled, values));
      const owner = { name: policy.metadata.name, kind: 'policy', type: 'admit' } as const;
      conditionMetrics.observe(owner, this.#attributes.operation, matched, (clock.monotonic() - began) / 1000);
      if ('error' in matched) report(matched.error);
      if (!('matches' in matched) || !matched.matches) return problems;
    }
    const id = [policy, binding, param].map((one) => `${one?.metadata.namespace ?? ''}/${one?.metadata.name ?? ''}`);
    const key = id.join(' ');
    const { isSecondRound } = this.#attributes.reinvocation;
    if (isSecondRound && !this.#state.mustAskAgain(key)) return problems;
    for (const mutation of compiled.mutations) {
      if (this.#attributes.object === undefined) break;
      const current = await this.#values(invocation);
      const started = clock.monotonic();
      const result = await this.#authorizer.settle(() => evaluateMutation(mutation, compiled, current));
      const problem = await this.#apply(result, definition);
      const errorType = problem === undefined ? 'no_error' : policyErrorType(problem);
      const seconds = (clock.monotonic() - started) / 1000;
      mutatingMetrics.observe(policy.metadata.name, binding.metadata.name, errorType, seconds);
      if (problem !== undefined) report(problem);
    }
    if (policy.spec?.reinvocationPolicy === 'IfNeeded') this.#state.asked(key);
    return problems;
  }

  async #values({ definition, param }: Invocation<Policy, Binding>): Promise<ReadonlyMap<string, unknown>> {
    const { requestValues } = await import('../expressions/request-values.ts');
    const namespace = namespaceObject(this.#attributes, this.#deps.reader);
    return requestValues(this.#attributes, await this.#forms.in(definition), {
      authorizer: this.#authorizer,
      params: param ?? null,
      ...(namespace === undefined ? {} : { namespace }),
    });
  }

  /** Changes the object; the text of a problem when that is not possible. Throws InternalError for what does not decode. */
  async #apply(result: MutationResult, definition: ResourceDefinition): Promise<string | undefined> {
    if ('problem' in result) return result.problem;
    const { subresource } = this.#attributes;
    const { object } = await this.#forms.in(definition);
    if (object === undefined) return undefined;
    let patched: unknown;
    try {
      patched =
        'apply' in result
          ? mergeUnowned(schemaOf(definition, subresource), object, { ...headOf(object), ...result.apply })
          : applyJSONPatch(object, result.json);
    } catch (error) {
      if (error instanceof MergeError) return `error applying patch: ${error.message}`;
      if (!isStatusError(error)) throw error;
      return patchProblem(error);
    }
    const { versions } = this.#deps;
    let decoded: KubeObject;
    try {
      decoded = await versions.decode(patched ?? object, definition, subresource);
    } catch (error) {
      throw internalError(error);
    }
    if (equalJSON(decoded, object)) return undefined;
    this.#attributes.replace(await versions.convert(decoded, definition, this.#attributes.definition, subresource));
    this.#forms.reset();
    this.#state.changed(this.#attributes);
    return undefined;
  }
}

function headOf({ apiVersion, kind }: DeepReadonly<KubeObject>): Record<string, unknown> {
  return { apiVersion, kind };
}

function schemaOf(definition: ResourceDefinition, subresource: string): Schema {
  const { group, version, kind } = kindOf(definition, subresource);
  return kind === definition.type.kind ? definition.schema : builtinSchema(`${builtinPackage(group, version)}.${kind}`);
}

/** A patch whose test fails is not applied, and that is no problem. */
function patchProblem({ cause, message }: StatusError): string | undefined {
  if (cause instanceof PatchTestFailed) return undefined;
  return `JSONPath: ${cause instanceof Error ? cause.message : message}`;
}

function refusalFor(attributes: AdmissionAttributes, problems: readonly Problem[]): StatusError | undefined {
  const [first] = problems;
  if (first === undefined) return undefined;
  const texts = problems.map(({ policy, binding, message }) =>
    binding === undefined
      ? `policy ${JSON.stringify(policy.metadata.name)} denied request: ${message}`
      : `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${message}`,
  );
  const { status } = refuse(attributes, '');
  return new StatusError({
    ...status,
    message: texts[0] ?? '',
    ...(first.reason === undefined ? {} : { reason: first.reason }),
    details: { ...status.details, causes: texts.map((message) => ({ message })) },
  });
}
