import { type CallExpr, children, type Expr } from './ast.ts';
import type { Checked } from './checker.ts';
import type { FunctionTable } from './declarations.ts';
import { Failure } from './failure.ts';
import { checkFormat } from './format-checks.ts';
import type { Issue } from './source.ts';

/** Calls with a literal argument that are tried when an expression is compiled, and what an error calls the argument. */
const TRIED: ReadonlyMap<string, { readonly argument: number; readonly what: string }> = new Map([
  ['duration', { argument: 0, what: 'duration' }],
  ['timestamp', { argument: 0, what: 'timestamp' }],
  ['matches', { argument: 0, what: 'matches' }],
]);

/** Finds literals that every evaluation would fail on: durations, timestamps, regular expressions and formats. */
export function checkLiterals(checked: Checked, functions: FunctionTable, isStrict: boolean): Issue[] {
  const issues: Issue[] = [];
  const visit = (expr: Expr): void => {
    if (expr.kind === 'call') {
      checkCall(expr, functions, issues);
      if (isStrict && expr.fn === 'format' && functions.get(expr.fn) !== undefined) checkFormat(expr, checked, issues);
    }
    for (const child of children(expr)) visit(child);
  };
  visit(checked.expr);
  return issues;
}

function checkCall(expr: CallExpr, functions: FunctionTable, issues: Issue[]): void {
  const tried = TRIED.get(expr.fn);
  const arg = tried && expr.args.at(expr.target === undefined ? -1 : tried.argument);
  if (tried === undefined || arg?.kind !== 'const') return;
  const { value } = arg;
  const kind = typeof value === 'bigint' ? 'int' : typeof value;
  const overload = functions.get(expr.fn)?.find((candidate) => candidate.params.at(-1)?.kind === kind);
  if (overload === undefined) return;
  try {
    if (overload.params.length === 2) overload.invoke('', value);
    else overload.invoke(value);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    issues.push({ pos: arg.pos, message: `invalid ${tried.what} argument` });
  }
}
