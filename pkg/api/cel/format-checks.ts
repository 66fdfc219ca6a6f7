import type { CallExpr, Expr } from './ast.ts';
import type { Checked } from './checker.ts';
import type { Issue } from './source.ts';
import { DYN } from './types.ts';

interface Clause {
  readonly kinds: ReadonlySet<string>;
  /** Goes before what was given instead. */
  readonly problem: string;
}

function clause(kinds: readonly string[], problem: string): Clause {
  return { kinds: new Set(kinds), problem };
}

const CLAUSES: ReadonlyMap<string, Clause> = new Map([
  ['d', clause(['int', 'uint'], 'decimal clause can only be used on integers')],
  ['o', clause(['int', 'uint'], 'octal clause can only be used on integers')],
  ['b', clause(['int', 'uint', 'bool'], 'only integers and bools can be formatted as binary')],
  ['x', clause(['int', 'uint', 'string', 'bytes'], 'only integers, byte buffers, and strings can be formatted as hex')],
  ['X', clause(['int', 'uint', 'string', 'bytes'], 'only integers, byte buffers, and strings can be formatted as hex')],
  ['f', clause(['double', 'string'], 'fixed-point clause can only be used on doubles')],
  ['e', clause(['double', 'string'], 'scientific clause can only be used on doubles')],
  [
    's',
    clause(
      ['string', 'bool', 'bytes', 'int', 'uint', 'double', 'map', 'list', 'type', 'duration', 'timestamp', 'null'],
      'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
    ),
  ],
]);

/** Checks a call of `format` on a literal with a literal list: the clauses must fit the types of the values. */
export function checkFormat({ target, args, pos }: CallExpr, checked: Checked, issues: Issue[]): void {
  const list = args[0];
  if (target?.kind !== 'const' || typeof target.value !== 'string' || args.length !== 1 || list?.kind !== 'list')
    return;
  const values = list.elements.map((element) => element.value);
  let used = 0;
  for (const [text, verb] of target.value.matchAll(/%(?:%|(?:\.\d+)?(.)?)/gsu)) {
    if (text === '%%') continue;
    const value = values[used];
    const wanted = CLAUSES.get(verb ?? '');
    let problem: string | undefined;
    if (verb === undefined) problem = 'unexpected end of string';
    else if (value === undefined) problem = `index ${used} out of range`;
    else if (wanted === undefined) {
      problem = `could not parse formatting clause: unrecognized formatting clause "${verb}"`;
    } else if (!checkValue(value, wanted, verb === 's', checked, issues)) return;
    if (problem !== undefined) {
      issues.push({ pos, message: problem });
      return;
    }
    used++;
  }
  if (used < values.length) {
    const detail = `(expected ${used}, got ${values.length})`;
    issues.push({ pos, message: `too many arguments supplied to string.format ${detail}` });
  }
}

/** Whether the clause can show the value. */
function checkValue(value: Expr, wanted: Clause, isDeep: boolean, checked: Checked, issues: Issue[]): boolean {
  const type = checked.types.get(value.id) ?? DYN;
  if (type.kind === 'dyn' || type.kind === 'param') return true;
  if (!wanted.kinds.has(type.kind)) {
    issues.push({ pos: value.pos, message: `error during formatting: ${wanted.problem}, was given ${type.name}` });
    return false;
  }
  if (!isDeep) return true;
  const fits = (below: Expr): boolean => checkValue(below, wanted, isDeep, checked, issues);
  if (value.kind === 'list') return value.elements.every((element) => fits(element.value));
  if (value.kind === 'map') return value.entries.every((entry) => fits(entry.key) && fits(entry.value));
  return true;
}
