/** Comparisons of quantities as they stand in objects, for validation. Text that does not parse counts as zero. */
import { addQuantities, formatQuantity, parseQuantity } from '../quantity.ts';

const nanosPerUnit = 1_000_000_000n;

function nanos(text: string | number | undefined): bigint {
  if (text === undefined || text === null) return 0n;
  try {
    return parseQuantity(String(text)).nano;
  } catch {
    return 0n;
  }
}

/** Negative, zero or positive, as `a` is less than, equal to or more than `b`. */
export function compareQuantity(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  const left = nanos(a);
  const right = nanos(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** -1, 0 or 1. */
export function quantitySign(text: string | undefined): number {
  const amount = nanos(text);
  return amount < 0n ? -1 : amount > 0n ? 1 : 0;
}

/** True when the value, rounded up to thousandths, has no fraction. */
export function isWholeQuantity(text: string | undefined): boolean {
  return nanos(text) % nanosPerUnit === 0n;
}

/** The canonical text of the sum. */
export function addQuantity(a: string, b: string): string {
  return formatQuantity(addQuantities(parseQuantity(a), parseQuantity(b)));
}
