/**
 * Descriptions of the built-in types and their fields, as `kubectl explain` shows them. They are in the doc comments of two
 * packages: the JavaScript client's are of the served version but lack the fields that are objects of a named type; those
 * come from kubernetes-types, or from what other fields of that name and type say, or from the type itself.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { openAPIName } from '../../pkg/api/openapi/names.ts';
import { builtinPackages, builtinSchema, builtinTypeNames } from '../../pkg/api/schema/builtin.ts';

const MODELS = 'node_modules/@kubernetes/client-node/dist/gen/models';
const TYPES = 'node_modules/kubernetes-types';

/** Field -> description; '' is the type itself. */
type TypeDescriptions = Record<string, string>;

/** Writes OpenAPI name -> descriptions, as JSON compressed with zstd, and returns how many types have some. */
export function buildDescriptions(root: string, outfile: string): number {
  const found: Record<string, TypeDescriptions> = {};
  for (const { name: packageName } of builtinPackages()) {
    const older = readTypes(join(root, TYPES, `${packageName.replaceAll('.', '/')}.d.ts`));
    for (const typeName of builtinTypeNames(packageName)) {
      const merged = { ...older.get(typeName), ...readModel(root, packageName, typeName) };
      if (Object.keys(merged).length > 0) found[openAPIName(`${packageName}.${typeName}`)] = merged;
    }
  }
  fillIn(found);
  const level = { params: { [constants.ZSTD_c_compressionLevel]: 19 } };
  writeFileSync(outfile, zstdCompressSync(JSON.stringify(found), level));
  return Object.keys(found).length;
}

/** Describes fields that have no words of their own. */
function fillIn(found: Record<string, TypeDescriptions>): void {
  const fields = builtinPackages().flatMap(({ name: packageName }) =>
    builtinTypeNames(packageName).flatMap((typeName) => {
      const owner = `${packageName}.${typeName}`;
      const { properties } = builtinSchema(owner);
      return [...(properties ?? [])].map(([field, schema]) => ({
        owner: openAPIName(owner),
        field,
        type: schema.name,
      }));
    }),
  );
  const said = new Map<string, string>();
  for (const { owner, field, type } of fields) {
    const text = found[owner]?.[field];
    if (text !== undefined && type !== undefined && !said.has(`${field} ${type}`)) said.set(`${field} ${type}`, text);
  }
  for (const { owner, field, type } of fields) {
    if (type === undefined || found[owner]?.[field] !== undefined) continue;
    const text = said.get(`${field} ${type}`) ?? found[openAPIName(type)]?.[''];
    if (text === undefined) continue;
    found[owner] ??= {};
    found[owner][field] = text;
  }
}

/** `core.v1`, `Event` -> CoreV1Event, or V1Event where one package alone has a type of that name. */
function readModel(root: string, packageName: string, typeName: string): TypeDescriptions {
  const words = packageName.split('.').map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  for (const model of [`${words.join('')}${typeName}`, `${words.at(-1)}${typeName}`]) {
    const path = join(root, MODELS, `${model}.d.ts`);
    if (!existsSync(path)) continue;
    const wireNames = new Map<string, string>();
    const script = readFileSync(path.replace(/\.d\.ts$/, '.js'), 'utf8');
    for (const [, name = '', wire = ''] of script.matchAll(/"name": "([^"]+)",\s*"baseName": "([^"]+)"/g))
      wireNames.set(name, wire);
    const described = Object.entries(readTypes(path).get(model) ?? {}).filter(([, text]) => !OF_ITS_TYPE.test(text));
    return Object.fromEntries(described.map(([name, text]) => [wireNames.get(name) ?? name, text]));
  }
  return {};
}

/** What the client says of fields of these types is about the type. */
const OF_ITS_TYPE = /^(?:IntOrString is a type|MicroTime is version|Quantity is a fixed-point|Time is a wrapper)/;

/** A doc comment, where there is one, and the type or the member that it stands before. */
const DECLARATION =
  /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?^(?:export (?:declare class|interface|type) (\w+)| {4}(?:readonly )?["']?([$\w]+)["']?\??:)/gm;

function readTypes(path: string): Map<string, TypeDescriptions> {
  const types = new Map<string, TypeDescriptions>();
  if (!existsSync(path)) return types;
  let current: TypeDescriptions = {};
  for (const [, comment, type, member] of readFileSync(path, 'utf8').matchAll(DECLARATION)) {
    if (type !== undefined) {
      current = {};
      types.set(type, current);
    }
    if (comment !== undefined) current[member ?? ''] = plainText(comment);
  }
  return types;
}

function plainText(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trimEnd());
  return lines
    .join('\n')
    .trim()
    .replaceAll(/\\(['"])/g, '$1');
}
