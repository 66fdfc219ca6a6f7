import { createHash } from 'node:crypto';
import type { OpenAPINode } from '../../api/openapi/index.ts';
import { equalJSON } from '../../base/json.ts';
import type { RemoteAnswer } from './remote-fetch.ts';
import type { RemoteService } from './remote-services.ts';

/** What one group and version of another server adds to the OpenAPI v2 document. */
export interface OpenAPIPart {
  readonly etag: string;
  readonly paths: Readonly<Record<string, OpenAPINode>>;
  readonly definitions: Readonly<Record<string, OpenAPINode>>;
}

const REFERENCE = '#/definitions/';

/** The part of a server's document that is about its group and version, with the definitions that it needs. */
export function parseOpenAPI({ body, headers }: RemoteAnswer, { group, version }: RemoteService): OpenAPIPart {
  const document = objectOf(JSON.parse(body.toString('utf8')));
  const all = objectOf(document['definitions']);
  const paths: Record<string, OpenAPINode> = {};
  const definitions: Record<string, OpenAPINode> = {};
  const prefix = `/apis/${group}/${version}/`;
  const wanted: OpenAPINode[] = [];
  for (const [path, item] of Object.entries(objectOf(document['paths']))) {
    if (!`${path}/`.startsWith(prefix) || !isObject(item)) continue;
    paths[path] = item;
    wanted.push(item);
  }
  for (let item = wanted.pop(); item !== undefined; item = wanted.pop()) {
    for (const name of referencesOf(item)) {
      const definition = all[name];
      if (!isObject(definition) || Object.hasOwn(definitions, name)) continue;
      definitions[name] = definition;
      wanted.push(definition);
    }
  }
  const etag = headers.etag ?? `"${createHash('sha256').update(body).digest('hex')}"`;
  return { etag, paths, definitions };
}

/** The document with a part of another server. Definitions of one name that differ get a number behind theirs. */
export function mergeOpenAPI(document: OpenAPINode, part: OpenAPIPart): OpenAPINode {
  const definitions = { ...objectOf(document['definitions']) } as Record<string, OpenAPINode>;
  const renamed = new Map<string, string>();
  for (const [name, definition] of Object.entries(part.definitions)) {
    const known = definitions[name];
    if (known === undefined || equalJSON(known, definition)) continue;
    let number = 2;
    while (Object.hasOwn(definitions, `${name}_v${number}`) || Object.hasOwn(part.definitions, `${name}_v${number}`))
      number++;
    renamed.set(name, `${name}_v${number}`);
  }
  for (const [name, definition] of Object.entries(part.definitions))
    definitions[renamed.get(name) ?? name] = rename(definition, renamed) as OpenAPINode;
  const paths = { ...objectOf(document['paths']), ...(rename(part.paths, renamed) as object) };
  return { ...document, paths, definitions } as OpenAPINode;
}

function referencesOf(value: unknown, found: Set<string> = new Set()): Set<string> {
  if (Array.isArray(value)) for (const item of value) referencesOf(item, found);
  else if (isObject(value)) {
    const reference = value['$ref'];
    if (typeof reference === 'string' && reference.startsWith(REFERENCE)) found.add(reference.slice(REFERENCE.length));
    for (const item of Object.values(value)) referencesOf(item, found);
  }
  return found;
}

function rename(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (names.size === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => rename(item, names));
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const name = key === '$ref' && typeof item === 'string' ? names.get(item.slice(REFERENCE.length)) : undefined;
    copy[key] = name === undefined ? rename(item, names) : REFERENCE + name;
  }
  return copy;
}

function isObject(value: unknown): value is OpenAPINode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}
