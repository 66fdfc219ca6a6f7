import { formatQuantity, parseQuantity } from '../../api/quantity.ts';

const NANO_PER_MILLI = 1_000_000n;

/** A quantity in thousandths, rounded up. */
export function milliOf(quantity: string): number {
  const { nano } = parseQuantity(quantity);
  const whole = nano / NANO_PER_MILLI;
  return Number(nano > 0n && nano % NANO_PER_MILLI !== 0n ? whole + 1n : whole);
}

export function quantityOfMilli(milli: number): string {
  return formatQuantity({ nano: BigInt(Math.trunc(milli)) * NANO_PER_MILLI, format: 'DecimalSI' });
}
