import type { Checked } from './checker.ts';
import type { DeclType } from './decl-type.ts';

export interface CostEstimate {
  readonly min: number;
  readonly max: number;
}

export function estimateCost(_checked: Checked, _declOf: (name: string) => DeclType | undefined): CostEstimate {
  return { min: 0, max: 0 };
}
