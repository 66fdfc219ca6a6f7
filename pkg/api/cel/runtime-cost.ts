import { costSize } from './runtime.ts';
import { HostValue, ListValue, MapValue, mapKey, type Value } from './values.ts';

export type CallCost = (args: readonly Value[], result: Value) => number;

/** The cost of reading one character of text. */
export const TEXT_FACTOR = 0.1;
/** The cost of one character of a regular expression. */
export const REGEX_FACTOR = 0.25;
/** An authorization check; two of them fit into one expression. */
export const CHECK_COST = 350_000;

const one: CallCost = () => 1;

/** Names whose calls cost 1, whatever Kubernetes library they are of. */
export const UNIT_FUNCTIONS: ReadonlySet<string> = new Set(
  (
    'serviceAccount path group resource subresource namespace name allowed reason error errored ' +
    'masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast ' +
    'format.named sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch ' +
    'getScheme getHostname getHost getPort getEscapedPath getQuery'
  ).split(' '),
);

const BY_FUNCTION: ReadonlyMap<string, CallCost> = new Map<string, CallCost>([
  ['check', () => CHECK_COST],
  ...group('fieldSelector labelSelector', (args) => selectorCost(size(args, 1))),
  ...group('isSorted sum max min indexOf lastIndexOf includes', (args) => traversal(args[0] ?? null)),
  ...group('url lowerAscii upperAscii substring trim jsonpatch.escapeKey', (args) => text(size(args, 0))),
  ...group('replace split', (args) => text(size(args, 0) * 2)),
  ['join', (_args, result) => text(costSize(result) * 2)],
  ...group('find findAll matches', (args) => regex(size(args, 0), size(args, 1))),
  ...group('cidr isIP isCIDR quantity isQuantity semver isSemver', (args) => text(size(args, 0))),
  ['ip.isCanonical', (args) => text(size(args, 0) * 2)],
  ['sort', (args) => selfCompare(args[0])],
  ['@sortByAssociatedKeys', (args) => selfCompare(args[1])],
  ['validate', (args) => regex(size(args, 1), maxRegexSize(args[0]))],
]);

const BY_OVERLOAD: ReadonlyMap<string, CallCost> = new Map<string, CallCost>([
  ...group('starts_with_string ends_with_string string_to_bytes bytes_to_string string_format strings_quote', (args) =>
    text(size(args, 0)),
  ),
  ['in_list', (args) => size(args, 1)],
  ...group('equals not_equals', (args) => (isPlainHost(args[0]) ? 1 : text(Math.min(size(args, 0), size(args, 1))))),
  ...['less', 'less_equals', 'greater', 'greater_equals'].flatMap((fn) =>
    group(`${fn}_string ${fn}_bytes`, (args) => text(Math.min(size(args, 0), size(args, 1)))),
  ),
  ...group('add_string add_bytes', (args) => text(size(args, 0) + size(args, 1))),
  ['contains_string', (args) => text(size(args, 0)) * text(size(args, 1))],
  ['cidr_ip', one],
  ['cidr_contains_ip', (args) => text(size(args, 0) * 2)],
  ['cidr_contains_ip_string', (args) => text(size(args, 0) * 2) + text(size(args, 1))],
  ['cidr_contains_cidr', (args) => text(size(args, 0) * 2) + text(size(args, 0)) + 1],
  ['cidr_contains_cidr_string', (args) => text(size(args, 0) * 2) + text(size(args, 0)) + 1 + text(size(args, 1))],
  ['string_to_ip', (args) => text(size(args, 0))],
  ...group('list_sets_contains_list list_sets_intersects_list', (args) => 1 + size(args, 0) * size(args, 1)),
  ['list_sets_equivalent_list', (args) => 1 + 2 * size(args, 0) * size(args, 1)],
  ...group('list_slice lists_range list_reverse', (_args, result) => newList(costSize(result))),
  ['list_flatten', (args) => newList(size(args, 0))],
  ['list_flatten_int', (args) => newList(size(args, 0) * Number(args[1] ?? 1))],
  ['list_distinct', (args) => selfCompare(args[0])],
]);

/** A call that makes a list. */
function newList(elements: number): number {
  return Math.floor(elements) + 1 + 10;
}

/** Every element is compared with every other. */
function selfCompare(list: Value | undefined): number {
  if (!(list instanceof ListValue) || list.size === 0) return newList(0);
  const first = list.at(0);
  const isText = typeof first === 'string' || first instanceof Uint8Array;
  return newList(list.size * list.size * (isText ? 2 + TEXT_FACTOR : 2));
}

function group(names: string, cost: CallCost): [string, CallCost][] {
  return names.split(' ').map((name) => [name, cost]);
}

/** What a call costs besides its arguments. The overload is empty when it is known only at run time. */
export function callCost(fn: string, overloadId: string): CallCost {
  if (overloadId === 'cidr_ip') return one;
  if (UNIT_FUNCTIONS.has(fn)) return one;
  return BY_OVERLOAD.get(overloadId) ?? BY_FUNCTION.get(fn) ?? one;
}

function size(args: readonly Value[], index: number): number {
  const value = args[index];
  return value === undefined ? 1 : costSize(value);
}

function text(length: number): number {
  return Math.ceil(length * TEXT_FACTOR);
}

function regex(length: number, pattern: number): number {
  return Math.ceil((1 + length) * TEXT_FACTOR) * Math.ceil(pattern * REGEX_FACTOR);
}

function selectorCost(length: number): number {
  // Parsing, and a struct and a list for every requirement, of which there is one in two characters.
  return 10 + text(length) + Math.ceil(Math.ceil(length * 0.5) * 50);
}

function isPlainHost(value: Value | undefined): boolean {
  return value instanceof HostValue;
}

function maxRegexSize(value: Value | undefined): number {
  return value instanceof HostValue && 'maxRegexSize' in value ? Number(value.maxRegexSize) : 0;
}

/** The cost of looking at everything in a value. */
function traversal(value: Value): number {
  if (typeof value === 'string') return Math.floor(Buffer.byteLength(value) * TEXT_FACTOR);
  if (value instanceof Uint8Array) return Math.floor(value.length * TEXT_FACTOR);
  if (value instanceof ListValue) {
    let cost = 0;
    for (const element of value) cost += traversal(element);
    return cost;
  }
  if (value instanceof MapValue) {
    let cost = 0;
    for (const key of value.keys()) cost += traversal(key) + traversal(value.get(mapKey(key) ?? '') ?? null);
    return cost;
  }
  return 1;
}
