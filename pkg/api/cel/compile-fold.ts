import type { FoldExpr } from './ast.ts';
import { Failure, noSuchOverload } from './failure.ts';
import type { Frame, Run } from './runtime.ts';
import type { ExprCompiler, Step } from './step.ts';
import { ListValue, MapValue, mapKey, type Value } from './values.ts';

/** Compiles what the macros over lists and maps stand for. */
export function compileFold(compiler: ExprCompiler, expr: FoldExpr): Step {
  const range = compiler.compile(expr.range).run;
  const init = compiler.compile(expr.accuInit).run;
  return compiler.withLocal(expr.accuVar, true, (accu) => {
    const loop = compiler.withLocal(expr.iterVar, false, (first) =>
      expr.iterVar2 === undefined
        ? { ...compileLoop(compiler, expr, accu), first, second: -1 }
        : compiler.withLocal(expr.iterVar2, false, (second) => ({
            ...compileLoop(compiler, expr, accu),
            first,
            second,
          })),
    );
    const result = compiler.compile(expr.result).run;
    return {
      run: (frame) => {
        const over = range(frame);
        frame.slots[accu] = attempt(init, frame);
        iterate(over, loop, frame);
        return result(frame);
      },
    };
  });
}

interface Loop {
  readonly first: number;
  readonly second: number;
  /** One round; false ends the loop. */
  readonly round: (frame: Frame) => boolean;
}

function compileLoop(compiler: ExprCompiler, expr: FoldExpr, accu: number): { round: (frame: Frame) => boolean } {
  const condition = compiler.compile(expr.condition);
  const step = compiler.compile(expr.step).run;
  const always = condition.constant?.value === true;
  const goOn = condition.run;
  return {
    round: (frame) => {
      if (!always && goOn(frame) === false) return false;
      const next = attempt(step, frame);
      frame.slots[accu] = next;
      return !(always && next instanceof Failure);
    },
  };
}

function attempt(run: Run, frame: Frame): Value | Failure {
  try {
    return run(frame);
  } catch (failure) {
    if (failure instanceof Failure) return failure;
    throw failure;
  }
}

function iterate(over: Value, loop: Loop, frame: Frame): void {
  const { first, second, round } = loop;
  if (over instanceof ListValue) {
    const { size } = over;
    for (let i = 0; i < size; i++) {
      if (second < 0) {
        frame.slots[first] = over.at(i);
      } else {
        frame.slots[first] = BigInt(i);
        frame.slots[second] = over.at(i);
      }
      if (!round(frame)) return;
    }
  } else if (over instanceof MapValue) {
    for (const key of over.keys()) {
      frame.slots[first] = key;
      if (second >= 0) frame.slots[second] = over.get(mapKey(key) ?? '') ?? null;
      if (!round(frame)) return;
    }
  } else {
    noSuchOverload();
  }
}
