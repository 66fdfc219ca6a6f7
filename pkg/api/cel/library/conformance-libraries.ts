import type { Library } from '../declarations.ts';
import type { RegexEngine } from '../regex.ts';
import { bindingsLibrary } from './bindings.ts';
import { mathLibrary } from './math.ts';
import { optionalLibrary } from './optional.ts';
import { setsLibrary } from './sets.ts';
import { standardLibrary } from './standard.ts';
import { stringsLibrary } from './strings.ts';
import { twoVariablesLibrary } from './two-variables.ts';

/** Everything that cel-spec's cases use. */
export function conformanceLibraries(regex: RegexEngine): readonly Library[] {
  return [
    standardLibrary(regex),
    optionalLibrary(),
    stringsLibrary(4),
    mathLibrary(),
    bindingsLibrary(),
    setsLibrary(),
    twoVariablesLibrary(),
  ];
}
