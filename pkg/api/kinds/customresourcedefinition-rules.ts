/** x-kubernetes-validations in schemas of CustomResourceDefinitions: their text, their types and what they may cost. */
import { type DeclType, declTypeFromSchema } from '../cel/index.ts';
import { readRulePath } from '../schema/rule-path.ts';
import type { CompiledRule, RuleCompiler, ValidationRule } from '../schema/rules.ts';
import type { Schema } from '../schema.ts';
import * as field from '../validation/field-error.ts';

const RULE_COST_LIMIT = 10_000_000;
const SCHEMA_COST_LIMIT = 100_000_000;
const MAX_REQUEST_BYTES = 3 * 1024 * 1024;
const MOST_EXPENSIVE = 4;
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

interface Place {
  /** How often a value of this schema can occur; undefined: without limit. */
  readonly cardinality: number | undefined;
  /** The part of the schema within which old and new values cannot be compared. */
  readonly uncorrelatable: string | undefined;
}

interface Walk {
  readonly compiler: RuleCompiler;
  /** Where the schema is wrong: rules of a schema that has errors in it are not compiled. */
  readonly wrong: readonly string[];
  readonly errors: field.FieldError[];
  readonly costs: { readonly path: string; readonly cost: number }[];
}

/** What is wrong with rules before they are compiled. `path` is that of openAPIV3Schema. */
export function validateRuleTexts(schema: Schema, path: string): field.FieldError[] {
  const errors = (schema.constraints?.validations ?? []).flatMap((rule, i) =>
    textErrors(schema, rule, `${path}.x-kubernetes-validations[${i}]`),
  );
  for (const [at, below] of childrenOf(schema)) errors.push(...validateRuleTexts(below, `${path}.${at}`));
  return errors;
}

function* childrenOf({ properties, additionalProperties, items }: Schema): Generator<readonly [string, Schema]> {
  for (const [name, property] of properties ?? []) yield [`properties[${name}]`, property];
  if (additionalProperties !== undefined) yield ['additionalProperties', additionalProperties];
  if (items !== undefined) yield ['items', items];
}

/** Compiles the rules and estimates their costs. `wrong`: the paths of errors that the schema has. */
export function validateRules(
  schema: Schema,
  path: string,
  compiler: RuleCompiler,
  wrong: readonly string[],
): field.FieldError[] {
  const walk: Walk = { compiler, wrong, errors: [], costs: [] };
  visit(schema, path, { cardinality: 1, uncorrelatable: undefined }, true, walk);
  const total = walk.costs.reduce((sum, { cost }) => sum + cost, 0);
  if (total > SCHEMA_COST_LIMIT) {
    const expensive = [...walk.costs].sort((a, b) => b.cost - a.cost).slice(0, MOST_EXPENSIVE);
    const detail = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
    for (const { path: at } of expensive) walk.errors.push(field.forbidden(at, detail));
    const name = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
    walk.errors.push(field.forbidden(path, costText(name, total, SCHEMA_COST_LIMIT)));
  }
  return walk.errors;
}

function visit(schema: Schema, path: string, place: Place, isRoot: boolean, walk: Walk): void {
  const { constraints, items, additionalProperties } = schema;
  if (constraints?.validations !== undefined) ruleErrors(schema, path, place, isRoot, walk);
  const times = (count: number | undefined): number | undefined =>
    place.cardinality === undefined || count === undefined ? undefined : place.cardinality * count;
  for (const [name, property] of schema.properties ?? []) {
    const uncorrelatable = place.uncorrelatable ?? (schema.mapType === 'atomic' ? path : undefined);
    visit(property, `${path}.properties[${name}]`, { ...place, uncorrelatable }, false, walk);
  }
  if (additionalProperties !== undefined) {
    const cardinality = times(constraints?.maxProperties);
    visit(additionalProperties, `${path}.additionalProperties`, { ...place, cardinality }, false, walk);
  }
  if (items !== undefined) {
    const uncorrelatable = place.uncorrelatable ?? (schema.listType === 'map' ? undefined : path);
    visit(items, `${path}.items`, { cardinality: times(constraints?.maxItems), uncorrelatable }, false, walk);
  }
}

function ruleErrors(schema: Schema, path: string, place: Place, isRoot: boolean, walk: Walk): void {
  if (walk.wrong.some((one) => one.startsWith(path))) return;
  const decl = declTypeFromSchema(schema, 'object', isRoot);
  if (decl === undefined) {
    const detail = 'internal error: failed to retrieve type information for x-kubernetes-validations';
    walk.errors.push(field.internal(`${path}.x-kubernetes-validations`, detail));
    return;
  }
  for (const [i, compiled] of walk.compiler.compile(schema, decl).entries()) {
    compiledErrors(compiled, `${path}.x-kubernetes-validations[${i}]`, place, decl, walk);
  }
}

function textErrors(schema: Schema, rule: ValidationRule, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { message = '', messageExpression = '', fieldPath = '', reason } = rule;
  const text = rule.rule.trim();
  if (text === '') errors.push(field.required(`${path}.rule`, 'rule is not specified'));
  else if (message !== '' && message.trim() === '') {
    errors.push(field.invalid(`${path}.message`, message, 'must be non-empty if specified'));
  } else if (hasNewlines(message.trim())) {
    errors.push(field.invalid(`${path}.message`, message, 'must not contain line breaks'));
  } else if (hasNewlines(text) && message.trim() === '') {
    errors.push(field.required(`${path}.message`, 'message must be specified if rule contains line breaks'));
  }
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.push(field.required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'));
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(field.notSupported(`${path}.reason`, reason, REASONS));
  }
  if (fieldPath === '') return errors;
  const at = `${path}.fieldPath`;
  if (fieldPath.trim() === '') errors.push(field.invalid(at, fieldPath, 'must be non-empty if specified'));
  if (hasNewlines(fieldPath)) errors.push(field.invalid(at, fieldPath, 'must not contain line breaks'));
  if (readRulePath(schema, fieldPath.trim()) === undefined) {
    errors.push(field.invalid(at, fieldPath, 'must be a valid path'));
  }
  return errors;
}

function hasNewlines(text: string): boolean {
  return /[\r\n]/.test(text);
}

function compiledErrors(compiled: CompiledRule, path: string, place: Place, decl: DeclType, walk: Walk): void {
  const { errors } = walk;
  const { rule } = compiled;
  const most = place.cardinality ?? Math.floor(MAX_REQUEST_BYTES / (decl.minSerializedSize + 1));
  const observe = (at: string, name: string, cost: number): void => {
    if (cost > RULE_COST_LIMIT) errors.push(field.forbidden(at, costText(name, cost, RULE_COST_LIMIT)));
    walk.costs.push({ path: at, cost });
  };
  if (compiled.problem !== undefined) {
    errors.push(wrongRule(`${path}.rule`, rule, compiled.problem), ...uselessOptional(rule, path));
    return;
  }
  observe(`${path}.rule`, 'estimated rule cost', compiled.maxCost * most);
  if (compiled.messageProblem !== undefined) {
    errors.push(wrongRule(`${path}.messageExpression`, rule, compiled.messageProblem));
  } else if (compiled.message !== undefined) {
    observe(`${path}.messageExpression`, 'estimated messageExpression cost', compiled.messageMaxCost);
  }
  if (compiled.usesOldSelf) {
    if (place.uncorrelatable !== undefined) {
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelatable}`;
      errors.push(field.invalid(`${path}.rule`, rule.rule, detail));
    }
  } else {
    errors.push(...uselessOptional(rule, path));
  }
}

function uselessOptional({ optionalOldSelf }: ValidationRule, path: string): field.FieldError[] {
  if (optionalOldSelf === undefined) return [];
  return [field.invalid(`${path}.optionalOldSelf`, optionalOldSelf, 'may not be set if oldSelf is not used in rule')];
}

/** Upstream's message shows the rule as a Go struct without JSON names. */
function wrongRule(path: string, rule: ValidationRule, detail: string): field.FieldError {
  const { message = '', messageExpression = '', reason = null, fieldPath = '', optionalOldSelf = null } = rule;
  const shown = {
    Rule: rule.rule,
    Message: message,
    MessageExpression: messageExpression,
    Reason: reason,
    FieldPath: fieldPath,
    OptionalOldSelf: optionalOldSelf,
  };
  return field.invalid(path, shown, detail);
}

function costText(name: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  return `${name} exceeds budget by factor of ${shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}
