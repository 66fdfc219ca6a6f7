/** Just enough of quantity arithmetic for validation: exact comparison of values, sign, wholeness. */

const binary: Readonly<Record<string, bigint>> = {
  Ki: 1024n,
  Mi: 1024n ** 2n,
  Gi: 1024n ** 3n,
  Ti: 1024n ** 4n,
  Pi: 1024n ** 5n,
  Ei: 1024n ** 6n,
};
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const syntax = /^([+-]?)(\d*)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/;
const nano = 9;

/** The value in units of 10^-9, rounded up (away from zero); undefined when it does not parse. */
export function quantityNanos(text: string): bigint | undefined {
  const match = syntax.exec(text);
  if (!match) return undefined;
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  let digits = BigInt(whole + fraction);
  let exponent = nano - fraction.length;
  const factor = binary[suffix];
  if (factor !== undefined) digits *= factor;
  else exponent += decimal[suffix] ?? Number(suffix.slice(1));
  if (exponent > 64) exponent = 64;
  if (exponent >= 0) digits *= 10n ** BigInt(exponent);
  else if (exponent < -64) digits = digits === 0n ? 0n : 1n;
  else {
    const divisor = 10n ** BigInt(-exponent);
    digits = (digits + divisor - 1n) / divisor;
  }
  return sign === '-' ? -digits : digits;
}

/** Negative, zero or positive, as `a` is less than, equal to or more than `b`. */
export function compareQuantity(a: string, b: string): number {
  if (a === b) return 0;
  const left = quantityNanos(a) ?? 0n;
  const right = quantityNanos(b) ?? 0n;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** -1, 0 or 1. */
export function quantitySign(text: string): number {
  const value = quantityNanos(text) ?? 0n;
  return value < 0n ? -1 : value > 0n ? 1 : 0;
}

/** True when the value has no fraction. */
export function isWholeQuantity(text: string): boolean {
  return (quantityNanos(text) ?? 0n) % 1_000_000_000n === 0n;
}

/** The sum in the format of the first summand, as a plain decimal number of whole units or milli-units. */
export function addQuantity(a: string, b: string): string {
  const sum = (quantityNanos(a) ?? 0n) + (quantityNanos(b) ?? 0n);
  if (sum % 1_000_000_000n === 0n) return (sum / 1_000_000_000n).toString();
  return `${(sum + 999_999n) / 1_000_000n}m`;
}
