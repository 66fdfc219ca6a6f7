/** What expressions of webhooks and admission policies say: they are compiled as they will be when requests come. */
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { AdmissionExpressions, Expression } from '../admission/index.ts';
import type {
  MatchCondition,
  MutatingAdmissionPolicy,
  MutatingWebhook,
  ValidatingAdmissionPolicy,
  Variable,
} from '../generated/types.ts';
import * as field from '../validation/field-error.ts';

type Loaded = typeof import('../admission/index.ts') & { readonly expressions: AdmissionExpressions };
type Conditions = DeepReadonly<MatchCondition[]> | undefined;

/** The engine is loaded for the first expression that somebody writes. */
async function load(): Promise<Loaded> {
  const admission = await import('../admission/index.ts');
  return { ...admission, expressions: await admission.AdmissionExpressions.load() };
}

/** Errors of the expressions of a ValidatingAdmissionPolicy; an update is checked when it changes the spec. */
export async function validatingPolicyExpressions(object: unknown, old: unknown): Promise<field.FieldError[]> {
  const policy = object as DeepReadonly<ValidatingAdmissionPolicy>;
  const { spec } = policy;
  if (spec === undefined || isUnchanged(policy, old)) return [];
  const { compileValidatingPolicy, expressions } = await load();
  const compiled = compileValidatingPolicy(expressions, policy);
  return [
    ...variableErrors(spec.variables, compiled.variables),
    ...conditionErrors('spec.matchConditions', compiled.conditions),
    ...compiled.validations.flatMap(({ expression, message }, i) => [
      ...errorsOf(`spec.validations[${i}].expression`, expression),
      ...errorsOf(`spec.validations[${i}].messageExpression`, message),
    ]),
    ...compiled.auditAnnotations.flatMap(({ value }, i) =>
      errorsOf(`spec.auditAnnotations[${i}].valueExpression`, value),
    ),
  ];
}

/** The same for a MutatingAdmissionPolicy. */
export async function mutatingPolicyExpressions(object: unknown, old: unknown): Promise<field.FieldError[]> {
  const policy = object as DeepReadonly<MutatingAdmissionPolicy>;
  const { spec } = policy;
  if (spec === undefined || isUnchanged(policy, old)) return [];
  const { compileMutatingPolicy, expressions } = await load();
  const compiled = compileMutatingPolicy(expressions, policy);
  return [
    ...variableErrors(spec.variables, compiled.variables),
    ...conditionErrors('spec.matchConditions', compiled.conditions),
    ...compiled.mutations.flatMap(({ kind, expression }, i) =>
      errorsOf(`spec.mutations[${i}].${kind === 'json' ? 'jsonPatch' : 'applyConfiguration'}.expression`, expression),
    ),
  ];
}

/** Errors of the match conditions of webhooks; those that were there before may stay. */
export async function webhookExpressions(object: unknown, old: unknown): Promise<field.FieldError[]> {
  const webhooksOf = (configuration: unknown): DeepReadonly<MutatingWebhook[]> =>
    (configuration as { readonly webhooks?: DeepReadonly<MutatingWebhook[]> } | undefined)?.webhooks ?? [];
  const conditions = (configuration: unknown): readonly Conditions[] =>
    webhooksOf(configuration).map(({ matchConditions }) => matchConditions);
  const wanted = conditions(object);
  if (wanted.every((one) => (one?.length ?? 0) === 0) || equalJSON(wanted, conditions(old))) return [];
  const { compileConditions, expressions } = await load();
  const environment = expressions.environment({ params: false, authorizer: true });
  return wanted.flatMap((one, i) =>
    conditionErrors(`webhooks[${i}].matchConditions`, compileConditions(environment, one)),
  );
}

function isUnchanged(policy: { readonly spec?: unknown }, old: unknown): boolean {
  return old !== undefined && equalJSON(policy.spec, (old as { readonly spec?: unknown }).spec);
}

function variableErrors(
  variables: DeepReadonly<Variable[]> | undefined,
  compiled: ReadonlyMap<string, Expression>,
): field.FieldError[] {
  return (variables ?? []).flatMap(({ name }, i) => errorsOf(`spec.variables[${i}].expression`, compiled.get(name)));
}

function conditionErrors(path: string, conditions: readonly Expression[]): field.FieldError[] {
  return conditions.flatMap((condition, i) => errorsOf(`${path}[${i}].expression`, condition));
}

/** Empty expressions are missing, which is another error. */
function errorsOf(path: string, expression: Expression | undefined): field.FieldError[] {
  if (expression?.problem === undefined || expression.text.trim() === '') return [];
  return [field.invalid(path, expression.text, expression.problem)];
}
