import { CELError, Failure, MapValue, PER_CALL_LIMIT, type Value } from '../cel/index.ts';
import type { Expression } from './expression.ts';

/** The budget of a request is spent: nothing more is evaluated. */
export class BudgetError extends Error {
  override readonly name = 'BudgetError';

  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run');
  }
}

export type Result = { readonly value: Value } | { readonly problem: string };

/** Evaluates expressions over one request within a budget. Variables are worked out when one first asks for them. */
export class Evaluator {
  readonly #activation: ReadonlyMap<string, unknown>;
  /** What is left to spend. */
  remaining: number;

  constructor(
    values: ReadonlyMap<string, unknown>,
    budget: number,
    variables: ReadonlyMap<string, Expression> = new Map(),
  ) {
    this.remaining = budget;
    const activation = new Map(values);
    activation.set('variables', new LazyVariables(variables, (expression) => this.#run(expression)));
    this.#activation = activation;
  }

  /** Throws BudgetError. */
  evaluate(expression: Expression): Result {
    const { text, program, problem } = expression;
    if (program === undefined) return { problem: `compilation error: ${problem ?? ''}` };
    try {
      return { value: this.#run(expression) };
    } catch (error) {
      if (!(error instanceof CELError)) throw error;
      return { problem: `expression '${text}' resulted in error: ${error.message}` };
    }
  }

  #run({ program }: Expression): Value {
    if (program === undefined) return null;
    try {
      const { value, cost } = program.evaluate(this.#activation, { costLimit: PER_CALL_LIMIT });
      this.#spend(cost);
      return value;
    } catch (error) {
      if (error instanceof CELError) this.#spend(error.cost);
      throw error;
    }
  }

  #spend(cost: number): void {
    this.remaining -= cost;
    if (this.remaining < 0) throw new BudgetError();
  }
}

/** The variables of a policy, `variables.name` in expressions: evaluated once each, if at all. */
class LazyVariables extends MapValue {
  readonly #expressions: ReadonlyMap<string, Expression>;
  readonly #run: (expression: Expression) => Value;
  readonly #known = new Map<string, { readonly value: Value } | { readonly failure: string }>();

  constructor(expressions: ReadonlyMap<string, Expression>, run: (expression: Expression) => Value) {
    super();
    this.#expressions = expressions;
    this.#run = run;
  }

  get size(): number {
    return this.#expressions.size;
  }

  has(name: string | boolean | bigint): boolean {
    return this.#expressions.has(String(name));
  }

  *keys(): Iterable<Value> {
    yield* this.#expressions.keys();
  }

  get(key: string | boolean | bigint): Value | undefined {
    const name = String(key);
    const expression = this.#expressions.get(name);
    if (expression === undefined) return undefined;
    let known = this.#known.get(name);
    if (known === undefined) {
      known = this.#evaluate(name, expression);
      this.#known.set(name, known);
    }
    if ('failure' in known) throw new Failure(known.failure);
    return known.value;
  }

  #evaluate(name: string, expression: Expression): { readonly value: Value } | { readonly failure: string } {
    const about = `composited variable ${JSON.stringify(name)} fails to`;
    if (expression.program === undefined) return { failure: `${about} compile: ${expression.problem ?? ''}` };
    try {
      return { value: this.#run(expression) };
    } catch (error) {
      if (!(error instanceof CELError)) throw error;
      return { failure: `${about} evaluate: ${error.message}` };
    }
  }
}
