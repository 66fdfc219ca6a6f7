import type { MacroSet } from './macros.ts';
import * as types from './types.ts';
import { type CelType, formatType } from './types.ts';
import type { Value } from './values.ts';

/** Computes a call. The arguments match the overload's parameters in kind. Throws a Failure. */
export type Implementation = (...args: never[]) => Value;

/** One form of a function. A member's first parameter is its receiver. */
export interface Overload {
  readonly id: string;
  readonly fn: string;
  readonly member: boolean;
  readonly params: readonly CelType[];
  readonly result: CelType;
  readonly typeParams: readonly string[];
  readonly invoke: (...args: Value[]) => Value;
}

/** A set of functions, macros and names that an environment can have. */
export interface Library {
  readonly name: string;
  readonly overloads: readonly Overload[];
  readonly macros?: MacroSet;
  /** Names with a fixed value, such as types. */
  readonly constants?: ReadonlyMap<string, { readonly type: CelType; readonly value: Value }>;
}

const SIMPLE_TYPES: ReadonlyMap<string, CelType> = new Map(
  Object.entries({
    dyn: types.DYN,
    null: types.NULL,
    bool: types.BOOL,
    int: types.INT,
    uint: types.UINT,
    double: types.DOUBLE,
    string: types.STRING,
    bytes: types.BYTES,
    duration: types.DURATION,
    timestamp: types.TIMESTAMP,
  }),
);

/**
 * Declares an overload from its signature: `size(list<A>) int`; with a receiver `string#charAt(int) string`. Single capitals
 * are type variables, unknown names opaque types.
 */
export function overload(id: string, signature: string, invoke: Implementation): Overload {
  const open = signature.lastIndexOf('(');
  const close = signature.indexOf(')', open);
  const head = signature.slice(0, open);
  const { receiver, fn } = splitHead(head);
  const params = splitTypes(signature.slice(open + 1, close)).map(parseType);
  if (receiver !== undefined) params.unshift(parseType(receiver));
  const result = parseType(signature.slice(close + 1).trim());
  const typeParams = new Set<string>();
  for (const type of [...params, result]) collectParams(type, typeParams);
  return {
    id,
    fn,
    member: receiver !== undefined,
    params,
    result,
    typeParams: [...typeParams],
    invoke: invoke as (...args: Value[]) => Value,
  };
}

function splitHead(head: string): { receiver: string | undefined; fn: string } {
  const mark = head.indexOf('#');
  if (mark < 0) return { receiver: undefined, fn: head };
  return { receiver: head.slice(0, mark), fn: head.slice(mark + 1) };
}

function splitTypes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i <= text.length; i++) {
    const char = text[i];
    if (char === '<') depth++;
    if (char === '>') depth--;
    if (i === text.length || (char === ',' && depth === 0)) {
      const part = text.slice(from, i).trim();
      if (part !== '') parts.push(part);
      from = i + 1;
    }
  }
  return parts;
}

/** `map<string, list<A>>` and the like. */
export function parseType(text: string): CelType {
  const simple = SIMPLE_TYPES.get(text);
  if (simple !== undefined) return simple;
  if (/^[A-Z]$/.test(text)) return types.paramType(text);
  const generic = /^(\w+)<(.*)>$/.exec(text);
  if (generic === null) return types.opaqueType(text);
  const [first = types.DYN, second = types.DYN] = splitTypes(generic[2] ?? '').map(parseType);
  if (generic[1] === 'list') return types.listOf(first);
  if (generic[1] === 'map') return types.mapOf(first, second);
  if (generic[1] === 'type') return types.typeOf(first);
  if (generic[1] === 'optional') return types.optionalOf(first);
  if (generic[1] === 'wrapper') return types.wrapperOf(first);
  throw new Error(`unknown type ${text}`);
}

function collectParams(type: CelType, into: Set<string>): void {
  if (type.kind === 'param') into.add(type.name);
  for (const param of type.params) collectParams(param, into);
}

/** The functions of an environment by name. */
export class FunctionTable {
  readonly #byName = new Map<string, Overload[]>();

  constructor(libraries: readonly Library[]) {
    for (const library of libraries) {
      for (const item of library.overloads) {
        const known = this.#byName.get(item.fn);
        if (known === undefined) this.#byName.set(item.fn, [item]);
        else if (!known.some((other) => other.id === item.id)) known.push(item);
      }
    }
  }

  get(name: string): readonly Overload[] | undefined {
    return this.#byName.get(name);
  }
}

/** For error texts: the arguments of a call as cel-go lists them. */
export function formatCall(member: boolean, args: readonly CelType[]): string {
  const shown = args.map(formatType);
  if (!member) return `(${shown.join(', ')})`;
  return `${shown[0] ?? ''}.(${shown.slice(1).join(', ')})`;
}
