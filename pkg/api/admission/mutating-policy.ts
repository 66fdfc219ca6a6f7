import type { DeepReadonly } from '../../base/json.ts';
import { celTypes, Failure, ListValue, RUNTIME_BUDGET, StructValue, toJSON } from '../cel/index.ts';
import type { MutatingAdmissionPolicy } from '../generated/types.ts';
import { BudgetError, Evaluator } from './evaluator.ts';
import { compileExpression, type Expression } from './expression.ts';
import type { AdmissionExpressions } from './expressions.ts';
import { compileConditions } from './match-conditions.ts';
import { JSON_PATCH_TYPE, misplaced, OBJECT_TYPE, patchOperations } from './patch-types.ts';
import { compileVariables } from './policy-variables.ts';

export interface CompiledMutatingPolicy {
  readonly failurePolicy: string | undefined;
  readonly conditions: readonly Expression[];
  readonly variables: ReadonlyMap<string, Expression>;
  readonly mutations: readonly CompiledMutation[];
}

interface CompiledMutation {
  readonly kind: 'apply' | 'json';
  readonly expression: Expression;
}

/** What a mutation wants done, or why that cannot be told. */
export type MutationResult =
  | { readonly apply: Readonly<Record<string, unknown>> }
  | { readonly json: readonly Readonly<Record<string, unknown>>[] }
  | { readonly problem: string };

export function compileMutatingPolicy(
  expressions: AdmissionExpressions,
  { spec }: DeepReadonly<MutatingAdmissionPolicy>,
): CompiledMutatingPolicy {
  const full = expressions.environment({ params: spec?.paramKind !== undefined, authorizer: true, patches: true });
  const variables = compileVariables(full, spec?.variables);
  const environment = variables.extend(full);
  return {
    failurePolicy: spec?.failurePolicy,
    conditions: compileConditions(environment, spec?.matchConditions),
    variables: variables.expressions,
    mutations: (spec?.mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) =>
      patchType === 'JSONPatch'
        ? {
            kind: 'json',
            expression: compileExpression(environment, jsonPatch?.expression ?? '', [celTypes.listOf(JSON_PATCH_TYPE)]),
          }
        : {
            kind: 'apply',
            expression: compileExpression(environment, applyConfiguration?.expression ?? '', [OBJECT_TYPE]),
          },
    ),
  };
}

/** Evaluates one mutation; each has a budget of its own. */
export function evaluateMutation(
  { kind, expression }: CompiledMutation,
  { variables }: CompiledMutatingPolicy,
  values: ReadonlyMap<string, unknown>,
): MutationResult {
  if (expression.program === undefined) return { problem: expression.problem ?? '' };
  try {
    const result = new Evaluator(values, RUNTIME_BUDGET, variables).evaluate(expression);
    if ('problem' in result) return result;
    return kind === 'apply' ? configuration(result.value) : operations(result.value);
  } catch (error) {
    if (error instanceof BudgetError) return { problem: error.message };
    if (error instanceof Failure) return { problem: error.message };
    throw error;
  }
}

function configuration(value: unknown): MutationResult {
  if (!(value instanceof StructValue)) return { problem: 'unsupported return type from ApplyConfiguration expression' };
  const problem = misplaced(value, OBJECT_TYPE.name);
  if (problem !== undefined) return { problem: `type mismatch: ${problem}` };
  return { apply: toJSON(value) as Record<string, unknown> };
}

function operations(value: unknown): MutationResult {
  if (!(value instanceof ListValue)) {
    return { problem: 'type mismatch: JSONPatchType.expression should evaluate to array' };
  }
  return { json: patchOperations(value) };
}
