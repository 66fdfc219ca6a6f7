import { compileExpression, type Expression } from '../../../api/admission/index.ts';
import {
  celTypes,
  DECL_STRING,
  type DeclType,
  Environment,
  kubernetesLibraries,
  loadRegexEngine,
  MATCH_CONDITIONS_BUDGET,
  objectOf,
} from '../../../api/cel/index.ts';

function listOf(element: DeclType): DeclType {
  return { type: celTypes.listOf(element.type), maxElements: 0, minSerializedSize: 2, element };
}

function mapOf(element: DeclType): DeclType {
  return { type: celTypes.mapOf(celTypes.STRING, element.type), maxElements: 0, minSerializedSize: 2, element };
}

function record(name: string, fields: Readonly<Record<string, DeclType>>): DeclType {
  return objectOf(
    name,
    new Map(Object.entries(fields).map(([jsonName, decl]) => [jsonName, { jsonName, decl, required: false }])),
  );
}

function requestType(): DeclType {
  const texts = listOf(DECL_STRING);
  const requirement = record('kubernetes.SelectorRequirement', {
    key: DECL_STRING,
    operator: DECL_STRING,
    values: texts,
  });
  const selector = record('kubernetes.SelectorAttributes', {
    rawSelector: DECL_STRING,
    requirements: listOf(requirement),
  });
  return record('kubernetes.SubjectAccessReviewSpec', {
    resourceAttributes: record('kubernetes.ResourceAttributes', {
      namespace: DECL_STRING,
      verb: DECL_STRING,
      group: DECL_STRING,
      version: DECL_STRING,
      resource: DECL_STRING,
      subresource: DECL_STRING,
      name: DECL_STRING,
      fieldSelector: selector,
      labelSelector: selector,
    }),
    nonResourceAttributes: record('kubernetes.NonResourceAttributes', { path: DECL_STRING, verb: DECL_STRING }),
    user: DECL_STRING,
    groups: texts,
    extra: mapOf(texts),
    uid: DECL_STRING,
  });
}

/** Compiles the match conditions of authorization webhooks, which speak of the review in `request`. */
export class WebhookConditions {
  readonly #environment: Environment;

  private constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Loads the expression language. */
  static async load(): Promise<WebhookConditions> {
    const libraries = kubernetesLibraries(await loadRegexEngine());
    const decl = requestType();
    const variables = new Map([['request', { type: decl.type, decl }]]);
    return new WebhookConditions(new Environment({ variables, libraries }));
  }

  compile(text: string): Expression {
    return compileExpression(this.#environment, text, [celTypes.BOOL]);
  }
}

/** Whether a webhook is to be asked about a review. `error`: nobody can tell. One condition that is false decides. */
export function matches(conditions: readonly Expression[], spec: unknown): boolean | { readonly error: string } {
  const activation = new Map([['request', spec]]);
  const problems: string[] = [];
  let left = MATCH_CONDITIONS_BUDGET;
  for (const { program, problem } of conditions) {
    if (program === undefined) {
      problems.push(problem ?? '');
      continue;
    }
    try {
      const { value, cost } = program.evaluate(activation, { costLimit: left });
      left -= cost;
      if (value !== true) return false;
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  return problems.length === 0 ? true : { error: problems.join(', ') };
}
