import { add, type CostEstimate, exactly, multiply, scale, sum, UNKNOWN_SIZE, union } from './cost-range.ts';
import type { Operand } from './operand.ts';
import { CHECK_COST, REGEX_FACTOR, TEXT_FACTOR, UNIT_FUNCTIONS } from './runtime-cost.ts';
import type { CelType } from './types.ts';

export interface CallEstimate {
  readonly cost: CostEstimate;
  /** Of the result. */
  readonly size?: CostEstimate;
}

type Estimate = (args: readonly Operand[]) => CallEstimate | undefined;

const ONE = exactly(1);
/** The longest pattern behind a named format. */
const MAX_FORMAT_PATTERN = 128;
const MAX_FORMAT_SIZE = 64;
const ADDRESS_BYTES: CostEstimate = { min: 4, max: 16 };

/** What a call costs with its arguments; a receiver's own cost is not in it. */
export function estimateCall(
  fn: string,
  overload: string,
  target: Operand | undefined,
  args: readonly Operand[],
): CallEstimate {
  const argCosts = args.map((arg) => arg.cost);
  const all = target === undefined ? args : [target, ...args];
  const own = UNIT_FUNCTIONS.has(fn) || overload === 'cidr_ip' ? { cost: ONE } : estimateOwn(fn, overload, all);
  if (own !== undefined) return { ...own, cost: add(own.cost, sum(argCosts)) };
  const [first, second, third] = args;
  if (overload === 'logical_and' || overload === 'logical_or') {
    const [left = ONE, right = ONE] = argCosts;
    return { cost: { min: left.min, max: add(left, right).max } };
  }
  if (overload === 'conditional' && first !== undefined && second !== undefined && third !== undefined) {
    return { cost: add(first.cost, union(second.cost, third.cost)), size: union(sizeOf(second), sizeOf(third)) };
  }
  return { cost: add(ONE, sum(argCosts)) };
}

function estimateOwn(fn: string, overload: string, all: readonly Operand[]): CallEstimate | undefined {
  return BY_FUNCTION.get(fn)?.(all) ?? BY_OVERLOAD.get(overload)?.(all);
}

function sizeOf(operand: Operand | undefined): CostEstimate {
  return operand?.size ?? UNKNOWN_SIZE;
}

function traversal(operand: Operand | undefined, factor = 1): CostEstimate {
  return scale(sizeOf(operand), factor * TEXT_FACTOR);
}

function group(names: string, estimate: Estimate): [string, Estimate][] {
  return names.split(' ').map((name) => [name, estimate]);
}

const BY_FUNCTION: ReadonlyMap<string, Estimate> = new Map<string, Estimate>([
  ['check', () => ({ cost: exactly(CHECK_COST) })],
  ...group('fieldSelector labelSelector', ([, selector]) => {
    const size = sizeOf(selector);
    return { cost: add(exactly(10), add(scale(size, TEXT_FACTOR), scale(scale(size, 0.5), 50))) };
  }),
  ...group('isSorted sum max min indexOf lastIndexOf', ([list]) => listTraversal(list, false)),
  ['includes', ([list]) => listTraversal(list, true)],
  ...group('url jsonpatch.escapeKey lowerAscii upperAscii substring trim', ([text]) => ({
    cost: traversal(text),
    size: sizeOf(text),
  })),
  ['replace', estimateReplace],
  ['split', estimateSplit],
  ['join', estimateJoin],
  ...group('find findAll', ([text, pattern]) => ({
    cost: regexCost(sizeOf(text), sizeOf(pattern)),
    size: { min: 0, max: sizeOf(text).max },
  })),
  ...group('cidr isIP isCIDR ip quantity isQuantity semver isSemver', ([text]) => ({ cost: traversal(text) })),
  ['ip.isCanonical', ([text]) => ({ cost: traversal(text, 2) })],
  ['validate', ([, text]) => ({ cost: scale(traversal(text), MAX_FORMAT_PATTERN * REGEX_FACTOR) })],
  ['sort', ([list]) => selfCompare(list)],
  ['@sortByAssociatedKeys', ([, keys]) => selfCompare(keys)],
  ['_==_', ([a, b]) => hostEquality(a?.type, b?.type)],
]);

const BY_OVERLOAD: ReadonlyMap<string, Estimate> = new Map<string, Estimate>([
  ['string_format', ([text]) => ({ cost: traversal(text) })],
  [
    'string_to_bytes',
    ([text]) => ({ cost: traversal(text), size: { min: sizeOf(text).min, max: sizeOf(text).max * 4 } }),
  ],
  [
    'bytes_to_string',
    ([bytes]) => ({ cost: traversal(bytes), size: { min: Math.floor(sizeOf(bytes).min / 4), max: sizeOf(bytes).max } }),
  ],
  [
    'strings_quote',
    ([text]) => ({ cost: traversal(text), size: { min: sizeOf(text).min + 2, max: sizeOf(text).max * 2 + 2 } }),
  ],
  ...group('starts_with_string ends_with_string', ([, part]) => ({ cost: traversal(part) })),
  ['in_list', ([, list]) => ({ cost: sizeOf(list) })],
  ['matches_string', ([text, pattern]) => ({ cost: regexCost(sizeOf(text), sizeOf(pattern)) })],
  ['contains_string', ([text, part]) => ({ cost: multiply(traversal(text), traversal(part)) })],
  ...group('add_string add_bytes', ([a, b]) => {
    const size = add(sizeOf(a), sizeOf(b));
    return { cost: scale(size, TEXT_FACTOR), size };
  }),
  ['add_list', ([a, b]) => ({ cost: ONE, size: add(sizeOf(a), sizeOf(b)) })],
  ...group('equals not_equals', comparison),
  ...['less', 'less_equals', 'greater', 'greater_equals'].flatMap((name) =>
    group(`${name}_string ${name}_bytes`, comparison),
  ),
  ...group('list_sets_contains_list list_sets_intersects_list', ([a, b]) => ({
    cost: add(multiply(sizeOf(a), sizeOf(b)), ONE),
  })),
  ['list_sets_equivalent_list', ([a, b]) => ({ cost: add(scale(multiply(sizeOf(a), sizeOf(b)), 2), ONE) })],
  ['list_slice', ([list, from, to]) => newList(exactly(literalOf(to, sizeOf(list).max) - literalOf(from, 0)))],
  ['lists_range', ([count]) => newList(exactly(literalOf(count, UNKNOWN_SIZE.max)))],
  ['list_reverse', ([list]) => newList(sizeOf(list))],
  ['list_flatten', ([list]) => newList(sizeOf(list))],
  ['list_flatten_int', ([list, depth]) => newList(sizeOf(list), literalOf(depth, UNKNOWN_SIZE.max))],
  ['list_distinct', ([list]) => newList(multiply(sizeOf(list), sizeOf(list)), 2)],
  ['cidr_contains_ip', () => ({ cost: containsAddress() })],
  ['cidr_contains_ip_string', ([, text]) => ({ cost: add(containsAddress(), traversal(text)) })],
  ['cidr_contains_cidr', () => ({ cost: containsRange() })],
  ['cidr_contains_cidr_string', ([, text]) => ({ cost: add(containsRange(), traversal(text)) })],
]);

/** A call that makes a list. */
function newList(size: CostEstimate, factor = 1): CallEstimate {
  return { cost: add(scale(size, factor), exactly(11)), size };
}

function selfCompare(keys: Operand | undefined): CallEstimate {
  const kind = keys?.type.params[0]?.kind;
  const size = sizeOf(keys);
  return newList(multiply(size, size), kind === 'string' || kind === 'bytes' ? 2 + TEXT_FACTOR : 2);
}

function literalOf(operand: Operand | undefined, otherwise: number): number {
  const { expr } = operand ?? {};
  return expr?.kind === 'const' && typeof expr.value === 'bigint' ? Math.max(0, Number(expr.value)) : otherwise;
}

function containsAddress(): CostEstimate {
  return scale(add(ADDRESS_BYTES, ADDRESS_BYTES), TEXT_FACTOR);
}

function containsRange(): CostEstimate {
  return add(add(containsAddress(), scale(ADDRESS_BYTES, TEXT_FACTOR)), ONE);
}

/** At most the smaller of the two is looked at. */
function comparison([a, b]: readonly Operand[]): CallEstimate {
  const max = Math.min(sizeOf(a).max, sizeOf(b).max);
  return { cost: scale({ min: max > 0 ? 1 : 0, max }, TEXT_FACTOR) };
}

const HOST_EQUALITY: ReadonlyMap<string, CostEstimate> = new Map([
  ...[
    'net.IP',
    'net.CIDR',
    'kubernetes.Quantity',
    'kubernetes.Semver',
    'kubernetes.authorization.Authorizer',
    'kubernetes.authorization.PathCheck',
    'kubernetes.authorization.GroupCheck',
    'kubernetes.authorization.ResourceCheck',
    'kubernetes.authorization.Decision',
    'kubernetes.URL',
  ].map((name) => [name, ONE] as const),
  ['kubernetes.NamedFormat', scale({ min: 1, max: MAX_FORMAT_SIZE }, TEXT_FACTOR)],
]);

function hostEquality(a: CelType | undefined, b: CelType | undefined): CallEstimate | undefined {
  const cost = a !== undefined && a.name === b?.name ? HOST_EQUALITY.get(a.name) : undefined;
  return cost === undefined ? undefined : { cost };
}

function regexCost(text: CostEstimate, pattern: CostEstimate): CostEstimate {
  return multiply(scale(add(text, ONE), TEXT_FACTOR), scale(pattern, REGEX_FACTOR));
}

/** One for each element, and the reading of elements that are texts; of a text its reading. */
function listTraversal(list: Operand | undefined, dynIsList: boolean): CallEstimate | undefined {
  if (list === undefined) return undefined;
  const element = list.type.kind === 'list' ? list.type.params[0] : undefined;
  if (element === undefined) {
    return { cost: dynIsList ? sizeOf(list) : traversal(list) };
  }
  const isText = element.kind === 'string' || element.kind === 'bytes';
  const cost = isText ? add(ONE, scale(elementSize(list), TEXT_FACTOR)) : ONE;
  return { cost: multiply(sizeOf(list), cost) };
}

function elementSize(list: Operand): CostEstimate {
  const element = list.decl?.element;
  return element === undefined ? UNKNOWN_SIZE : { min: 0, max: element.maxElements };
}

function estimateReplace([text, from, to]: readonly Operand[]): CallEstimate | undefined {
  if (text === undefined || from === undefined || to === undefined) return undefined;
  const size = sizeOf(text);
  const old = sizeOf(from);
  const replacement = sizeOf(to);
  const count = { min: 0, max: 0 };
  const kept = { min: 0, max: 0 };
  if (old.min === 0) {
    // An empty text is found around every character.
    count.max = size.max + 1;
    kept.max = size.max;
  } else if (replacement.max <= old.min) {
    kept.max = size.max;
  } else {
    count.max = Math.ceil(size.max / old.min);
  }
  if (old.max === 0) {
    count.min = size.min + 1;
    kept.min = size.min;
  } else if (old.max <= replacement.min) {
    kept.min = size.min;
  } else {
    count.min = Math.ceil(size.min / old.max);
  }
  return { cost: traversal(text, 2), size: add(multiply(count, replacement), kept) };
}

function estimateSplit([text, , limit]: readonly Operand[]): CallEstimate {
  const literal =
    limit?.expr.kind === 'const' && typeof limit.expr.value === 'bigint' ? Number(limit.expr.value) : undefined;
  const max = literal === undefined ? sizeOf(text).max : literal < 0 ? UNKNOWN_SIZE.max : literal;
  return { cost: traversal(text, 2), size: { min: 0, max } };
}

function estimateJoin([list, separator]: readonly Operand[]): CallEstimate | undefined {
  if (list === undefined) return undefined;
  const count = sizeOf(list);
  let size = multiply(count, elementSize(list));
  if (separator !== undefined) {
    const between = { min: Math.max(0, count.min - 1), max: Math.max(0, count.max - 1) };
    size = add(size, multiply(sizeOf(separator), between));
  }
  return { cost: scale(size, TEXT_FACTOR), size };
}
