import type { DeepReadonly } from '../../base/json.ts';
import { celTypes, RUNTIME_BUDGET } from '../cel/index.ts';
import { typeName } from '../cel/types.ts';
import type { ValidatingAdmissionPolicy, Validation } from '../generated/types.ts';
import { BudgetError, Evaluator, type Result } from './evaluator.ts';
import { compileExpression, type Expression } from './expression.ts';
import type { AdmissionExpressions } from './expressions.ts';
import { compileConditions } from './match-conditions.ts';
import { compileVariables } from './policy-variables.ts';

export interface CompiledValidatingPolicy {
  readonly failurePolicy: string | undefined;
  readonly conditions: readonly Expression[];
  readonly variables: ReadonlyMap<string, Expression>;
  readonly validations: readonly CompiledValidation[];
  readonly auditAnnotations: readonly { readonly key: string; readonly value: Expression }[];
}

interface CompiledValidation {
  readonly validation: DeepReadonly<Validation>;
  readonly expression: Expression;
  readonly message: Expression | undefined;
}

/** Why a request is not as a policy wants it. */
export interface Violation {
  /** The place of the validation in the policy. */
  readonly index: number;
  readonly message: string;
  /** A StatusReason; '' where the validation could not be evaluated. */
  readonly reason: string;
  readonly isError: boolean;
}

export interface Judgement {
  readonly violations: readonly Violation[];
  /** What could not be evaluated and does not matter, since the failure policy is Ignore. */
  readonly ignored: readonly string[];
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
  /** Audit annotations that could not be made, when the failure policy is Fail. */
  readonly annotationProblems: readonly string[];
}

const MAX_MESSAGE_BYTES = 5 * 1024;
/** About ten milliseconds. */
const TURN_COST = 50_000;
const NOTHING: Judgement = { violations: [], ignored: [], annotations: [], annotationProblems: [] };

export function compileValidatingPolicy(
  expressions: AdmissionExpressions,
  { spec }: DeepReadonly<ValidatingAdmissionPolicy>,
): CompiledValidatingPolicy {
  const params = spec?.paramKind !== undefined;
  const full = expressions.environment({ params, authorizer: true });
  const variables = compileVariables(full, spec?.variables);
  const environment = variables.extend(full);
  const forMessages = variables.extend(expressions.environment({ params, authorizer: false }));
  return {
    failurePolicy: spec?.failurePolicy,
    conditions: compileConditions(environment, spec?.matchConditions),
    variables: variables.expressions,
    validations: (spec?.validations ?? []).map((validation) => ({
      validation,
      expression: compileExpression(environment, validation.expression, [celTypes.BOOL]),
      message: validation.messageExpression
        ? compileExpression(forMessages, validation.messageExpression, [celTypes.STRING])
        : undefined,
    })),
    auditAnnotations: (spec?.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      value: compileExpression(environment, valueExpression, [celTypes.STRING, celTypes.NULL]),
    })),
  };
}

/** What comes of a policy that cannot be evaluated. */
export function unjudged({ failurePolicy }: CompiledValidatingPolicy, message: string): Judgement {
  return failurePolicy === 'Ignore'
    ? { ...NOTHING, ignored: [message] }
    : { ...NOTHING, violations: [problem(0, message)] };
}

/**
 * Evaluates a policy whose match conditions hold over one request and one parameter (upstream's validator). Between expressions it yields when they have
 * cost so much that others should have their turn.
 */
export function* judge(
  policy: CompiledValidatingPolicy,
  values: ReadonlyMap<string, unknown>,
): Generator<undefined, Judgement> {
  const { variables, failurePolicy } = policy;
  const evaluator = (budget: number): Evaluator => new Evaluator(values, budget, variables);
  const fails = failurePolicy !== 'Ignore';
  try {
    const found = yield* violationsOf(policy, evaluator, fails);
    return { ...found, ...annotationsOf(policy, evaluator, fails) };
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error;
    return unjudged(policy, error.message);
  }
}

function* violationsOf(
  { validations }: CompiledValidatingPolicy,
  evaluator: (budget: number) => Evaluator,
  fails: boolean,
): Generator<undefined, Pick<Judgement, 'violations' | 'ignored'>> {
  const checks = evaluator(RUNTIME_BUDGET);
  const results: Result[] = [];
  let yieldedAt = checks.remaining;
  for (const { expression } of validations) {
    results.push(checks.evaluate(expression));
    if (yieldedAt - checks.remaining < TURN_COST) continue;
    yieldedAt = checks.remaining;
    yield;
  }
  // Messages are evaluated for all validations, from what the checks have left.
  const messages = evaluator(checks.remaining);
  const texts = validations.map(({ message }) => (message === undefined ? undefined : messages.evaluate(message)));
  const violations: Violation[] = [];
  const ignored: string[] = [];
  for (const [index, { validation }] of validations.entries()) {
    const result = results[index];
    if (result === undefined) continue;
    if ('problem' in result) {
      if (fails) violations.push(problem(index, result.problem));
      else ignored.push(result.problem);
    } else if (result.value !== true) {
      const message = messageOf(validation, texts[index]);
      violations.push({ index, message, reason: validation.reason ?? 'Invalid', isError: false });
    }
  }
  return { violations, ignored };
}

function problem(index: number, message: string): Violation {
  return { index, message, reason: '', isError: true };
}

/** Its messageExpression, if that gives one line of text; else its message; else the expression itself. */
function messageOf({ message, expression }: DeepReadonly<Validation>, evaluated: Result | undefined): string {
  if (evaluated !== undefined && 'value' in evaluated && typeof evaluated.value === 'string') {
    const text = evaluated.value.trim();
    if (text !== '' && Buffer.byteLength(text) <= MAX_MESSAGE_BYTES && !text.includes('\n')) return text;
  }
  return message ? message.trim() : `failed expression: ${expression.trim()}`;
}

function annotationsOf(
  { auditAnnotations }: CompiledValidatingPolicy,
  evaluator: (budget: number) => Evaluator,
  fails: boolean,
): Pick<Judgement, 'annotations' | 'annotationProblems'> {
  const annotations: { key: string; value: string }[] = [];
  const annotationProblems: string[] = [];
  const evaluate = evaluator(RUNTIME_BUDGET);
  for (const { key, value } of auditAnnotations) {
    const result = evaluate.evaluate(value);
    if ('problem' in result) {
      if (fails) annotationProblems.push(result.problem);
    } else if (typeof result.value === 'string') {
      const text = result.value.trim();
      if (text !== '') annotations.push({ key, value: text });
    } else if (result.value !== null && fails) {
      const type = typeName(value.program?.type ?? celTypes.DYN);
      annotationProblems.push(
        `valueExpression '${value.text}' resulted in unsupported return type: ${type}. Return type must be either string or null.`,
      );
    }
  }
  return { annotations, annotationProblems };
}
