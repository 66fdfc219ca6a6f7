/** A range of costs or sizes. */
export interface CostEstimate {
  readonly min: number;
  readonly max: number;
}

/** Stands for every larger number, as 2^64-1 does upstream. */
export const UNBOUNDED = 2 ** 64;

function cap(value: number): number {
  // Infinity times nothing is nothing.
  return Number.isNaN(value) ? 0 : Math.min(value, UNBOUNDED);
}

export function exactly(value: number): CostEstimate {
  return { min: value, max: value };
}

export const ZERO = exactly(0);
export const UNKNOWN_SIZE: CostEstimate = { min: 0, max: UNBOUNDED };

export function add(a: CostEstimate, b: CostEstimate): CostEstimate {
  return { min: cap(a.min + b.min), max: cap(a.max + b.max) };
}

export function sum(items: readonly CostEstimate[]): CostEstimate {
  return items.reduce(add, ZERO);
}

export function multiply(a: CostEstimate, b: CostEstimate): CostEstimate {
  return { min: cap(a.min * b.min), max: cap(a.max * b.max) };
}

/** Times a factor, rounded up. */
export function scale(a: CostEstimate, factor: number): CostEstimate {
  return { min: cap(Math.ceil(a.min * factor)), max: cap(Math.ceil(a.max * factor)) };
}

/** The range that holds both. */
export function union(a: CostEstimate, b: CostEstimate): CostEstimate {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}
