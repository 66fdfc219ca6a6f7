import { ACCUMULATOR, type Expr } from './ast.ts';
import type { NodeFactory } from './nodes.ts';
import { ParseFailure } from './source.ts';

export interface MacroCall {
  readonly fn: string;
  readonly pos: number;
  readonly target?: Expr | undefined;
  readonly args: readonly Expr[];
}

/** Builds what a macro stands for; undefined when the call is none of its. */
export type Macro = (nodes: NodeFactory, call: MacroCall) => Expr | undefined;

/** Macros by `name/arguments`, or `.name/arguments` for members. */
export type MacroSet = ReadonlyMap<string, Macro>;

export function expandMacro(macros: MacroSet, nodes: NodeFactory, call: MacroCall): Expr | undefined {
  const key = `${call.target === undefined ? '' : '.'}${call.fn}/${call.args.length}`;
  return macros.get(key)?.(nodes, call);
}

function fail(pos: number, message: string): never {
  throw new ParseFailure([{ pos, message }]);
}

/** The simple name that a macro's variable argument must be. */
function variable(expr: Expr | undefined, message = 'argument must be a simple name'): string {
  if (expr?.kind !== 'ident' || expr.name.startsWith('.')) return fail(expr?.pos ?? 0, message);
  if (expr.name === ACCUMULATOR || expr.name === '__result__')
    fail(expr.pos, 'iteration variable overwrites accumulator variable');
  return expr.name;
}

interface Fold {
  readonly range: Expr;
  readonly vars: readonly string[];
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

function fold(nodes: NodeFactory, pos: number, parts: Fold): Expr {
  const [iterVar = '#unused', iterVar2] = parts.vars;
  const { range, init: accuInit, condition, step, result } = parts;
  const base = {
    kind: 'fold',
    id: nodes.nextId(),
    pos,
    range,
    accuVar: ACCUMULATOR,
    accuInit,
    condition,
    step,
  } as const;
  return iterVar2 === undefined ? { ...base, iterVar, result } : { ...base, iterVar, iterVar2, result };
}

/** The range, the variables and the expressions of a macro with one or two variables. */
function pieces(
  call: MacroCall,
  width: 1 | 2,
  message?: string,
): { range: Expr; vars: string[]; bodies: readonly Expr[] } {
  const vars = call.args.slice(0, width).map((arg) => variable(arg, message));
  if (width === 2 && vars[0] === vars[1]) fail(call.args[1]?.pos ?? 0, `duplicate variable name: ${vars[0]}`);
  return { range: call.target ?? fail(call.pos, 'a receiver is needed'), vars, bodies: call.args.slice(width) };
}

function body(bodies: readonly Expr[], index: number): Expr {
  return bodies[index] ?? fail(0, 'an argument is missing');
}

function quantifier(width: 1 | 2, all: boolean): Macro {
  return (nodes, call) => {
    const { range, vars, bodies } = pieces(call, width);
    const { pos } = call;
    const accu = (): Expr => nodes.ident(pos, ACCUMULATOR);
    const running = all ? accu() : nodes.call(pos, '!_', accu());
    return fold(nodes, pos, {
      range,
      vars,
      init: nodes.constant(pos, all),
      condition: nodes.call(pos, '@not_strictly_false', running),
      step: nodes.call(pos, all ? '_&&_' : '_||_', accu(), body(bodies, 0)),
      result: accu(),
    });
  };
}

function existsOne(width: 1 | 2): Macro {
  return (nodes, call) => {
    const { range, vars, bodies } = pieces(call, width);
    const { pos } = call;
    const accu = (): Expr => nodes.ident(pos, ACCUMULATOR);
    const more = nodes.call(pos, '_+_', accu(), nodes.constant(pos, 1n));
    return fold(nodes, pos, {
      range,
      vars,
      init: nodes.constant(pos, 0n),
      condition: nodes.constant(pos, true),
      step: nodes.call(pos, '_?_:_', body(bodies, 0), more, accu()),
      result: nodes.call(pos, '_==_', accu(), nodes.constant(pos, 1n)),
    });
  };
}

/** map, filter and transformList: a list grown by one element a round, where the filter holds. */
function collect(width: 1 | 2, filtered: boolean, own: boolean): Macro {
  return (nodes, call) => {
    const { range, vars, bodies } = pieces(call, width, width === 1 ? 'argument is not an identifier' : undefined);
    const { pos } = call;
    const accu = (): Expr => nodes.ident(pos, ACCUMULATOR);
    const element = own ? nodes.ident(call.args[0]?.pos ?? pos, vars[0] ?? '') : body(bodies, filtered ? 1 : 0);
    const grown = nodes.call(pos, '_+_', accu(), nodes.list(pos, element));
    const step = filtered ? nodes.call(pos, '_?_:_', body(bodies, 0), grown, accu()) : grown;
    const condition = nodes.constant(pos, true);
    return fold(nodes, pos, { range, vars, init: nodes.list(pos), condition, step, result: accu() });
  };
}

function transformMap(filtered: boolean, entry: boolean): Macro {
  return (nodes, call) => {
    const { range, vars, bodies } = pieces(call, 2);
    const { pos } = call;
    const accu = (): Expr => nodes.ident(pos, ACCUMULATOR);
    const value = body(bodies, filtered ? 1 : 0);
    const key = nodes.ident(pos, vars[0] ?? '');
    const grown = entry
      ? nodes.call(pos, 'cel.@mapInsert', accu(), value)
      : nodes.call(pos, 'cel.@mapInsert', accu(), key, value);
    const step = filtered ? nodes.call(pos, '_?_:_', body(bodies, 0), grown, accu()) : grown;
    const init: Expr = { kind: 'map', id: nodes.nextId(), pos, entries: [] };
    return fold(nodes, pos, { range, vars, init, condition: nodes.constant(pos, true), step, result: accu() });
  };
}

const has: Macro = (nodes, call) => {
  const arg = call.args[0];
  if (arg?.kind !== 'select' || arg.testOnly) return fail(arg?.pos ?? call.pos, 'invalid argument to has() macro');
  return { ...arg, id: nodes.nextId(), pos: call.pos, testOnly: true };
};

/** A variable with a value for the length of an expression: a fold over nothing. */
export function bind(nodes: NodeFactory, pos: number, name: string, value: Expr, result: Expr): Expr {
  const range = nodes.list(pos);
  const condition = nodes.constant(pos, false);
  const step = nodes.ident(pos, name);
  const parts = { range, iterVar: '#unused', accuVar: name, accuInit: value, condition, step, result };
  return { kind: 'fold', id: nodes.nextId(), pos, ...parts };
}

function optionalMap(flat: boolean): Macro {
  return (nodes, call) => {
    const { target, pos } = call;
    if (target === undefined) return undefined;
    const name = variable(call.args[0], 'optMap() variable name must be a simple identifier');
    const value = nodes.member(pos, nodes.reuse(target), 'value');
    const mapped = bind(nodes, pos, name, value, body(call.args, 1));
    const present = flat ? mapped : nodes.call(pos, 'optional.of', mapped);
    const absent = nodes.call(pos, 'optional.none');
    return nodes.call(pos, '_?_:_', nodes.member(pos, target, 'hasValue'), present, absent);
  };
}

/** `list.map(x, expression)`, for macros that are built on it. */
export const mapMacro: Macro = collect(1, false, false);

export const STANDARD_MACROS: MacroSet = new Map<string, Macro>([
  ['has/1', has],
  ['.all/2', quantifier(1, true)],
  ['.exists/2', quantifier(1, false)],
  ['.exists_one/2', existsOne(1)],
  ['.existsOne/2', existsOne(1)],
  ['.map/2', mapMacro],
  ['.map/3', collect(1, true, false)],
  ['.filter/2', collect(1, true, true)],
]);

export const OPTIONAL_MACROS: MacroSet = new Map<string, Macro>([
  ['.optMap/2', optionalMap(false)],
  ['.optFlatMap/2', optionalMap(true)],
]);

export const TWO_VARIABLE_MACROS: MacroSet = new Map<string, Macro>([
  ['.all/3', quantifier(2, true)],
  ['.exists/3', quantifier(2, false)],
  ['.existsOne/3', existsOne(2)],
  ['.exists_one/3', existsOne(2)],
  ['.transformList/3', collect(2, false, false)],
  ['.transformList/4', collect(2, true, false)],
  ['.transformMap/3', transformMap(false, false)],
  ['.transformMap/4', transformMap(true, false)],
  ['.transformMapEntry/3', transformMap(false, true)],
  ['.transformMapEntry/4', transformMap(true, true)],
]);
