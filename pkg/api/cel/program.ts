import type { DeclType } from './decl-type.ts';
import { CELError, CostExceeded, Failure } from './failure.ts';
import { toValue } from './json-values.ts';
import type { Frame } from './runtime.ts';
import type { Step } from './step.ts';
import type { CelType } from './types.ts';
import type { Value } from './values.ts';

/** The values of variables by name: JSON data or values. */
export type Activation = ReadonlyMap<string, unknown>;

export interface EvaluateOptions {
  /** The evaluation ends with a CELError `cost` when it has spent more. */
  readonly costLimit?: number;
}

export interface Evaluation {
  readonly value: Value;
  readonly cost: number;
}

/** A compiled expression. It keeps nothing between evaluations. */
export class Program {
  readonly type: CelType;
  readonly #step: Step;
  readonly #slotCount: number;
  readonly #variables: readonly { readonly name: string; readonly decl: DeclType | undefined }[];

  constructor(
    step: Step,
    type: CelType,
    slotCount: number,
    variables: readonly { readonly name: string; readonly decl: DeclType | undefined }[],
  ) {
    this.#step = step;
    this.type = type;
    this.#slotCount = slotCount;
    this.#variables = variables;
  }

  /** Throws a CELError. */
  evaluate(activation: Activation, options: EvaluateOptions = {}): Evaluation {
    const variables: (Value | undefined)[] = new Array(this.#variables.length).fill(undefined);
    const frame: Frame = {
      slots: new Array(this.#slotCount).fill(null),
      variables,
      read: (index) => {
        const value = this.#read(activation, index);
        variables[index] = value;
        return value;
      },
      limit: options.costLimit ?? Number.POSITIVE_INFINITY,
      cost: 0,
    };
    try {
      return { value: this.#step.run(frame), cost: frame.cost };
    } catch (failure) {
      if (failure instanceof Failure) throw new CELError('runtime', failure.message, frame.cost);
      if (failure instanceof CostExceeded) throw new CELError('cost', failure.message, frame.cost);
      // A text longer than the engine can hold, or recursion deeper than its stack.
      if (failure instanceof RangeError) throw new CELError('cost', failure.message, frame.cost);
      throw failure;
    }
  }

  #read(activation: Activation, index: number): Value {
    const variable = this.#variables[index];
    const data = variable === undefined ? undefined : activation.get(variable.name);
    if (data === undefined) throw new Failure(`no such attribute(s): ${variable?.name}`);
    return toValue(data, variable?.decl);
  }
}
