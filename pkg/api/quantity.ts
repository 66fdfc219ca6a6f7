/** How a quantity is written: `1500m`, `1Gi`, `12e6`. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** An amount of something, exact to 1e-9. Upstream's resource.Quantity. */
export interface Quantity {
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const NUMERIC_WRONG = 'unable to parse numeric part of quantity';
const SUFFIX_WRONG = "unable to parse quantity's suffix";

const NANO = 1_000_000_000n;
/** Larger binary amounts are cut to this, as upstream does; decimal ones are kept. */
const MAX_NANO = (2n ** 63n - 1n) * NANO;

/** Longer texts are refused: arithmetic on so many digits would take long. */
const MAX_LENGTH = 1000;

const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const DECIMAL_SUFFIXES = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];

const SHAPE = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;

/** Reads a quantity. Throws a QuantityError with upstream's text. */
export function parseQuantity(text: string): Quantity {
  const parts = text.length > MAX_LENGTH ? null : SHAPE.exec(text);
  if (text === '' || parts === null) throw new QuantityError(FORMAT_WRONG);
  const [, sign = '', whole = '', fraction = '', suffix = ''] = parts;
  if (whole === '' && fraction === '') throw new QuantityError(parts[3] === undefined ? FORMAT_WRONG : NUMERIC_WRONG);
  const scale = readSuffix(suffix);
  const exponent = scale.exponent - fraction.length;
  const digits = BigInt(whole + fraction) * scale.factor;
  let nano = exponent >= -9 ? digits * 10n ** BigInt(exponent + 9) : ceilDivide(digits, 10n ** BigInt(-9 - exponent));
  if (scale.format === 'BinarySI' && nano > MAX_NANO) nano = MAX_NANO;
  const format = scale.format === 'BinarySI' && nano > 0n && nano < NANO ? 'DecimalSI' : scale.format;
  return { nano: sign === '-' ? -nano : nano, format };
}

interface Scale {
  readonly exponent: number;
  readonly factor: bigint;
  readonly format: QuantityFormat;
}

function readSuffix(suffix: string): Scale {
  const binary = BINARY_SUFFIXES.indexOf(suffix);
  if (binary > 0) return { exponent: 0, factor: 1024n ** BigInt(binary), format: 'BinarySI' };
  const decimal = DECIMAL_EXPONENTS[suffix];
  if (decimal !== undefined) return { exponent: decimal, factor: 1n, format: 'DecimalSI' };
  const exponent = /^[eE]([-+]?[0-9]+)$/.exec(suffix)?.[1];
  if (exponent === undefined) throw new QuantityError(SUFFIX_WRONG);
  // Beyond these everything is the maximum or the minimum; the bound keeps the arithmetic small.
  return { exponent: Math.max(-1000, Math.min(1000, Number(exponent))), factor: 1n, format: 'DecimalExponent' };
}

function ceilDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by === 0n ? quotient : quotient + 1n;
}

/** The canonical text: the largest suffix that leaves an integer. */
export function formatQuantity(quantity: Quantity): string {
  const { nano } = quantity;
  if (nano === 0n) return '0';
  const negative = nano < 0n;
  const amount = negative ? -nano : nano;
  const sign = negative ? '-' : '';
  if (quantity.format === 'BinarySI' && amount >= 1024n * NANO) {
    let units = ceilDivide(amount, NANO);
    let power = 0;
    while (power < BINARY_SUFFIXES.length - 1 && units % 1024n === 0n) {
      units /= 1024n;
      power++;
    }
    return `${sign}${units}${BINARY_SUFFIXES[power]}`;
  }
  let units = amount;
  let step = 0;
  while (step < DECIMAL_SUFFIXES.length - 1 && units % 1000n === 0n) {
    units /= 1000n;
    step++;
  }
  if (quantity.format !== 'DecimalExponent') return `${sign}${units}${DECIMAL_SUFFIXES[step]}`;
  const exponent = step * 3 - 9;
  return exponent === 0 ? `${sign}${units}` : `${sign}${units}e${exponent}`;
}

/** Upstream's form of a quantity that a client wrote: `1000m` -> `1`, `0.5Gi` -> `512Mi`. JSON numbers are accepted too. */
export function canonicalQuantity(value: string | number | bigint): string {
  const text = String(value);
  return isCanonical(text) ? text : formatQuantity(parseQuantity(text));
}

/** Cheap and incomplete: 1 to 3 digits without a leading zero, and m, k, M or G. */
function isCanonical(text: string): boolean {
  return /^[1-9][0-9]{0,2}(?:[mkMG]|[KMG]i)?$/.test(text);
}

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};
const SIMPLE = /^([0-9]{1,9})(m|[kMGT]|[KMGT]i)?$/;

/** The amount in whole units, rounded away from zero. Exact below 2^53. Throws a QuantityError. */
export function quantityValue(value: string | number): number {
  return scaled(value, 1, NANO);
}

/** The amount in thousandths, rounded away from zero. Exact below 2^53. Throws a QuantityError. */
export function quantityMilliValue(value: string | number): number {
  return scaled(value, 1000, 1_000_000n);
}

function scaled(value: string | number, perUnit: number, nanosPerStep: bigint): number {
  const text = typeof value === 'number' ? String(value) : value;
  const simple = SIMPLE.exec(text);
  if (simple !== null) {
    const digits = Number(simple[1]);
    const suffix = simple[2] ?? '';
    if (suffix === 'm') return Math.ceil((digits * perUnit) / 1000);
    const exact = digits * (FACTORS[suffix] ?? 1) * perUnit;
    if (exact <= Number.MAX_SAFE_INTEGER) return exact;
  }
  const { nano } = parseQuantity(text);
  return nano < 0n ? -Number(ceilDivide(-nano, nanosPerStep)) : Number(ceilDivide(nano, nanosPerStep));
}

/** Below, equal, above zero: how `a` compares with `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0;
}

/** The sum, written as the first non-zero operand is. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format };
}

export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano - b.nano, format: a.nano === 0n ? b.format : a.format };
}

/** A quantity of whole units. */
export function quantityOf(units: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nano: BigInt(units) * NANO, format };
}

/** A quantity of thousandths (CPU). */
export function milliQuantityOf(thousandths: number): Quantity {
  return { nano: BigInt(thousandths) * 1_000_000n, format: 'DecimalSI' };
}
