import { type Implementation, type Library, type Overload, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import type { Macro } from '../macros.ts';
import { ParseFailure } from '../source.ts';
import { compareValues, type ListValue, Uint, type Value } from '../values.ts';
import { intOf } from './arithmetic.ts';

const MASK = 2n ** 64n - 1n;
const NUMBERS = ['int', 'uint', 'double'];

/** cel-go's math extension. Not part of Kubernetes' environment. */
export function mathLibrary(): Library {
  return {
    name: 'math',
    macros: new Map<string, Macro>(
      ['greatest', 'least'].flatMap((fn) =>
        Array.from({ length: 32 }, (_, i) => [`.${fn}/${i}`, extreme(fn)] as const),
      ),
    ),
    overloads: [...extremes('math.@max', 1), ...extremes('math.@min', -1), ...rounding(), ...bits(), ...signs()],
  };
}

/** math.greatest and math.least take any number of numbers, or a list of them. */
function extreme(fn: string): Macro {
  return (nodes, call) => {
    if (call.target?.kind !== 'ident' || call.target.name !== 'math') return undefined;
    const fail = (pos: number, message: string): never => {
      throw new ParseFailure([{ pos, message: `math.${fn}() ${message}` }]);
    };
    const [first] = call.args;
    if (first === undefined) return fail(call.pos, 'requires at least one argument');
    for (const arg of call.args) {
      const bad = arg.kind === 'const' && !isNumber(arg.value);
      const badList = arg.kind === 'map' || arg.kind === 'struct' || (arg.kind === 'list' && call.args.length > 1);
      if (bad || badList) fail(arg.pos, 'simple literal arguments must be numeric');
    }
    if (first.kind === 'list' && call.args.length === 1) {
      const literals = first.elements.every(({ value }) => value.kind !== 'const' || isNumber(value.value));
      if (first.elements.length === 0 || !literals) fail(first.pos, 'invalid single argument value');
    }
    const args = call.args.length <= 2 ? call.args : [nodes.list(call.pos, ...call.args)];
    return nodes.call(call.pos, fn === 'greatest' ? 'math.@max' : 'math.@min', ...args);
  };
}

function isNumber(value: Value): boolean {
  return typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint;
}

function extremes(fn: string, sign: 1 | -1): Overload[] {
  const pick = (a: Value, b: Value): Value => ((compareValues(a, b) ?? 0) * sign >= 0 ? a : b);
  const pickAll = (list: ListValue): Value => {
    let best: Value | undefined;
    for (const value of list) {
      if (!isNumber(value)) throw new Failure('no such overload');
      best = best === undefined ? value : pick(best, value);
    }
    if (best === undefined) throw new Failure(`${fn}(list) argument must not be empty`);
    return best;
  };
  const pairs = NUMBERS.flatMap((a) =>
    NUMBERS.map((b) => overload(`${fn}_${a}_${b}`, `${fn}(${a}, ${b}) ${a === b ? a : 'dyn'}`, pick)),
  );
  const lists = NUMBERS.map((type) => overload(`${fn}_list_${type}`, `${fn}(list<${type}>) ${type}`, pickAll));
  const single = NUMBERS.map((type) => overload(`${fn}_${type}`, `${fn}(${type}) ${type}`, (value: Value) => value));
  return [...single, ...pairs, ...lists];
}

function rounding(): Overload[] {
  const round = (value: number): number => (value < 0 ? -Math.round(-value) : Math.round(value));
  const functions: Readonly<Record<string, (value: number) => number | boolean>> = {
    ceil: Math.ceil,
    floor: Math.floor,
    round,
    trunc: Math.trunc,
    isInf: (value) => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY,
    isNaN: (value) => Number.isNaN(value),
    isFinite: (value) => Number.isFinite(value),
  };
  return Object.entries(functions).map(([name, compute]) =>
    overload(
      `math_${name}_double`,
      `math.${name}(double) ${name.startsWith('is') ? 'bool' : 'double'}`,
      compute as Implementation,
    ),
  );
}

function signs(): Overload[] {
  return [
    overload('math_abs_double', 'math.abs(double) double', Math.abs),
    overload('math_abs_int', 'math.abs(int) int', (value: bigint) => intOf(value < 0n ? -value : value)),
    overload('math_abs_uint', 'math.abs(uint) uint', (value: Uint) => value),
    overload('math_sign_double', 'math.sign(double) double', Math.sign),
    overload('math_sign_int', 'math.sign(int) int', (value: bigint) => (value > 0n ? 1n : value < 0n ? -1n : 0n)),
    overload('math_sign_uint', 'math.sign(uint) uint', (value: Uint) => (value.value > 0n ? new Uint(1n) : value)),
    overload('math_sqrt_double', 'math.sqrt(double) double', Math.sqrt),
    overload('math_sqrt_int', 'math.sqrt(int) double', (value: bigint) => Math.sqrt(Number(value))),
    overload('math_sqrt_uint', 'math.sqrt(uint) double', (value: Uint) => Math.sqrt(Number(value.value))),
  ];
}

function bits(): Overload[] {
  const binary: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
    bitAnd: (a, b) => a & b,
    bitOr: (a, b) => a | b,
    bitXor: (a, b) => a ^ b,
  };
  const shifts: Readonly<Record<string, (a: bigint, by: bigint) => bigint>> = {
    bitShiftLeft: (a, by) => a << by,
    bitShiftRight: (a, by) => (a & MASK) >> by,
  };
  const offset = (fn: string, by: bigint): bigint => {
    if (by < 0n) throw new Failure(`math.${fn}() negative offset: ${by}`);
    return by > 64n ? 64n : by;
  };
  return [
    ...Object.entries(binary).flatMap(([name, compute]) => [
      overload(`math_${name}_int_int`, `math.${name}(int, int) int`, compute),
      overload(
        `math_${name}_uint_uint`,
        `math.${name}(uint, uint) uint`,
        (a: Uint, b: Uint) => new Uint(compute(a.value, b.value)),
      ),
    ]),
    ...Object.entries(shifts).flatMap(([name, compute]) => [
      overload(`math_${name}_int_int`, `math.${name}(int, int) int`, (a: bigint, by: bigint) =>
        BigInt.asIntN(64, compute(a, offset(name, by))),
      ),
      overload(
        `math_${name}_uint_int`,
        `math.${name}(uint, int) uint`,
        (a: Uint, by: bigint) => new Uint(BigInt.asUintN(64, compute(a.value, offset(name, by)))),
      ),
    ]),
    overload('math_bitNot_int', 'math.bitNot(int) int', (value: bigint) => ~value),
    overload('math_bitNot_uint', 'math.bitNot(uint) uint', (value: Uint) => new Uint(~value.value & MASK)),
  ];
}
