import { type Activation, CELError, type DeclType, PER_CALL_LIMIT, toValue } from '../cel/index.ts';
import { OptionalValue } from '../cel/values.ts';
import type { FieldError } from '../errors.ts';
import type { Schema } from '../schema.ts';
import * as field from '../validation/field-error.ts';
import { correlateItems, isUnchanged } from './list-types.ts';
import type { CompiledRule, RuleTree, ValidationRule } from './rules.ts';

/** What all rules of one object may cost together. */
const BUDGET = 10_000_000;
const MAX_MESSAGE_BYTES = 5 * 1024;

type JSONObject = Readonly<Record<string, unknown>>;

interface Walk {
  readonly errors: FieldError[];
  /** Below 0: spent. */
  budget: number;
  readonly warn: ((text: string) => void) | undefined;
}

/**
 * Evaluates the rules over an object and, in an update, over what it replaces: rules about oldSelf are left out where nothing
 * comparable was there before, and failures of other rules are tolerated where nothing changed: they only go to `warn`.
 */
export function validateRules(
  tree: RuleTree,
  value: unknown,
  old: unknown,
  warn?: (text: string) => void,
): FieldError[] {
  const walk: Walk = { errors: [], budget: BUDGET, warn };
  visit(tree, value, old, '', walk);
  return walk.errors;
}

function visit(tree: RuleTree, value: unknown, old: unknown, path: string, walk: Walk): void {
  if (value === null || value === undefined) return;
  if (tree.rules.length > 0) evaluateAll(tree, value, old ?? undefined, path, walk);
  if (walk.budget < 0 || typeof value !== 'object') return;
  if (Array.isArray(value)) visitItems(tree, value, old, path, walk);
  else visitMembers(tree, value as JSONObject, old, path, walk);
}

function visitItems(tree: RuleTree, list: readonly unknown[], old: unknown, path: string, walk: Walk): void {
  const { items, schema } = tree;
  if (items === undefined) return;
  const before = Array.isArray(old) ? correlateItems(schema, old) : undefined;
  for (let i = 0; i < list.length && walk.budget >= 0; i++) {
    visit(items, list[i], before?.(list[i]), `${path}[${i}]`, walk);
  }
}

function visitMembers(tree: RuleTree, object: JSONObject, old: unknown, path: string, walk: Walk): void {
  const { properties, additionalProperties, schema } = tree;
  // The members of an atomic map have no identity.
  const isComparable = schema.mapType !== 'atomic' && typeof old === 'object' && old !== null && !Array.isArray(old);
  const before = (key: string): unknown =>
    isComparable && Object.hasOwn(old, key) ? (old as JSONObject)[key] : undefined;
  for (const [key, below] of properties) {
    if (walk.budget < 0) return;
    if (Object.hasOwn(object, key)) visit(below, object[key], before(key), path === '' ? key : `${path}.${key}`, walk);
  }
  if (additionalProperties === undefined) return;
  for (const key in object) {
    if (walk.budget < 0) return;
    if (!schema.properties?.has(key)) visit(additionalProperties, object[key], before(key), `${path}[${key}]`, walk);
  }
}

function evaluateAll(tree: RuleTree, value: unknown, old: unknown, path: string, walk: Walk): void {
  const { decl } = tree;
  const shown = typeText(tree.schema);
  const self = new Map<string, unknown>([['self', toValueOrData(value, decl)]]);
  if (old !== undefined) self.set('oldSelf', toValueOrData(old, decl));
  const optional = new Map<string, unknown>([
    ['self', self.get('self')],
    ['oldSelf', new OptionalValue(old === undefined ? undefined : toValue(old, decl))],
  ]);
  let unchanged: boolean | undefined;
  const report = ({ usesOldSelf }: CompiledRule, error: FieldError): void => {
    if (!usesOldSelf && old !== undefined) unchanged ??= isUnchanged(tree.schema, value, old);
    if (!usesOldSelf && unchanged === true) {
      walk.warn?.(`${error.field}: ${error.message}`);
    } else walk.errors.push(error);
  };
  for (const compiled of tree.rules) {
    const { rule, program } = compiled;
    if (program === undefined) {
      walk.errors.push(field.invalid(path, shown, `rule compile error: ${compiled.problem}`));
      continue;
    }
    const isOptional = rule.optionalOldSelf === true;
    if (compiled.usesOldSelf && old === undefined && !isOptional) continue;
    const activation = isOptional ? optional : self;
    const holds = evaluate(compiled, activation, shown, path, walk);
    if (walk.budget < 0) return;
    if (typeof holds === 'object') report(compiled, holds);
    if (holds !== false) continue;
    const at = compiled.fieldPath === undefined ? path : joined(path, compiled.fieldPath);
    report(compiled, failure(rule, at, value, messageOf(compiled, activation, walk)));
  }
}

/** What the rule says, or what went wrong with it; undefined: its costs ended the evaluation, which has been reported. */
function evaluate(
  compiled: CompiledRule,
  activation: Activation,
  shown: string,
  path: string,
  walk: Walk,
): boolean | FieldError | undefined {
  const { rule, program } = compiled;
  let cost: number;
  let result: boolean | undefined;
  let problem: CELError | undefined;
  try {
    const evaluation = program?.evaluate(activation, { costLimit: PER_CALL_LIMIT });
    cost = evaluation?.cost ?? 0;
    result = evaluation?.value === true;
  } catch (error) {
    if (!(error instanceof CELError)) throw error;
    problem = error;
    cost = error.cost;
  }
  if (cost > walk.budget) {
    const detail = 'validation failed due to running out of cost budget, no further validation rules will be run';
    walk.errors.push(field.invalid(path, shown, detail));
    walk.budget = -1;
    return undefined;
  }
  walk.budget -= cost;
  if (problem === undefined) return result;
  const text = ruleText(rule);
  if (problem.code === 'cost') {
    const detail = `'${problem.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${text}`;
    walk.errors.push(field.invalid(path, shown, detail));
    walk.budget = -1;
    return undefined;
  }
  if (problem.message.startsWith('no such overload')) {
    const detail = `'${problem.message}': call arguments did not match a supported operator, function or macro signature for rule: ${text}`;
    return field.invalid(path, shown, detail);
  }
  return field.invalid(path, shown, `${problem.message} evaluating rule: ${text}`);
}

/** What a failed rule says: its messageExpression, its message, or itself. */
function messageOf({ rule, message }: CompiledRule, activation: Activation, walk: Walk): string {
  const plain = rule.message ? rule.message.trim() : `failed rule: ${ruleText(rule)}`;
  if (message === undefined) return plain;
  try {
    const { value, cost } = message.evaluate(activation, { costLimit: Math.min(PER_CALL_LIMIT, walk.budget) });
    walk.budget -= cost;
    if (typeof value !== 'string') return plain;
    const text = value.trim();
    return text === '' || /[\r\n]/.test(text) || Buffer.byteLength(text) > MAX_MESSAGE_BYTES ? plain : text;
  } catch (error) {
    if (!(error instanceof CELError)) throw error;
    walk.budget = Math.max(0, walk.budget - error.cost);
    return plain;
  }
}

/** Scalars are shown; objects and lists are not. */
function failure(rule: ValidationRule, path: string, value: unknown, message: string): FieldError {
  const isShown = typeof value !== 'object';
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return field.forbidden(path, message);
    case 'FieldValueRequired':
      return field.required(path, message);
    case 'FieldValueDuplicate':
      return isShown
        ? field.duplicate(path, value)
        : { type: 'FieldValueDuplicate', field: path, message: 'Duplicate value' };
    default:
      return isShown
        ? field.invalid(path, value, message)
        : { type: 'FieldValueInvalid', field: path, message: `Invalid value: ${message}` };
  }
}

function ruleText({ rule, message }: ValidationRule): string {
  return (message || rule).trim();
}

/** The type as the schema names it; rules are reported with it instead of the value. */
function typeText({ type }: Schema): string {
  return type === 'intOrString' || type === 'any' ? '' : type;
}

function joined(path: string, below: string): string {
  return path === '' ? below : below.startsWith('[') ? path + below : `${path}.${below}`;
}

/** Reading it once serves all rules; what cannot be read fails in the rules that look at it. */
function toValueOrData(data: unknown, decl: DeclType | undefined): unknown {
  try {
    return toValue(data, decl);
  } catch {
    return data;
  }
}
