import type { Expr } from './ast.ts';
import type { Checked } from './checker.ts';
import type { FunctionTable } from './declarations.ts';
import { Failure } from './failure.ts';
import type { Frame, Run } from './runtime.ts';
import type { Value } from './values.ts';

/** What a node compiles to. */
export interface Step {
  readonly run: Run;
  /** Set when the value is known beforehand; it costs nothing then. */
  readonly constant?: { readonly value: Value };
}

/** What the compiler needs of an environment, besides the checked expression. */
export interface CompileScope {
  readonly functions: FunctionTable;
  readonly container: string;
  /** Whether literals of constants, conversions of them and membership in them are worked out beforehand, for no cost. */
  readonly foldConstants: boolean;
  /** The value of a constant name, for expressions that have not been checked. */
  constantOf(name: string): Value | undefined;
  isVariable(name: string): boolean;
}

/** Compiles the nodes below a node. */
export interface ExprCompiler {
  readonly scope: CompileScope;
  readonly checked: Checked;
  compile(expr: Expr, bare?: boolean): Step;
  withLocal<T>(name: string, accumulator: boolean, body: (slot: number) => T): T;
  isAttribute(expr: Expr): boolean;
  qualifiedName(expr: Expr): string | undefined;
}

export function constantStep(value: Value): Step {
  return { run: () => value, constant: { value } };
}

/** A constant; a failure to make it stays one that every evaluation meets. */
export function foldConstant(make: () => Value): Step {
  try {
    return constantStep(make());
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    return {
      run: () => {
        throw failure;
      },
    };
  }
}

export function readAccumulator(frame: Frame, slot: number): Value {
  const value = frame.slots[slot];
  if (value instanceof Failure) throw value;
  return value as Value;
}
