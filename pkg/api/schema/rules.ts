import {
  type Compiled,
  celTypes,
  type DeclType,
  declTypeFromSchema,
  Environment,
  kubernetesLibraries,
  loadRegexEngine,
  type Program,
} from '../cel/index.ts';
import type { Schema, SchemaConstraints } from '../schema.ts';
import { readRulePath } from './rule-path.ts';

export type ValidationRule = NonNullable<SchemaConstraints['validations']>[number];

/** One of x-kubernetes-validations, compiled. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  /** Absent when `problem` is set. */
  readonly program?: Program;
  readonly problem?: string;
  readonly usesOldSelf: boolean;
  /** The most that one evaluation can cost. */
  readonly maxCost: number;
  readonly message?: Program;
  readonly messageProblem?: string;
  readonly messageMaxCost: number;
  /** Where errors are reported, below the value that the rule is about. */
  readonly fieldPath: string | undefined;
}

/** The rules of a value and of what is below it. */
export interface RuleTree {
  readonly schema: Schema;
  /** How its values read in expressions. */
  readonly decl: DeclType | undefined;
  readonly rules: readonly CompiledRule[];
  readonly properties: ReadonlyMap<string, RuleTree>;
  readonly items: RuleTree | undefined;
  readonly additionalProperties: RuleTree | undefined;
}

/** Compiles the rules of schemas. */
export class RuleCompiler {
  readonly #base: Environment;

  constructor(base: Environment) {
    this.#base = base;
  }

  /** Loads what expressions need. */
  static async load(): Promise<RuleCompiler> {
    const libraries = kubernetesLibraries(await loadRegexEngine());
    return new RuleCompiler(new Environment({ variables: new Map(), libraries }));
  }

  /** undefined: no rule in all of the schema. */
  tree(schema: Schema, root = true): RuleTree | undefined {
    const properties = new Map<string, RuleTree>();
    for (const [name, property] of schema.properties ?? []) {
      const below = this.tree(property, false);
      if (below !== undefined) properties.set(name, below);
    }
    const items = schema.items && this.tree(schema.items, false);
    const additionalProperties = schema.additionalProperties && this.tree(schema.additionalProperties, false);
    const { validations = [] } = schema.constraints ?? {};
    if (validations.length + properties.size === 0 && items === undefined && additionalProperties === undefined) {
      return undefined;
    }
    const decl = validations.length === 0 ? undefined : declTypeFromSchema(schema, 'object', root);
    const rules = validations.length === 0 ? [] : this.compile(schema, decl);
    return { schema, decl, rules, properties, items, additionalProperties };
  }

  /** The rules of one schema. `decl`: its type; undefined when expressions cannot see such values. */
  compile(schema: Schema, decl: DeclType | undefined): CompiledRule[] {
    const { validations = [] } = schema.constraints ?? {};
    if (decl === undefined) {
      return validations.map((rule) => failed(rule, 'the schema has no type that rules could use'));
    }
    const environments = [false, true].map((optional) =>
      this.#base.extend(
        new Map([
          ['self', { type: decl.type, decl }],
          ['oldSelf', { type: optional ? celTypes.optionalOf(decl.type) : decl.type, decl }],
        ]),
      ),
    );
    return validations.map((rule) => {
      const environment = environments[rule.optionalOldSelf === true ? 1 : 0];
      return environment === undefined ? failed(rule, 'no environment') : compileRule(environment, schema, rule);
    });
  }
}

function failed(rule: ValidationRule, problem: string): CompiledRule {
  return { rule, problem, usesOldSelf: false, maxCost: 0, messageMaxCost: 0, fieldPath: undefined };
}

function compileRule(environment: Environment, schema: Schema, rule: ValidationRule): CompiledRule {
  const text = rule.rule.trim();
  if (text === '') return failed(rule, 'rule is not specified');
  const compiled = environment.compile(rule.rule);
  if ('issues' in compiled) return failed(rule, `compilation failed: ${compiled.message}`);
  if (compiled.checked.type.kind !== 'bool') return failed(rule, 'cel expression must evaluate to a bool');
  return {
    rule,
    program: compiled.program,
    usesOldSelf: usesOldSelf(compiled),
    maxCost: environment.estimateCost(compiled).max,
    ...compileMessage(environment, rule.messageExpression),
    fieldPath: rule.fieldPath ? readRulePath(schema, rule.fieldPath.trim()) : undefined,
  };
}

function compileMessage(
  environment: Environment,
  text: string | undefined,
): Pick<CompiledRule, 'message' | 'messageProblem' | 'messageMaxCost'> {
  if (text === undefined || text.trim() === '') return { messageMaxCost: 0 };
  const compiled = environment.compile(text);
  if ('issues' in compiled) {
    return { messageProblem: `messageExpression compilation failed: ${compiled.message}`, messageMaxCost: 0 };
  }
  if (compiled.checked.type.kind !== 'string') {
    return { messageProblem: 'messageExpression must evaluate to a string', messageMaxCost: 0 };
  }
  return { message: compiled.program, messageMaxCost: environment.estimateCost(compiled).max };
}

function usesOldSelf({ checked }: Compiled): boolean {
  for (const { name } of checked.references.values()) if (name === 'oldSelf') return true;
  return false;
}
