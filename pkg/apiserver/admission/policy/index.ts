/**
 * The admission plugins of policies: which ones a request concerns, with what parameters, and what their judgement does to it.
 * Their expressions are pkg/api/admission. Corresponds to upstream's k8s.io/apiserver/pkg/admission/plugin/policy.
 */
export { type MutatingPoliciesDeps, mutatingPolicies } from './mutating-policies.ts';
export { MutatingPolicyMetrics, ValidatingPolicyMetrics } from './policy-metrics.ts';
export { type ValidatingPoliciesDeps, validatingPolicies } from './validating-policies.ts';
