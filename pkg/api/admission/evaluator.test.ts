import { expect, test } from 'vitest';
import { AdmissionExpressions, BudgetError, compileExpression, Evaluator, evaluateConditions } from './index.ts';

const expressions = await AdmissionExpressions.load();
const environment = expressions.environment({ params: false, authorizer: false });
const values = new Map<string, unknown>([['object', { a: 1 }]]);
const dear = compileExpression(environment, '[1, 2, 3, 4].all(x, object.a == 1)');

test('a budget is for all expressions together', () => {
  const rich = new Evaluator(values, 1000);
  expect(rich.evaluate(dear)).toEqual({ value: true });
  const cost = 1000 - rich.remaining;
  expect(cost).toBeGreaterThan(10);
  const poor = new Evaluator(values, 2 * cost - 1);
  expect(poor.evaluate(dear)).toEqual({ value: true });
  expect(() => poor.evaluate(dear)).toThrow(BudgetError);
});

test('variables are paid for once, by the first that asks', () => {
  const variables = new Map([['v', compileExpression(environment, 'object.a + 1')]]);
  const evaluator = new Evaluator(values, 100, variables);
  const dynamic = environment.extend(new Map([['variables', { type: { kind: 'dyn', name: 'dyn', params: [] } }]]));
  const asking = compileExpression(dynamic, 'variables.v == 2');
  expect(evaluator.evaluate(asking)).toEqual({ value: true });
  const first = 100 - evaluator.remaining;
  expect(evaluator.evaluate(asking)).toEqual({ value: true });
  expect(100 - evaluator.remaining).toBeLessThan(2 * first);
});

const yes = compileExpression(environment, 'object.a == 1');
const no = compileExpression(environment, 'object.a == 2');
const broken = compileExpression(environment, 'object.b == 1');

test.each([
  [[yes, yes], 'Fail', { matches: true }],
  [[yes, no], 'Fail', { matches: false }],
  [[broken, no], 'Fail', { matches: false }],
  [[yes, broken], 'Ignore', { matches: false, failed: true }],
  [[yes, broken], 'Fail', { error: "expression 'object.b == 1' resulted in error: no such key: b" }],
])('conditions %#', (conditions, failurePolicy, result) => {
  expect(evaluateConditions(conditions, new Evaluator(values, 100), failurePolicy)).toEqual(result);
});

test('conditions that cost too much are an error, unless failures are ignored', () => {
  const error = 'validation failed due to running out of cost budget, no further validation rules will be run';
  expect(evaluateConditions([dear], new Evaluator(values, 5), 'Fail')).toEqual({ error });
  expect(evaluateConditions([dear], new Evaluator(values, 5), 'Ignore')).toEqual({ matches: false, failed: true });
});
