/**
 * Integers of 64 bits in JSON data. JavaScript's numbers hold integers exactly up to 2^53, and what lies beyond is a bigint in
 * objects: it is read, compared and written exactly, as Go's decoders do, and everything smaller stays a number.
 */

/** An integer in JSON data. */
export type Integer = number | bigint;

/** A number of 16 digits or more where one may stand in JSON or YAML. */
const LONG_NUMBER = /(?:^|[:,[\s])[-+]?[1-9]\d{15}/;

/**
 * JSON.parse, with integers beyond 2^53 that fit 64 bits as bigints; larger ones and fractions are numbers, as Go makes floats
 * of them. Throws a SyntaxError.
 */
export function parseExact(text: string): unknown {
  return LONG_NUMBER.test(text) ? JSON.parse(text, withWideIntegers) : JSON.parse(text);
}

/** Whether a text may hold an integer beyond 2^53; never wrong with `false`. */
export function mayHoldWideIntegers(text: string): boolean {
  return LONG_NUMBER.test(text);
}

/** A reviver of JSON.parse; `source` is the text of a primitive value. */
function withWideIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) ? narrowInteger(BigInt(source)) : value;
}

/** The form that an integer has in objects: exact where it fits 64 bits. */
export function narrowInteger(value: bigint): Integer {
  if (value >= MIN_SAFE && value <= MAX_SAFE) return Number(value);
  return BigInt.asIntN(64, value) === value ? value : Number(value);
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const MIN_SAFE = -MAX_SAFE;

/** Whether JSON data is an integer. Numbers beyond 2^53 were written with an exponent or fraction, or do not fit 64 bits: floats. */
export function isInteger(value: unknown): value is Integer {
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

/**
 * Lets JSON.stringify write bigints as numbers, which it refuses by itself: to be called once by a process that keeps objects of
 * the API.
 */
export function writeBigIntsAsNumbers(): void {
  const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };
  Object.defineProperty(BigInt.prototype, 'toJSON', {
    value(this: bigint): unknown {
      return rawJSON(this.toString());
    },
    configurable: true,
    writable: true,
  });
}
