import type { DeepReadonly } from '../../base/json.ts';
import { celTypes, type Environment } from '../cel/index.ts';
import { MATCH_CONDITIONS_BUDGET } from '../cel/limits.ts';
import type { MatchCondition } from '../generated/types.ts';
import { BudgetError, Evaluator } from './evaluator.ts';
import { compileExpression, type Expression } from './expression.ts';

/** Whether all conditions hold; `error`: it cannot be told, and the request must not go on. */
export type ConditionsResult =
  /** `failed`: they could not be evaluated, which the failure policy ignores. */
  { readonly matches: boolean; readonly failed?: true } | { readonly error: string };

export function compileConditions(
  environment: Environment,
  conditions: DeepReadonly<MatchCondition[]> | undefined,
): readonly Expression[] {
  return (conditions ?? []).map(({ expression }) => compileExpression(environment, expression, [celTypes.BOOL]));
}

/** Evaluates the conditions of a policy; they have a budget of their own. */
export function matchesConditions(
  {
    conditions,
    variables,
    failurePolicy,
  }: {
    readonly conditions: readonly Expression[];
    readonly variables: ReadonlyMap<string, Expression>;
    readonly failurePolicy: string | undefined;
  },
  values: ReadonlyMap<string, unknown>,
): ConditionsResult {
  return evaluateConditions(conditions, new Evaluator(values, MATCH_CONDITIONS_BUDGET, variables), failurePolicy);
}

/** One condition that is false decides, whatever is wrong with the others; else the failure policy does (upstream's matcher). */
export function evaluateConditions(
  conditions: readonly Expression[],
  evaluator: Evaluator,
  failurePolicy: string | undefined,
): ConditionsResult {
  const failed = (error: string): ConditionsResult =>
    failurePolicy === 'Ignore' ? { matches: false, failed: true } : { error };
  const problems: string[] = [];
  let matches = true;
  try {
    for (const condition of conditions) {
      const result = evaluator.evaluate(condition);
      if ('problem' in result) problems.push(result.problem);
      else if (result.value !== true) matches = false;
    }
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error;
    return failed(error.message);
  }
  if (!matches) return { matches: false };
  if (problems.length === 0) return { matches: true };
  return failed(problems.length === 1 ? (problems[0] ?? '') : `[${[...new Set(problems)].join(', ')}]`);
}
