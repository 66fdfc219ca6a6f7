import { Environment, jsonPatchLibrary, kubernetesLibraries, type Library, loadRegexEngine } from '../cel/index.ts';
import { patchStruct } from './patch-types.ts';
import { admissionVariables, type VariableChoice } from './variables.ts';

/** The environments of expressions in admission; they share the functions. */
export class AdmissionExpressions {
  readonly #libraries: readonly Library[];
  readonly #environments = new Map<string, Environment>();
  #plain: Environment | undefined;
  #forPatches: Environment | undefined;

  constructor(libraries: readonly Library[]) {
    this.#libraries = libraries;
  }

  /** Loads what expressions need. */
  static async load(): Promise<AdmissionExpressions> {
    return new AdmissionExpressions(kubernetesLibraries(await loadRegexEngine()));
  }

  environment(choice: VariableChoice): Environment {
    const patches = choice.patches === true;
    const key = `${choice.params}/${choice.authorizer}/${patches}`;
    let environment = this.#environments.get(key);
    if (environment === undefined) {
      environment = this.#base(patches).extend(admissionVariables(choice));
      this.#environments.set(key, environment);
    }
    return environment;
  }

  #base(patches: boolean): Environment {
    const libraries = this.#libraries;
    if (!patches) {
      this.#plain ??= new Environment({ variables: new Map(), libraries });
      return this.#plain;
    }
    this.#forPatches ??= new Environment({
      variables: new Map(),
      libraries: [...libraries, jsonPatchLibrary()],
      structs: patchStruct,
    });
    return this.#forPatches;
  }
}
