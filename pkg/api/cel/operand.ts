import type { Expr } from './ast.ts';
import type { CostEstimate } from './cost-range.ts';
import type { DeclType } from './decl-type.ts';
import type { CelType } from './types.ts';

/** An argument as the cost of a call depends on it. */
export interface Operand {
  readonly expr: Expr;
  readonly type: CelType;
  readonly cost: CostEstimate;
  /** Undefined when nothing bounds it. */
  readonly size: CostEstimate | undefined;
  /** What a schema says about it; of accumulators nothing. */
  readonly decl: DeclType | undefined;
}
