/**
 * Expressions of admission webhooks and policies: the names that they may use, what they compile to, and how they are evaluated
 * over a request within a budget. It knows nothing of how requests arrive (pkg/apiserver/admission). Loaded when the first
 * expression is. Corresponds to upstream's k8s.io/apiserver/pkg/admission/plugin/cel.
 */
export { BudgetError, Evaluator, type Result } from './evaluator.ts';
export { compileExpression, type Expression } from './expression.ts';
export { AdmissionExpressions } from './expressions.ts';
export { type ConditionsResult, compileConditions, evaluateConditions, matchesConditions } from './match-conditions.ts';
export {
  type CompiledMutatingPolicy,
  compileMutatingPolicy,
  evaluateMutation,
  type MutationResult,
} from './mutating-policy.ts';
export { type ServedKinds, typeCheckPolicy } from './type-check.ts';
export {
  type CompiledValidatingPolicy,
  compileValidatingPolicy,
  type Judgement,
  judge,
  unjudged,
  type Violation,
} from './validating-policy.ts';
export { admissionVariables, type VariableChoice } from './variables.ts';
