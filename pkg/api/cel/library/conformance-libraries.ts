import type { Library } from '../declarations.ts';
import type { RegexEngine } from '../regex.ts';
import { optionalLibrary } from './optional.ts';
import { standardLibrary } from './standard.ts';
export function conformanceLibraries(regex: RegexEngine): readonly Library[] {
  return [standardLibrary(regex), optionalLibrary()];
}
