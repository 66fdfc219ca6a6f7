/** The schemas of a CustomResourceDefinition. Loaded when the first one is validated: it needs the engines of patterns and CEL. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { schemaFromOpenAPI } from '../schema/crd.ts';
import { checkPatterns } from '../schema/pattern.ts';
import { RuleCompiler } from '../schema/rules.ts';
import type { FieldError } from '../validation/field-error.ts';
import { validateDefaults } from './customresourcedefinition-defaults.ts';
import { type Props, validateOpenAPI } from './customresourcedefinition-openapi.ts';
import { validateRules, validateRuleTexts } from './customresourcedefinition-rules.ts';
import { validateStructural } from './customresourcedefinition-structural.ts';

/** The errors of schemas by the paths of their openAPIV3Schema. */
export async function validateSchemas(schemas: Iterable<readonly [string, Props]>): Promise<FieldError[]> {
  let compiler: RuleCompiler | undefined;
  const errors: FieldError[] = [];
  for (const [path, props] of schemas) {
    const structural = validateStructural(props, path);
    const patternProblem = await checkPatterns(new Set(patternsIn(props)));
    // Schemas can be large: others get their turn between the passes.
    await nextTurn();
    const wrong = validateOpenAPI(props, path, { patternProblem });
    await nextTurn();
    const hasRules = JSON.stringify(props).includes('"x-kubernetes-validations"');
    if (!wrong.some(({ field }) => field.endsWith('.pattern'))) {
      const schema = await schemaFromOpenAPI(props);
      if (hasRules) wrong.push(...validateRuleTexts(schema, path));
      if (structural.length === 0) structural.push(...validateDefaults(schema, path));
      await nextTurn();
      if (structural.length === 0 && hasRules) {
        compiler ??= await RuleCompiler.load();
        const paths = wrong.map(({ field }) => field);
        wrong.push(...validateRules(schema, path, compiler, paths));
      }
    }
    errors.push(...structural, ...wrong);
  }
  return errors;
}

/** Every text that is called a pattern somewhere in a schema. */
function* patternsIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  const { pattern } = value as { readonly pattern?: unknown };
  if (typeof pattern === 'string') yield pattern;
  for (const below of Object.values(value)) yield* patternsIn(below);
}
