import type { DeepReadonly } from '../../base/json.ts';
import { celTypes, type Environment } from '../cel/index.ts';
import type { CelType } from '../cel/types.ts';
import type { Variable } from '../generated/types.ts';
import type { Expression } from './expression.ts';

export interface PolicyVariables {
  readonly expressions: ReadonlyMap<string, Expression>;
  /** The environment with `variables` in it, if there are any. */
  extend(environment: Environment): Environment;
}

/** Compiles the variables of a policy; each may use the ones before it. */
export function compileVariables(
  environment: Environment,
  variables: DeepReadonly<Variable[]> | undefined,
): PolicyVariables {
  const expressions = new Map<string, Expression>();
  const fields = new Map<string, CelType>();
  const extend = (base: Environment): Environment =>
    base.extend(new Map([['variables', { type: celTypes.objectType('kubernetes.variables', new Map(fields)) }]]));
  for (const { name, expression } of variables ?? []) {
    const compiled = extend(environment).compile(expression);
    if ('issues' in compiled) {
      expressions.set(name, { text: expression, problem: `compilation failed: ${compiled.message}` });
      fields.set(name, celTypes.DYN);
    } else {
      expressions.set(name, { text: expression, program: compiled.program });
      fields.set(name, compiled.checked.type);
    }
  }
  return { expressions, extend: (base) => (expressions.size === 0 ? base : extend(base)) };
}
