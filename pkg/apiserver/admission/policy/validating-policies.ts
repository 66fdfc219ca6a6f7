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
import { policyErrorType, type ValidatingPolicyMetrics } from './policy-metrics.ts';
import { type Invocation, namespaceObject, type PolicyDeps, planPolicies } from './policy-request.ts';

type Policy = DeepReadonly<ValidatingAdmissionPolicy>;
type Binding = DeepReadonly<ValidatingAdmissionPolicyBinding>;

export interface ValidatingPoliciesDeps extends PolicyDeps {
  readonly clock: Clock;
  readonly validatingMetrics: ValidatingPolicyMetrics;
  loadExpressions(): Promise<AdmissionExpressions>;
}

/** A violation that refuses the request. */
interface Denial {
  readonly policy: Policy;
  readonly binding: Binding | undefined;
  readonly message: string;
  readonly reason: string;
}

/** A violation as auditors see it; all of a request are in one annotation. */
interface AuditedFailure {
  readonly message: string;
  readonly policy: string;
  readonly binding: string;
  readonly expressionIndex: number;
  readonly validationActions: readonly string[];
}

const OBSERVED: Readonly<Record<string, 'audit' | 'deny' | 'warn'>> = { Audit: 'audit', Deny: 'deny', Warn: 'warn' };
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
  const { judge, matchesConditions, unjudged } = await import('../../../api/admission/index.ts');
  const { requestValues } = await import('../expressions/request-values.ts');
  const forms = new RequestForms(attributes, deps.versions);
  const authorizer = new AuthorizerHost(deps.authorizer, attributes.user);
  const namespace = namespaceObject(attributes, deps.reader);
  const annotations = new Map<string, string[]>();
  const denials: Denial[] = [];
  const failures: AuditedFailure[] = [];
  for (const invocation of invocations) {
    const { policy, binding, definition, param } = invocation;
    const compiled = await compile(policy);
    const extras = { authorizer, ...(namespace === undefined ? {} : { namespace }), params: param ?? null };
    const values = requestValues(attributes, await forms.in(definition), extras);
    let started = deps.clock.monotonic();
    let error: string | undefined;
    if (compiled.conditions.length > 0) {
      const matched = await authorizer.settle(() => matchesConditions(compiled, values));
      const owner = { name: policy.metadata.name, kind: 'policy', type: 'validate' } as const;
      const tookMs = deps.clock.monotonic() - started;
      deps.conditionMetrics.observe(owner, attributes.operation, matched, tookMs / 1000);
      if ('error' in matched) error = matched.error;
      else if (!matched.matches) continue;
      started = deps.clock.monotonic();
    }
    const judgement =
      error === undefined ? await authorizer.settleInTurns(() => judge(compiled, values)) : unjudged(compiled, error);
    const seconds = (deps.clock.monotonic() - started) / 1000;
    const observe = (action: 'allow' | 'audit' | 'deny' | 'warn', message: string): void =>
      deps.validatingMetrics.observe(
        policy.metadata.name,
        binding.metadata.name,
        action,
        policyErrorType(message),
        seconds,
      );
    for (const message of judgement.ignored) observe('allow', message);
    for (const violation of judgement.violations) {
      denials.push(...act(invocation, violation, attributes, failures));
      for (const action of binding.spec?.validationActions ?? [])
        observe(OBSERVED[action] ?? 'deny', violation.message);
    }
    for (const message of judgement.annotationProblems) {
      denials.push({ policy, binding, message, reason: '' });
      observe('deny', message);
    }
    collect(policy, judgement, annotations);
  }
  for (const [key, values] of annotations) attributes.annotate(key, values.join(', '));
  if (failures.length > 0) attributes.annotate(FAILURE_KEY, JSON.stringify(failures));
  return denials;
}

/** Does what the binding says about a violation. */
function act(
  { policy, binding }: Invocation<Policy, Binding>,
  violation: Violation,
  attributes: AdmissionAttributes,
  failures: AuditedFailure[],
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
      failures.push({ message, ...names, expressionIndex: index, validationActions });
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
