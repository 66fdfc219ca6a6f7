/**
 * The admission plugins of policies: which ones a request concerns, with what parameters, and what their judgement does to it.
 * Their expressions are pkg/api/admission. Corresponds to upstream's k8s.io/apiserver/pkg/admission/plugin/policy.
 */
export { mutatingPolicies } from './mutating-policies.ts';
export { PolicyMetrics } from './policy-metrics.ts';
export { type ValidatingPoliciesDeps, validatingPolicies } from './validating-policies.ts';
