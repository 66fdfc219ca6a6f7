/** The schemas of a CustomResourceDefinition. Loaded when the first one is validated: it needs the engines of patterns and CEL. */
import { schemaFromOpenAPI } from '../schema/crd.ts';
import { loadPatternCheck } from '../schema/pattern.ts';
import { RuleCompiler } from '../schema/rules.ts';
import type { FieldError } from '../validation/field-error.ts';
import { validateDefaults } from './customresourcedefinition-defaults.ts';
import { type Props, validateOpenAPI } from './customresourcedefinition-openapi.ts';
import { validateRuleTexts } from './customresourcedefinition-rules.ts';
import { validateStructural } from './customresourcedefinition-structural.ts';

/** The errors of schemas by the paths of their openAPIV3Schema. */
export async function validateSchemas(schemas: Iterable<readonly [string, Props]>): Promise<FieldError[]> {
  const patternProblem = await loadPatternCheck();
  let compiler: RuleCompiler | undefined;
  const errors: FieldError[] = [];
  for (const [path, props] of schemas) {
    const wrong = validateOpenAPI(props, path, { patternProblem });
    // Errors of both passes about one place would say the same twice.
    const seen = new Set(wrong.map(({ field }) => field));
    wrong.push(...validateStructural(props, path).filter(({ field }) => !seen.has(field)));
    errors.push(...wrong);
    if (wrong.length > 0) continue;
    const schema = await schemaFromOpenAPI(props);
    errors.push(...validateDefaults(schema, path));
    if (!JSON.stringify(props).includes('"x-kubernetes-validations"')) continue;
    compiler ??= await RuleCompiler.load();
    errors.push(...validateRuleTexts(schema, path, compiler));
  }
  return errors;
}
