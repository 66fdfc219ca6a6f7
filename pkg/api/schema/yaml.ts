import { mayHoldWideIntegers, narrowInteger, parseExact } from '../../base/integers.ts';
import { atOnce, type Steps } from '../../base/steps.ts';
import { Decoder } from './decode.ts';
import { DecodeError } from './decode-error.ts';
import { limitFields } from './field-limit.ts';
import { duplicateMembers, firstEscapedSurrogate, mayHaveDuplicates, parseJSON, refuseLarge } from './json-text.ts';

/** What a YAML body holds, and the keys that occur twice as go-yaml words them. */
export interface YAMLBody {
  readonly value: unknown;
  readonly duplicates: readonly string[];
}

/**
 * Reads one YAML document as Go's sigs.k8s.io/yaml does: YAML 1.1 booleans and octal numbers, no base 60, no timestamps; keys
 * become strings; of keys that occur twice the last wins. Throws a DecodeError, or RequestEntityTooLarge for too many fields.
 */
export async function parseYAML(text: string): Promise<YAMLBody> {
  const json = atOnce(readJSON(text));
  if (json !== undefined) return json;
  refuseDeep(text);
  if (text.length > LONG_FLOW_LENGTH && /^\s*\{/.test(text)) parseJSON(text);
  const yaml = await import('yaml');
  try {
    return read(yaml, text);
  } catch (cause) {
    // The parser recurses; what nests too deep ends its stack.
    if (cause instanceof RangeError) throw new DecodeError('depth', 'exceeded max depth', { cause });
    throw cause;
  }
}

/** Longer texts that open like JSON are taken for JSON that is broken: the YAML parser would take seconds to find the place. */
const LONG_FLOW_LENGTH = 64 * 1024;

const MAX_NESTING = 1000;
const COMPACT_NESTING = new RegExp(`^[ \\t]*(?:[-?:][ \\t]+){${MAX_NESTING}}`, 'm');

/** Refuses what the parser would work long on, only to run out of stack. */
function refuseDeep(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5b || code === 0x7b) depth++;
    else if ((code === 0x5d || code === 0x7d) && depth > 0) depth--;
    if (depth > MAX_NESTING) throw new DecodeError('depth', 'exceeded max depth');
  }
  if (COMPACT_NESTING.test(text)) throw new DecodeError('depth', 'exceeded max depth');
}

/**
 * JSON is YAML, and what clients call YAML is often JSON. Undefined: it is not. Throws as parseYAML does. Each step takes time by
 * the length of the text.
 */
export function* readJSON(text: string): Steps<YAMLBody | undefined> {
  if (!/^\s*\{/.test(text)) return undefined;
  refuseLarge(text);
  let value: unknown;
  try {
    value = parseExact(text);
  } catch {
    return undefined;
  }
  refuseSurrogate(text, 0, text.length);
  yield;
  const counter = new Decoder();
  counter.skip(value, 0);
  const found = mayHaveDuplicates(text, counter.members) ? duplicateMembers(text, MAX_DUPLICATES) : [];
  return { value, duplicates: found.map(({ line, key }) => `line ${line}: key "${key}" already set in map`) };
}

/** What a double-quoted scalar escapes are characters, and halves of surrogate pairs are none, not even side by side. */
function refuseSurrogate(text: string, start: number, end: number): void {
  const at = firstEscapedSurrogate(text.slice(start, end));
  if (at === undefined) return;
  const line = text.slice(0, start + at).split('\n').length;
  // go-yaml counts lines from the second on.
  const where = line === 1 ? '' : `line ${line}: `;
  const problem = 'found invalid Unicode character escape code';
  throw new DecodeError('syntax', `error converting YAML to JSON: yaml: ${where}${problem}`);
}

function read(yaml: typeof import('yaml'), text: string): YAMLBody {
  const lines = new yaml.LineCounter();
  const wide = mayHoldWideIntegers(text);
  const document = yaml.parseDocument(text, {
    lineCounter: lines,
    version: '1.1',
    schema: 'yaml-1.1',
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !isUnwanted(tag)),
    merge: true,
    uniqueKeys: false,
    intAsBigInt: wide,
    prettyErrors: false,
  });
  // Of several documents the first is read.
  const error = document.errors.find(({ code }) => code !== 'MULTIPLE_DOCS');
  if (error !== undefined) {
    if (/call stack/.test(error.message)) throw new DecodeError('depth', 'exceeded max depth', { cause: error });
    const { line } = lines.linePos(error.pos[0]);
    throw new DecodeError(
      'syntax',
      `error converting YAML to JSON: yaml: line ${line}: ${wording(error.code, error.message)}`,
    );
  }
  const duplicates: string[] = [];
  const seen = new WeakSet<object>();
  const mayEscape = firstEscapedSurrogate(text) !== undefined;
  yaml.visit(document, {
    Scalar(_, scalar) {
      if (!mayEscape || scalar.type !== 'QUOTE_DOUBLE' || !scalar.range) return;
      refuseSurrogate(text, scalar.range[0], scalar.range[1]);
    },
    Map(_, map) {
      if (seen.has(map)) return;
      seen.add(map);
      const keys = new Set<string>();
      for (const { key } of map.items) {
        const scalar = yaml.isAlias(key) ? key.resolve(document) : key;
        // Writing such keys as text would take the cube of their depth.
        if (yaml.isCollection(scalar)) throw invalidKey(lines.linePos(map.range?.[0] ?? 0).line);
        if (!yaml.isScalar(key)) continue;
        const name = String(key.value);
        if (keys.has(name) && key.range && duplicates.length < MAX_DUPLICATES) {
          const { line } = lines.linePos(key.range[0]);
          duplicates.push(`line ${line}: key "${name}" already set in map`);
        }
        keys.add(name);
      }
    },
  });
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100, ...(wide ? { reviver: narrowed } : {}) });
  } catch (cause) {
    throw new DecodeError('syntax', 'error converting YAML to JSON: yaml: document contains excessive aliasing', {
      cause,
    });
  }
  limitFields(value);
  return { value, duplicates };
}

/** Where all integers have been read as bigints, only the wide ones remain so. */
function narrowed(_key: unknown, value: unknown): unknown {
  return typeof value === 'bigint' ? narrowInteger(value) : value;
}

/** Keys that are lists or maps: JSON has none. */
function invalidKey(line: number): DecodeError {
  return new DecodeError('syntax', `error converting YAML to JSON: yaml: line ${line}: invalid map key`);
}

/** No more are reported. */
const MAX_DUPLICATES = 100;

/** Base 60 numbers and timestamps. */
function isUnwanted(tag: { readonly tag: string; readonly format?: string }): boolean {
  return tag.format === 'TIME' || tag.tag === 'tag:yaml.org,2002:timestamp';
}

/** go-yaml's words for the commonest errors. */
function wording(code: string, message: string): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'found character that cannot start any token';
    case 'MULTILINE_IMPLICIT_KEY':
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'mapping values are not allowed in this context';
    case 'BAD_INDENT':
    case 'UNEXPECTED_TOKEN':
      return 'did not find expected key';
    case 'MISSING_CHAR':
      return 'did not find expected node content';
    default:
      return message.toLowerCase();
  }
}
