import type { Library } from '../declarations.ts';
import { bind, type Macro } from '../macros.ts';

const macro: Macro = (nodes, call) => {
  const [name, value, result] = call.args;
  if (call.target?.kind !== 'ident' || call.target.name !== 'cel') return undefined;
  if (name?.kind !== 'ident' || value === undefined || result === undefined) return undefined;
  return bind(nodes, call.pos, name.name, value, result);
};

/** `cel.bind(name, value, result)`. */
export function bindingsLibrary(): Library {
  return { name: 'bindings', overloads: [], macros: new Map([['.bind/3', macro]]) };
}
