/** Upstream's limit for the evaluation of one expression. */
export const PER_CALL_LIMIT = 1_000_000;
/** What all rules of one custom resource, or one admission policy, may spend in a request. */
export const RUNTIME_BUDGET = 10_000_000;
/** What the match conditions of one webhook or policy may spend in a request. */
export const MATCH_CONDITIONS_BUDGET = RUNTIME_BUDGET / 4;
/** What one rule of a CRD may be estimated to cost. */
export const RULE_ESTIMATE_LIMIT = 10_000_000;
/** What all rules of one version of a CRD may be estimated to cost together. */
export const CRD_ESTIMATE_LIMIT = 100_000_000;
