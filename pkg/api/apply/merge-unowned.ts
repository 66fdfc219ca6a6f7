import type { Schema } from '../schema.ts';
import { configErrors } from './check-config.ts';
import { mergeConfig } from './merge.ts';
import { objectSchema } from './object-schema.ts';
import { isObject, itemSchema, memberSchema, structureOf } from './structure.ts';

/** A configuration that cannot be merged; the text is upstream's. */
export class MergeError extends Error {
  override readonly name = 'MergeError';
}

/**
 * An object with what a configuration says, without anybody owning it: what mutating admission policies do. Parts that are
 * replaced as a whole are refused, as their author may not know what else is in them. Throws MergeError.
 */
export function mergeUnowned(schema: Schema, live: unknown, config: unknown): unknown {
  const whole = objectSchema(schema);
  const errors = configErrors(whole, config);
  if (errors.length > 0) {
    const text = errors.length === 1 ? errors[0] : ['errors:', ...errors.map((error) => `  ${error}`)].join('\n');
    throw new MergeError(`failed to convert patch object to typed object: ${text}`);
  }
  const units = [...unitsOf(whole, config, '')];
  if (units.length > 0) {
    const problem = `may not mutate atomic arrays, maps or structs: ${units.join(', ')}`;
    throw new MergeError(`invalid ApplyConfiguration: ${problem}`);
  }
  return mergeConfig(whole, live, config);
}

/** The paths of lists and objects that are replaced as a whole. */
function* unitsOf(schema: Schema, value: unknown, path: string): Generator<string> {
  if (Array.isArray(value)) {
    if (schema.type === 'array' && structureOf(schema, value) === 'leaf') yield path;
    for (const [i, item] of value.entries()) yield* unitsOf(itemSchema(schema), item, `${path}[${i}]`);
  } else if (isObject(value)) {
    if (schema.type === 'object' && structureOf(schema, value) === 'leaf') yield path;
    for (const [name, member] of Object.entries(value)) {
      yield* unitsOf(memberSchema(schema, name), member, `${path}.${name}`);
    }
  }
}
