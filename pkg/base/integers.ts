import { randomUUID } from 'node:crypto';

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
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  const mark = randomUUID();
  const marked = markWideIntegers(text, mark);
  return marked === text ? JSON.parse(text) : unmark([JSON.parse(marked)], mark)[0];
}

/** Whether a text may hold an integer beyond 2^53; never wrong with `false`. */
export function mayHoldWideIntegers(text: string): boolean {
  return LONG_NUMBER.test(text);
}

/** An integer that may lie beyond 2^53, as a value in JSON. */
const WIDE_INTEGER = /(?<=^|[:,[\s])-?[1-9]\d{15,}(?=$|[,\]}\s])/g;
const WIDE_DIGITS = 16;

/**
 * The text with long integers as strings that begin with `mark`. A reviver, which JSON.parse would call for every value, takes four
 * times as long as parsing.
 */
function markWideIntegers(text: string, mark: string): string {
  const parts: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    const end = quote < 0 ? text.length : quote;
    if (end - at >= WIDE_DIGITS) {
      const between = text.slice(at, end);
      const replaced = between.replace(WIDE_INTEGER, (digits) => `"${mark}${digits}"`);
      if (replaced !== between) {
        parts.push(text.slice(copied, at), replaced);
        copied = end;
      }
    }
    at = endOfString(text, end) + 1;
  }
  return parts.length === 0 ? text : parts.join('') + text.slice(copied);
}

/** Where the closing quote of a string in JSON stands; the end of the text when there is none. */
export function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end;
}

/** An odd number of backslashes stands before this place. */
export function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (start > 0 && text.charCodeAt(start - 1) === 0x5c) start--;
  return (at - start) % 2 === 1;
}

/** Puts integers in the place of marked strings, at every depth. Without recursion: data may nest deeper than the stack does. */
function unmark(root: unknown[], mark: string): unknown[] {
  const containers: Record<string, unknown>[] = [root as unknown as Record<string, unknown>];
  for (let container = containers.pop(); container !== undefined; container = containers.pop()) {
    for (const key in container) {
      const value = container[key];
      if (typeof value === 'object' && value !== null) containers.push(value as Record<string, unknown>);
      else if (typeof value === 'string' && value.startsWith(mark))
        container[key] = narrowInteger(BigInt(value.slice(mark.length)));
    }
  }
  return root;
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
