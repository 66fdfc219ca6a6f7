import type { Environment, Program } from '../cel/index.ts';
import { type CelType, sameType, typeName } from '../cel/types.ts';

/** An expression of a policy or webhook, compiled; `problem` says why it is none. */
export interface Expression {
  readonly text: string;
  readonly program?: Program;
  readonly problem?: string;
}

/** Compiles an expression that has to give one of these types; none: any. The texts are upstream's. */
export function compileExpression(environment: Environment, text: string, wanted: readonly CelType[] = []): Expression {
  const compiled = environment.compile(text);
  if ('issues' in compiled) return { text, problem: `compilation failed: ${compiled.message}` };
  const { type } = compiled.checked;
  if (wanted.length > 0 && !wanted.some((one) => sameType(one, type))) {
    const names = wanted.map(typeName);
    const expected = names.length === 1 ? names[0] : `one of [${names.join(' ')}]`;
    return { text, problem: `must evaluate to ${expected} but got ${typeName(type)}` };
  }
  return { text, program: compiled.program };
}
