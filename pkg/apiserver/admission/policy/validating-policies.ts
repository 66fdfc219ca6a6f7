import type {
  AdmissionExpressions,
  CompiledValidatingPolicy,
  Judgement,
  Violation,
} from '../../../api/admission/index.ts';
import { StatusError, type StatusReason } from '../../../api/errors.ts';
import { resources } from '../../../api/generated/resources.ts';
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../../../api/generated/types.ts';
import type { ResourceType } from '../../../api/object.ts';
import type { Clock } from '../../../base/clock.ts';
import type { DeepReadonly } from '../../../base/json.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../../contract.ts';
import { AuthorizerHost } from '../expressions/authorizer-host.ts';
import { refuse } from '../refuse.ts';
import { RequestForms } from '../webhook/request-forms.ts';
import { Policies } from './policies.ts';
import type { PolicyMetrics } from './policy-metrics.ts';
import { type Invocation, namespaceObject, type PolicyDeps, planPolicies } from './policy-request.ts';

type Policy = DeepReadonly<ValidatingAdmissionPolicy>;
type Binding = DeepReadonly<ValidatingAdmissionPolicyBinding>;

export interface ValidatingPoliciesDeps extends PolicyDeps {
  readonly clock: Clock;
  readonly metrics: PolicyMetrics;
  loadExpressions(): Promise<AdmissionExpressions>;
}

/** A violation that refuses the request. */
interface Denial {
  readonly policy: Policy;
  readonly binding: Binding | undefined;
  readonly message: string;
  readonly reason: string;
}

const FAILURE_KEY = 'validation.policy.admission.k8s.io/validation_failure';
const MAX_ANNOTATION_LENGTH = 10 * 1024;
const REASON_CODES: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  RequestEntityTooLarge: 413,
};

/** Evaluates ValidatingAdmissionPolicies that are bound. */
export function validatingPolicies(deps: ValidatingPoliciesDeps): AdmissionPlugin {
  const types = {
    policies: resources.validatingadmissionpolicies as unknown as ResourceType,
    bindings: resources.validatingadmissionpolicybindings as unknown as ResourceType,
  };
  const policies = Policies.watch<Policy, Binding>(deps.reader, types, () => deps.versions);
  const compiled = new WeakMap<Policy, Promise<CompiledValidatingPolicy>>();
  const compile = (policy: Policy): Promise<CompiledValidatingPolicy> => {
    let known = compiled.get(policy);
    if (known === undefined) {
      known = compilePolicy(policy, deps);
      compiled.set(policy, known);
    }
    return known;
  };
  return {
    name: 'ValidatingAdmissionPolicy',
    handles: (operation, definition, subresource) => policies.matching(operation, definition, subresource).length > 0,
    async validate(attributes) {
      const { operation, definition, subresource } = attributes;
      const candidates = policies.matching(operation, definition, subresource);
      const { invocations, problems } = await planPolicies(candidates, attributes, deps);
      const denials: Denial[] = problems.map((one) => ({ ...one, reason: '' }));
      if (invocations.length > 0) denials.push(...(await evaluate(invocations, attributes, deps, compile)));
      if (denials[0] !== undefined) throw denied(attributes, denials[0]);
    },
  };
}

async function compilePolicy(policy: Policy, deps: ValidatingPoliciesDeps): Promise<CompiledValidatingPolicy> {
  const { compileValidatingPolicy } = await import('../../../api/admission/index.ts');
  return compileValidatingPolicy(await deps.loadExpressions(), policy);
}

async function evaluate(
  invocations: readonly Invocation<Policy, Binding>[],
  attributes: AdmissionAttributes,
  deps: ValidatingPoliciesDeps,
  compile: (policy: Policy) => Promise<CompiledValidatingPolicy>,
): Promise<Denial[]> {
  const { judge } = await import('../../../api/admission/index.ts');
  const { requestValues } = await import('../expressions/request-values.ts');
  const forms = new RequestForms(attributes, deps.versions);
  const authorizer = new AuthorizerHost(deps.authorizer, attributes.user);
  const namespace = namespaceObject(attributes, deps.reader);
  const annotations = new Map<string, string[]>();
  const denials: Denial[] = [];
  for (const invocation of invocations) {
    const { policy, binding, definition, param } = invocation;
    const compiled = await compile(policy);
    const extras = { authorizer, ...(namespace === undefined ? {} : { namespace }), params: param ?? null };
    const values = requestValues(attributes, await forms.in(definition), extras);
    const started = deps.clock.monotonic();
    const judgement = await authorizer.settleInTurns(() => judge(compiled, values));
    deps.metrics.observe(
      policy.metadata.name,
      binding.metadata.name,
      judgement.violations,
      (deps.clock.monotonic() - started) / 1000,
    );
    for (const violation of judgement.violations) denials.push(...act(invocation, violation, attributes));
    for (const message of judgement.annotationProblems) denials.push({ policy, binding, message, reason: '' });
    collect(policy, judgement, annotations);
  }
  for (const [key, values] of annotations) attributes.annotate(key, values.join(', '));
  return denials;
}

/** Does what the binding says about a violation. */
function act(
  { policy, binding }: Invocation<Policy, Binding>,
  violation: Violation,
  attributes: AdmissionAttributes,
): Denial[] {
  const denials: Denial[] = [];
  const { message, reason, index } = violation;
  const names = { policy: policy.metadata.name, binding: binding.metadata.name };
  for (const action of binding.spec?.validationActions ?? []) {
    if (action === 'Deny') denials.push({ policy, binding, message, reason });
    if (action === 'Warn') {
      const about = `ValidatingAdmissionPolicy '${names.policy}' with binding '${names.binding}'`;
      attributes.warn(`Validation failed for ${about}: ${message}`);
    }
    if (action === 'Audit') {
      const validationActions = binding.spec?.validationActions ?? [];
      const failure = { message, ...names, expressionIndex: index, validationActions };
      attributes.annotate(FAILURE_KEY, JSON.stringify([failure]));
    }
  }
  return denials;
}

/** Several bindings or parameters may give one annotation; each of its values is there once. */
function collect(policy: Policy, { annotations }: Judgement, into: Map<string, string[]>): void {
  for (const { key, value } of annotations) {
    const name = `${policy.metadata.name}/${key}`;
    const cut = value.slice(0, MAX_ANNOTATION_LENGTH);
    const known = into.get(name);
    if (known === undefined) into.set(name, [cut]);
    else if (!known.includes(cut)) known.push(cut);
  }
}

function denied(attributes: AdmissionAttributes, { policy, binding, message, reason }: Denial): StatusError {
  const by = binding === undefined ? '' : ` with binding '${binding.metadata.name}'`;
  const text = `ValidatingAdmissionPolicy '${policy.metadata.name}'${by} denied request: ${message}`;
  const { status } = refuse(attributes, text);
  const given = reason === '' ? 'Invalid' : reason;
  return new StatusError({
    ...status,
    reason: given as StatusReason,
    code: REASON_CODES[given] ?? 422,
    details: { ...status.details, causes: [...(status.details?.causes ?? []), { message: text }] },
  });
}
