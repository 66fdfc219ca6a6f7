import type { CallExpr, Expr } from './ast.ts';
import { candidateNames } from './checker.ts';
import type { Overload } from './declarations.ts';
import { Failure, noSuchOverload } from './failure.ts';
import { charge, type Frame, matchesType, type Run } from './runtime.ts';
import { callCost } from './runtime-cost.ts';
import { type ExprCompiler, foldConstant, type Step } from './step.ts';
import { ArrayList, equalValues, mapKey, OptionalValue, type Value } from './values.ts';

/** Compiles a call. The logical operators and the conditional evaluate only what they need. */
export function compileCall(compiler: ExprCompiler, expr: CallExpr): Step {
  const [first, second, third] = expr.args as [Expr, Expr, Expr];
  switch (expr.fn) {
    case '_&&_':
      return { run: logic(compiler.compile(first).run, compiler.compile(second).run, false) };
    case '_||_':
      return { run: logic(compiler.compile(first).run, compiler.compile(second).run, true) };
    case '_?_:_':
      return conditional(compiler, first, second, third);
    case '@not_strictly_false':
      return { run: notStrictlyFalse(compiler.compile(first).run) };
    case '_==_':
      return { run: equality(compiler, expr, true) };
    case '_!=_':
      return { run: equality(compiler, expr, false) };
    default:
      return plainCall(compiler, expr);
  }
}

/** || where `decisive` is true, && where it is false. A decisive side wins over a failure of the other. */
function logic(left: Run, right: Run, decisive: boolean): Run {
  return (frame) => {
    let failure: Failure | undefined;
    try {
      const value = left(frame);
      if (value === decisive) return decisive;
      if (value !== !decisive) failure = new Failure('no such overload');
    } catch (caught) {
      if (!(caught instanceof Failure)) throw caught;
      failure = caught;
    }
    const value = right(frame);
    if (value === decisive) return decisive;
    if (failure !== undefined) throw failure;
    return value === !decisive ? value : noSuchOverload();
  };
}

function conditional(compiler: ExprCompiler, condition: Expr, whenTrue: Expr, whenFalse: Expr): Step {
  const test = compiler.compile(condition).run;
  const yes = compiler.compile(whenTrue, compiler.isAttribute(whenTrue)).run;
  const no = compiler.compile(whenFalse, compiler.isAttribute(whenFalse)).run;
  return {
    run: (frame) => {
      const value = test(frame);
      if (value === true) return yes(frame);
      return value === false ? no(frame) : noSuchOverload();
    },
  };
}

function notStrictlyFalse(run: Run): Run {
  return (frame) => {
    let value: Value = true;
    try {
      value = run(frame);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
    }
    charge(frame, 1);
    return value !== false;
  };
}

function equality(compiler: ExprCompiler, expr: CallExpr, wanted: boolean): Run {
  const [left, right] = expr.args.map((arg) => compiler.compile(arg).run) as [Run, Run];
  const cost = callCost(expr.fn, wanted ? 'equals' : 'not_equals');
  return (frame) => {
    const a = left(frame);
    const b = right(frame);
    const equal = equalValues(a, b) === wanted;
    charge(frame, cost([a, b], equal));
    return equal;
  };
}

interface Target {
  readonly fn: string;
  readonly overloads: readonly Overload[];
  readonly args: readonly Expr[];
}

function plainCall(compiler: ExprCompiler, expr: CallExpr): Step {
  const target = findTarget(compiler, expr);
  if (target === undefined) {
    const failure = new Failure(`unbound function: ${expr.fn}()`);
    return {
      run: () => {
        throw failure;
      },
    };
  }
  const steps = target.args.map((arg) => compiler.compile(arg));
  const [receiver, other] = steps;
  const alternative = target.overloads.some(
    ({ id }) => id === 'optional_or_optional' || id === 'optional_orValue_value',
  );
  if (alternative && receiver !== undefined && other !== undefined) {
    return { run: optionalOr(receiver.run, other.run, target.fn === 'orValue') };
  }
  if (expr.fn === '@in') {
    const membership = constantMembership(steps);
    if (membership !== undefined) return membership;
  }
  const only = target.overloads.length === 1 ? target.overloads[0] : undefined;
  const constant = steps[0]?.constant;
  if (compiler.scope.foldConstants && CONVERSIONS.has(target.fn) && steps.length === 1 && constant !== undefined) {
    return foldConstant(() => dispatch(target.overloads, [constant.value]));
  }
  const cost = callCost(target.fn, only?.id ?? '');
  const runs = steps.map((step) => step.run);
  return { run: only === undefined ? dynamicCall(target.overloads, runs, cost) : directCall(only, runs, cost) };
}

/** `a.or(b)` and `a.orValue(b)`: b is evaluated when a is empty. */
function optionalOr(receiver: Run, other: Run, unwrap: boolean): Run {
  return (frame) => {
    const optional = receiver(frame);
    if (!(optional instanceof OptionalValue)) return noSuchOverload();
    if (optional.value === undefined) return other(frame);
    return unwrap ? optional.value : optional;
  };
}

const CONVERSIONS = new Set('bool bytes double duration dyn int string timestamp type uint'.split(' '));

type Cost = (args: readonly Value[], result: Value) => number;

function directCall(only: Overload, runs: readonly Run[], cost: Cost): Run {
  const [first, second] = runs;
  const [firstType, secondType] = only.params;
  const { invoke } = only;
  if (runs.length === 1 && first !== undefined && firstType !== undefined) {
    return (frame) => {
      const a = first(frame);
      if (!matchesType(firstType, a)) noSuchOverload();
      const result = invoke(a);
      charge(frame, cost([a], result));
      return result;
    };
  }
  if (runs.length === 2 && first !== undefined && second !== undefined && firstType && secondType) {
    return (frame) => {
      const a = first(frame);
      const b = second(frame);
      if (!matchesType(firstType, a) || !matchesType(secondType, b)) noSuchOverload();
      const result = invoke(a, b);
      charge(frame, cost([a, b], result));
      return result;
    };
  }
  return dynamicCall([only], runs, cost);
}

function dynamicCall(overloads: readonly Overload[], runs: readonly Run[], cost: Cost): Run {
  return (frame) => {
    const args = runs.map((run) => run(frame));
    const result = dispatch(overloads, args);
    charge(frame, cost(args, result));
    return result;
  };
}

function dispatch(overloads: readonly Overload[], args: readonly Value[]): Value {
  const fitting = overloads.find(
    (candidate) =>
      candidate.params.length === args.length &&
      candidate.params.every((type, i) => matchesType(type, args[i] as Value)),
  );
  return fitting === undefined ? noSuchOverload() : fitting.invoke(...args);
}

/** The overloads of a call; of expressions that have not been checked, all of the name. */
function findTarget(compiler: ExprCompiler, expr: CallExpr): Target | undefined {
  const reference = compiler.checked.references.get(expr.id);
  const withReceiver = expr.target === undefined ? expr.args : [expr.target, ...expr.args];
  if (reference?.overloads !== undefined) {
    const { overloads, global } = reference;
    return { fn: overloads[0]?.fn ?? expr.fn, overloads, args: global ? expr.args : withReceiver };
  }
  const { functions, container } = compiler.scope;
  const prefix = expr.target === undefined ? undefined : compiler.qualifiedName(expr.target);
  if (prefix !== undefined) {
    for (const name of candidateNames(container, `${prefix}.${expr.fn}`)) {
      const overloads = functions.get(name);
      if (overloads !== undefined) return { fn: name, overloads, args: expr.args };
    }
  }
  for (const name of expr.target === undefined ? candidateNames(container, expr.fn) : [expr.fn]) {
    const overloads = functions.get(name)?.filter((candidate) => candidate.member === (expr.target !== undefined));
    if (overloads !== undefined) return { fn: name, overloads, args: withReceiver };
  }
  return undefined;
}

/** `x in [constants]`, which costs what x costs. */
function constantMembership(steps: readonly Step[]): Step | undefined {
  const [element, list] = steps;
  const values = list?.constant?.value;
  if (element === undefined || !(values instanceof ArrayList)) return undefined;
  const members = [...values];
  if (members.length === 0) return { run: () => false, constant: { value: false } };
  const simple = members.every((member) => mapKey(member) !== undefined || typeof member === 'number');
  if (!simple) return undefined;
  const keys = new Set(members.map(mapKey));
  const { run } = element;
  return {
    run: (frame: Frame) => {
      const value = run(frame);
      const key = mapKey(value);
      if (key !== undefined) return keys.has(key);
      return members.some((member) => equalValues(member, value));
    },
  };
}
