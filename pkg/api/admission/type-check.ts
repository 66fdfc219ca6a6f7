import type { DeepReadonly } from '../../base/json.ts';
import { objectSchema } from '../apply/index.ts';
import { type DeclType, declTypeFromSchema, type Environment, type VariableDecl } from '../cel/index.ts';
import type { ResourceDefinition } from '../definition.ts';
import type { ExpressionWarning, NamedRuleWithOperations, ValidatingAdmissionPolicy } from '../generated/types.ts';
import type { AdmissionExpressions } from './expressions.ts';
import { compileVariables } from './policy-variables.ts';

/** What a policy may be about, to be checked against. */
export interface ServedKinds {
  get(group: string, version: string, resource: string): ResourceDefinition | undefined;
  ofKind(apiVersion: string, kind: string): ResourceDefinition | undefined;
}

const MAX_TYPES = 10;

/**
 * Checks the expressions of a policy against the types of the objects that it is about, as far as its rules name them: what
 * does not exist there is warned about. Corresponds to upstream's type checker of ValidatingAdmissionPolicies.
 */
export function typeCheckPolicy(
  { spec }: DeepReadonly<ValidatingAdmissionPolicy>,
  kinds: ServedKinds,
  expressions: AdmissionExpressions,
): ExpressionWarning[] {
  const { paramKind, variables, validations = [], matchConstraints } = spec ?? {};
  const paramsOf = paramKind && kinds.ofKind(paramKind.apiVersion ?? '', paramKind.kind ?? '');
  const params = paramsOf && typeOf(paramsOf);
  const checked = typesOf(matchConstraints?.resourceRules ?? [], kinds).flatMap((definition) => {
    const decl = typeOf(definition);
    if (decl === undefined) return [];
    const base = expressions.environment({ params: params !== undefined, authorizer: true });
    const typed = base.extend(typedVariables(decl, params));
    const { group, version, kind } = definition.type;
    const name = `${group}/${version}, Kind=${kind}`;
    return [{ name, environment: compileVariables(typed, variables).extend(typed) }];
  });
  return validations.flatMap(({ expression, messageExpression }, i) => {
    const at = `spec.validations[${i}]`;
    return [
      ...warningFor(`${at}.expression`, expression, checked),
      ...(messageExpression ? warningFor(`${at}.messageExpression`, messageExpression, checked) : []),
    ];
  });
}

interface CheckedType {
  /** `apps/v1, Kind=Deployment`, `/v1, Kind=Pod` */
  readonly name: string;
  readonly environment: Environment;
}

function warningFor(fieldRef: string, text: string, types: readonly CheckedType[]): ExpressionWarning[] {
  const texts = types.flatMap(({ name, environment }) => {
    const compiled = environment.compile(text);
    return 'issues' in compiled ? [`${name}: ${compiled.message}\n`] : [];
  });
  return texts.length === 0 ? [] : [{ fieldRef, warning: texts.join('\n') }];
}

function typedVariables(object: DeclType, params: DeclType | undefined): ReadonlyMap<string, VariableDecl> {
  const variables = new Map<string, VariableDecl>();
  for (const name of ['object', 'oldObject']) variables.set(name, { type: object.type, decl: object });
  if (params !== undefined) variables.set('params', { type: params.type, decl: params });
  return variables;
}

/** undefined: its schema says nothing, or refers to itself. */
function typeOf({ type, schema }: ResourceDefinition): DeclType | undefined {
  if (type.group === 'apiextensions.k8s.io') return undefined;
  return declTypeFromSchema(objectSchema(schema), type.kind);
}

/** The resources that rules name without wildcards, in the order of group, version and kind. */
function typesOf(rules: DeepReadonly<NamedRuleWithOperations[]>, kinds: ServedKinds): ResourceDefinition[] {
  const found = new Set<ResourceDefinition>();
  for (const { apiGroups = [], apiVersions = [], resources = [] } of rules) {
    if ([...apiGroups, ...apiVersions].some((name) => name.includes('*'))) continue;
    for (const group of apiGroups) {
      for (const version of apiVersions) {
        for (const resource of resources.filter((name) => !/[*/]/.test(name))) {
          const definition = kinds.get(group, version, resource);
          if (definition !== undefined && found.size < MAX_TYPES) found.add(definition);
        }
      }
    }
  }
  const keyOf = ({ type: { group, version, kind } }: ResourceDefinition): string => `${group}\n${version}\n${kind}`;
  return [...found].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
