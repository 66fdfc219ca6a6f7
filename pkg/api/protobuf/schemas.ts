import { parseAPIVersion } from '../object.ts';
import { builtinPackage, builtinSchema, hasBuiltinType } from '../schema/builtin.ts';
import type { Schema } from '../schema.ts';

/** The schema of a built-in kind by what an object says of itself; kinds of meta.v1 (Status) are in every group and version. */
export function schemaOfKind(apiVersion: string, kind: string): Schema | undefined {
  if (kind === 'PartialObjectMetadata') return partialObjectMetadata();
  const { group, version } = parseAPIVersion(apiVersion);
  const names = [`${builtinPackage(group, version)}.${kind}`, `meta.v1.${kind}`];
  const name = names.find(hasBuiltinType);
  return name === undefined ? undefined : builtinSchema(name);
}

let partial: Schema | undefined;

/** PartialObjectMetadata: the metadata, in the field where every object has them. Made on first use. */
export function partialObjectMetadata(): Schema {
  if (partial === undefined) {
    const metadata = builtinSchema('core.v1.ConfigMap').properties?.get('metadata');
    partial = { type: 'object', properties: new Map(metadata === undefined ? [] : [['metadata', metadata]]) };
  }
  return partial;
}
