import type { Schema } from '../../api/schema.ts';
import type { Rules } from './strategy.ts';

/** Compiles x-kubernetes-validations. */
export interface RuleEngine {
  /** undefined: the schema has none. */
  compile(schema: Schema): Rules | undefined;
}

export type LoadRules = () => Promise<RuleEngine>;

/** A loader of the engine, which is loaded for the first definition that has rules, and shared by all. */
export function ruleLoader(): LoadRules {
  let engine: Promise<RuleEngine> | undefined;
  return () => {
    engine ??= load();
    return engine;
  };
}

async function load(): Promise<RuleEngine> {
  const { RuleCompiler } = await import('../../api/schema/rules.ts');
  const { validateRules } = await import('../../api/schema/validate-rules.ts');
  const compiler = await RuleCompiler.load();
  return {
    compile(schema) {
      const tree = compiler.tree(schema);
      return tree && ((object, old, warn) => validateRules(tree, object, old, warn));
    },
  };
}
