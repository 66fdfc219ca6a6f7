import { endOfString, isEscaped, parseExact } from '../../base/integers.ts';
import { DecodeError } from './decode-error.ts';
import { MAX_FIELDS, tooManyFields } from './field-limit.ts';

/** Where the scanner is: inside an object (with the keys seen so far, when asked for) or a list. */
interface Frame {
  readonly object: boolean;
  keys: Set<string> | undefined;
  /** The key or index that is being read. */
  at: string | number;
}

/** Go's encoding/json reads no deeper. */
const MAX_NESTING = 10_000;
/** Shorter texts are parsed in no time, whatever is in them. */
const LONG_TEXT = 64 * 1024;

/**
 * Parses JSON; integers beyond 2^53 are bigints, halves of surrogate pairs on their own U+FFFD. Text that is not JSON throws a
 * DecodeError with the text of Go's encoding/json, and so does long text that nests too deep; one with too many fields throws
 * RequestEntityTooLarge. A member that occurs twice takes its last value.
 */
export function parseJSON(text: string): unknown {
  refuseLarge(text);
  try {
    return parseExact(ESCAPED_SURROGATE.test(text) ? withoutLoneSurrogates(text) : text);
  } catch (error) {
    new Scanner(text).scan();
    throw new DecodeError('syntax', error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** An escaped half of a surrogate pair, or text that looks like one. */
const ESCAPED_SURROGATE = /\\u[dD][89a-fA-F]/;
const ESCAPES = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)/gs;

function withoutLoneSurrogates(text: string): string {
  return text.replace(ESCAPES, (escaped, lone: string | undefined) => (lone === undefined ? escaped : '\\ufffd'));
}

/** Where the first escaped half of a surrogate pair stands in a text of JSON or a quoted YAML scalar, paired or not; undefined: nowhere. */
export function firstEscapedSurrogate(text: string): number | undefined {
  if (!ESCAPED_SURROGATE.test(text)) return undefined;
  for (const { 0: escaped, index } of text.matchAll(ESCAPES)) if (ESCAPED_SURROGATE.test(escaped)) return index;
  return undefined;
}

/**
 * Throws for long text that nests too deep (a DecodeError) or has too many fields and elements (RequestEntityTooLarge), whether
 * or not it is JSON: JSON.parse takes a microsecond for every level, and all work on a body some for every field.
 */
export function refuseLarge(text: string): void {
  if (text.length <= LONG_TEXT) return;
  let depth = 0;
  let fields = 0;
  let opened = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20) continue;
    const closes = code === 0x7d || code === 0x5d;
    if (code === 0x2c || (opened && !closes)) {
      fields++;
      if (fields > MAX_FIELDS) throw tooManyFields();
    }
    opened = code === 0x7b || code === 0x5b;
    if (opened) {
      depth++;
      if (depth > MAX_NESTING) throw new DecodeError('depth', 'exceeded max depth');
    } else if (closes) depth--;
    else if (code === 0x22) i = endOfString(text, i);
  }
}

/**
 * Whether a member may occur twice, told from the number of members that parsing found: cheap, never wrong with `false`. The
 * text must be valid JSON.
 */
export function mayHaveDuplicates(text: string, members: number): boolean {
  // A key is counted by the quote and colon behind it. With blanks between the two the count would be short.
  for (const blank of [' :', '\n:', '\t:', '\r:']) if (text.includes(blank)) return true;
  let count = 0;
  for (let at = text.indexOf('":'); at >= 0; at = text.indexOf('":', at + 2)) if (!isEscaped(text, at)) count++;
  return count !== members;
}

/**
 * The paths of members in the order of the text: those that occur again, unless below one in `unknown`, and those in `unknown`, each
 * once. The text must be valid JSON.
 */
export function strictFindings(
  text: string,
  unknown: ReadonlySet<string>,
): { readonly path: string; readonly duplicate: boolean }[] {
  const findings: { path: string; duplicate: boolean }[] = [];
  const seen = new Set<string>();
  const add = (path: string, duplicate: boolean): void => {
    const id = `${duplicate ? 'd' : 'u'}${path}`;
    if (seen.has(id)) return;
    seen.add(id);
    findings.push({ path, duplicate });
  };
  new Scanner(text, (path, duplicate) => {
    const skipped = (here: string): boolean =>
      [...unknown].some((one) => here.startsWith(one) && /^$|^[.[]/.test(here.slice(one.length)));
    if (duplicate) {
      const here = path();
      if (!skipped(here)) add(here, true);
    } else if (unknown.size > 0) {
      const here = path();
      if (unknown.has(here)) add(here, false);
    }
  }).scan();
  return findings;
}

/** The members that occur again in their object, each with the line (from 1) that it stands in. The text must be valid JSON. */
export function duplicateMembers(text: string, most: number): { readonly line: number; readonly key: string }[] {
  const found: { line: number; key: string }[] = [];
  let line = 1;
  let counted = 0;
  new Scanner(text, (_path, duplicate, key, at) => {
    if (!duplicate || found.length >= most) return;
    for (; counted < at; counted++) if (text.charCodeAt(counted) === 0x0a) line++;
    found.push({ line, key });
  }).scan();
  return found;
}

/**
 * The text with `mark` and a number behind the name of each member that occurs again, so that parsing keeps them apart; undefined:
 * there is none. The text must be valid JSON.
 */
export function markDuplicates(text: string, mark: string): string | undefined {
  const parts: string[] = [];
  let copied = 0;
  const escaped = JSON.stringify(mark).slice(1, -1);
  new Scanner(text, (_path, duplicate, _key, at) => {
    if (!duplicate) return;
    const quote = at - 1;
    parts.push(text.slice(copied, quote), escaped, String(parts.length));
    copied = quote;
  }).scan();
  return parts.length === 0 ? undefined : parts.join('') + text.slice(copied);
}

type OnKey = (path: () => string, duplicate: boolean, key: string, at: number) => void;

/** Nothing deeper is decoded; a path for every key down there would take the square of the depth. */
const MAX_DEPTH = 500;

/** A JSON tokenizer without recursion, for what JSON.parse does not tell. */
class Scanner {
  readonly #text: string;
  readonly #onKey: OnKey | undefined;
  readonly #stack: Frame[] = [];
  #at = 0;

  constructor(text: string, onKey?: OnKey) {
    this.#text = text;
    this.#onKey = onKey;
  }

  /** Throws a DecodeError at the first thing that is not JSON. */
  scan(): void {
    for (;;) {
      if (this.#openValue()) continue;
      if (!this.#afterValue()) return;
    }
  }

  /** Reads a value up to its first inner value. False when the value is over. */
  #openValue(): boolean {
    const c = this.#peek('looking for beginning of value');
    if (c === '{') {
      this.#at++;
      if (this.#peek('looking for beginning of object key string') === '}') {
        this.#at++;
        return false;
      }
      this.#stack.push({ object: true, keys: this.#onKey === undefined ? undefined : new Set(), at: '' });
      this.#key();
      return true;
    }
    if (c === '[') {
      this.#at++;
      if (this.#peek('looking for beginning of value') === ']') {
        this.#at++;
        return false;
      }
      this.#stack.push({ object: false, keys: undefined, at: 0 });
      return true;
    }
    if (c === '"') this.#string();
    else if (c === '-' || (c >= '0' && c <= '9')) this.#number();
    else if (c === 't') this.#literal('true');
    else if (c === 'f') this.#literal('false');
    else if (c === 'n') this.#literal('null');
    else this.#fail('looking for beginning of value');
    return false;
  }

  /** Closes what ends here and moves to the next value. False at the end of the text. */
  #afterValue(): boolean {
    for (;;) {
      const frame = this.#stack.at(-1);
      this.#blanks();
      if (frame === undefined) {
        if (this.#at < this.#text.length) this.#fail('after top-level value');
        return false;
      }
      const where = frame.object ? 'after object key:value pair' : 'after array element';
      const c = this.#peek(where);
      if (c === (frame.object ? '}' : ']')) {
        this.#at++;
        this.#stack.pop();
        continue;
      }
      if (c !== ',') this.#fail(where);
      this.#at++;
      if (frame.object) this.#key();
      else frame.at = (frame.at as number) + 1;
      return true;
    }
  }

  #key(): void {
    if (this.#peek('looking for beginning of object key string') !== '"') {
      this.#fail('looking for beginning of object key string');
    }
    const start = this.#at;
    this.#string();
    const frame = this.#stack.at(-1);
    if (frame?.keys !== undefined) {
      const raw = this.#text.slice(start, this.#at);
      const key = raw.includes('\\') ? String(JSON.parse(raw)) : raw.slice(1, -1);
      frame.at = key;
      if (this.#stack.length <= MAX_DEPTH) this.#onKey?.(() => this.#path(), frame.keys.has(key), key, this.#at);
      frame.keys.add(key);
    }
    if (this.#peek('after object key') !== ':') this.#fail('after object key');
    this.#at++;
  }

  #path(): string {
    return joinPath(this.#stack.map((frame) => frame.at));
  }

  #string(): void {
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const c = this.#text.charCodeAt(this.#at);
      if (c === 0x22) {
        this.#at++;
        return;
      }
      if (c < 0x20) this.#fail('in string literal');
      if (c !== 0x5c) continue;
      this.#at++;
      const escaped = this.#text[this.#at];
      if (escaped === undefined) break;
      if (escaped === 'u') {
        for (let i = 0; i < 4; i++) {
          this.#at++;
          if (!/^[0-9a-fA-F]?$/.test(this.#text[this.#at] ?? '')) this.#fail('in \\u hexadecimal character escape');
        }
      } else if (!'"\\/bfnrt'.includes(escaped)) {
        this.#fail('in string escape code');
      }
    }
    this.#fail('');
  }

  #number(): void {
    if (this.#text[this.#at] === '-') {
      this.#at++;
      this.#digit('in numeric literal');
    }
    if (this.#text[this.#at] === '0') this.#at++;
    else this.#digits();
    if (this.#text[this.#at] === '.') {
      this.#at++;
      this.#digit('after decimal point in numeric literal');
      this.#digits();
    }
    if (/^[eE]$/.test(this.#text[this.#at] ?? '')) {
      this.#at++;
      if (/^[+-]$/.test(this.#text[this.#at] ?? '')) this.#at++;
      this.#digit('in exponent of numeric literal');
      this.#digits();
    }
  }

  #digit(where: string): void {
    if (!/^[0-9]$/.test(this.#text[this.#at] ?? '')) this.#fail(where);
  }

  #digits(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (!(c >= 0x30 && c <= 0x39)) return;
      this.#at++;
    }
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++, this.#at++) {
      if (this.#text[this.#at] !== word[i]) this.#fail(`in literal ${word} (expecting '${word[i]}')`);
    }
  }

  #blanks(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.#at++;
    }
  }

  #peek(where: string): string {
    this.#blanks();
    const c = this.#text[this.#at];
    return c === undefined ? this.#fail(where) : c;
  }

  #fail(where: string): never {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) throw new DecodeError('syntax', 'unexpected end of JSON input');
    throw new DecodeError('syntax', `invalid character ${quoteCharacter(code)} ${where}`);
  }
}

function quoteCharacter(code: number): string {
  if (code === 0x27) return "'\\''";
  if (code === 0x22) return `'"'`;
  const escapes: Readonly<Record<number, string>> = { 10: '\\n', 13: '\\r', 9: '\\t', 8: '\\b', 12: '\\f', 92: '\\\\' };
  const short = escapes[code];
  if (short !== undefined) return `'${short}'`;
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, '0')}'`;
  if (code >= 0x80 && code < 0xa0) return `'\\u${code.toString(16).padStart(4, '0')}'`;
  return `'${String.fromCodePoint(code)}'`;
}

/** `spec.containers[0].name` of its parts. */
export function joinPath(parts: readonly (string | number)[]): string {
  let path = '';
  for (const part of parts) {
    if (typeof part === 'number') path += `[${part}]`;
    else path += path === '' ? part : `.${part}`;
  }
  return path;
}
