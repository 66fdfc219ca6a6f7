import { type Library, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import { ArrayList, type ListValue, type Value } from '../values.ts';
import { formatText } from './format-text.ts';

/** cel-go's strings extension. Kubernetes has its version 2, without `reverse`. */
export function stringsLibrary(version = 2): Library {
  const overloads = [
    overload('string_char_at_int', 'string#charAt(int) string', charAt),
    overload('string_index_of_string', 'string#indexOf(string) int', (text: string, part: string) =>
      indexOf(text, part, 0n),
    ),
    overload('string_index_of_string_int', 'string#indexOf(string, int) int', indexOf),
    overload('string_last_index_of_string', 'string#lastIndexOf(string) int', (text: string, part: string) =>
      lastIndexOf(text, part, BigInt(chars(text).length)),
    ),
    overload('string_last_index_of_string_int', 'string#lastIndexOf(string, int) int', lastIndexOf),
    overload('list_join', 'list<string>#join() string', (list: ListValue) => join(list, '')),
    overload('list_join_string', 'list<string>#join(string) string', join),
    overload('string_lower_ascii', 'string#lowerAscii() string', (text: string) =>
      text.replace(/[A-Z]+/g, (part) => part.toLowerCase()),
    ),
    overload('string_upper_ascii', 'string#upperAscii() string', (text: string) =>
      text.replace(/[a-z]+/g, (part) => part.toUpperCase()),
    ),
    overload(
      'string_replace_string_string',
      'string#replace(string, string) string',
      (text: string, from: string, to: string) => replace(text, from, to, -1n),
    ),
    overload('string_replace_string_string_int', 'string#replace(string, string, int) string', replace),
    overload('string_split_string', 'string#split(string) list<string>', (text: string, by: string) =>
      split(text, by, -1n),
    ),
    overload('string_split_string_int', 'string#split(string, int) list<string>', split),
    overload('string_substring_int', 'string#substring(int) string', (text: string, from: bigint) =>
      substring(text, from, BigInt(chars(text).length)),
    ),
    overload('string_substring_int_int', 'string#substring(int, int) string', substring),
    overload('string_trim', 'string#trim() string', trim),
    overload('string_format', 'string#format(list<dyn>) string', formatText),
    overload('strings_quote', 'strings.quote(string) string', quote),
  ];
  if (version >= 3) {
    overloads.push(
      overload('string_reverse', 'string#reverse() string', (text: string) => chars(text).reverse().join('')),
    );
  }
  return { name: 'strings', overloads };
}

function chars(text: string): string[] {
  return [...text];
}

function charAt(text: string, index: bigint): string {
  const all = chars(text);
  if (index < 0n || index > BigInt(all.length)) throw new Failure(`index out of range: ${index}`);
  return all[Number(index)] ?? '';
}

/** The index in code points of an index in UTF-16 units. */
function codePoints(text: string, units: number): bigint {
  return units < 0 ? -1n : BigInt(chars(text.slice(0, units)).length);
}

function indexOf(text: string, part: string, from: bigint): bigint {
  if (part === '') return from;
  const all = chars(text);
  if (from < 0n || from > BigInt(all.length)) throw new Failure(`index out of range: ${from}`);
  const start = all.slice(0, Number(from)).join('').length;
  return codePoints(text, text.indexOf(part, start));
}

function lastIndexOf(text: string, part: string, from: bigint): bigint {
  const all = chars(text);
  if (part === '') return from;
  if (from < 0n || from > BigInt(all.length)) throw new Failure(`index out of range: ${from}`);
  const start = all.slice(0, Number(from)).join('').length;
  return codePoints(text, text.lastIndexOf(part, start));
}

/** Longer texts are not made: costs are counted afterwards. */
const MAX_RESULT = 64 * 1024 * 1024;

function checkLength(length: number): void {
  if (length > MAX_RESULT) throw new Failure('the resulting string is too long');
}

function join(list: ListValue, separator: string): string {
  const parts: string[] = [];
  checkLength(list.size * separator.length);
  for (const item of list) {
    if (typeof item !== 'string') throw new Failure('no such overload');
    parts.push(item);
  }
  checkLength(parts.reduce((length, part) => length + part.length, 0));
  return parts.join(separator);
}

function replace(text: string, from: string, to: string, limit: bigint): string {
  if (limit === 0n) return text;
  checkLength((text.length / Math.max(1, from.length)) * to.length);
  if (limit < 0n)
    return from === '' ? replace(text, from, to, BigInt(text.length) + 1n) : text.replaceAll(from, () => to);
  const parts = from === '' ? ['', ...chars(text)] : text.split(from);
  let out = parts[0] ?? '';
  for (let i = 1; i < parts.length; i++) out += (BigInt(i) <= limit ? to : from) + (parts[i] ?? '');
  return from === '' && limit >= BigInt(parts.length) ? out + to : out;
}

function split(text: string, by: string, limit: bigint): Value {
  if (limit === 0n) return new ArrayList([]);
  if (limit === 1n) return new ArrayList([text]);
  const parts = by === '' ? chars(text) : text.split(by);
  if (limit < 0n || BigInt(parts.length) <= limit) return new ArrayList(parts);
  const kept = parts.slice(0, Number(limit) - 1);
  return new ArrayList([...kept, parts.slice(Number(limit) - 1).join(by)]);
}

function substring(text: string, from: bigint, to: bigint): string {
  const all = chars(text);
  if (from < 0n || from > BigInt(all.length)) throw new Failure(`index out of range: ${from}`);
  if (to < 0n || to > BigInt(all.length)) throw new Failure(`index out of range: ${to}`);
  if (from > to) throw new Failure(`invalid substring range. start: ${from}, end: ${to}`);
  return all.slice(Number(from), Number(to)).join('');
}

/** Unicode's White_Space, which Go trims. */
const SPACE = '[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const LEADING = new RegExp(`^${SPACE}`);
const TRAILING = new RegExp(`^${SPACE}$`);

function trim(text: string): string {
  let end = text.length;
  while (end > 0 && TRAILING.test(text[end - 1] ?? '')) end--;
  return text.slice(0, end).replace(LEADING, '');
}

const QUOTED: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** The text in quotes, with escapes. */
function quote(text: string): string {
  const escaped = text.toWellFormed().replace(/[\p{Cc}\\"]/gu, (char) => QUOTED[char] ?? char);
  return `"${escaped}"`;
}
