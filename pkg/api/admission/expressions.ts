import { Environment, kubernetesLibraries, loadRegexEngine } from '../cel/index.ts';
import { admissionVariables, type VariableChoice } from './variables.ts';

/** The environments of expressions in admission; they share the functions. */
export class AdmissionExpressions {
  readonly #base: Environment;
  readonly #environments = new Map<string, Environment>();

  constructor(base: Environment) {
    this.#base = base;
  }

  /** Loads what expressions need. */
  static async load(): Promise<AdmissionExpressions> {
    const libraries = kubernetesLibraries(await loadRegexEngine());
    return new AdmissionExpressions(new Environment({ variables: new Map(), libraries }));
  }

  environment(choice: VariableChoice): Environment {
    const key = `${choice.params}/${choice.authorizer}`;
    let environment = this.#environments.get(key);
    if (environment === undefined) {
      environment = this.#base.extend(admissionVariables(choice));
      this.#environments.set(key, environment);
    }
    return environment;
  }
}
