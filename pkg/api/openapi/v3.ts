import { createHash } from 'node:crypto';
import { atOnce } from '../../base/steps.ts';
import type { ResourceDefinition } from '../definition.ts';
import { renderDefinitions } from './definitions.ts';
import { groupPath, PLAIN_PATHS, plainPath, versionPath } from './document-paths.ts';
import { type Operation, operationMarks, type PathItem, pathsOf } from './operations.ts';
import { type Parameter, type PathForm, renderPath } from './parameters.ts';
import type { OpenAPINode } from './render.ts';
import { CODES, type OpenAPIOptions } from './v2.ts';

/** The OpenAPI 3.0 document of one group and version: the definitions are those of it. */
export function openAPIv3(definitions: readonly ResourceDefinition[], options: OpenAPIOptions): OpenAPINode {
  const items = definitions.flatMap(pathsOf);
  const [first] = definitions;
  // The documents of custom groups tell of the resources only.
  const isBuiltin = first !== undefined && first.custom !== true;
  if (isBuiltin) items.unshift(versionPath(first.type));
  return {
    ...head(items, options),
    components: {
      schemas: atOnce(renderDefinitions(definitions, 3, { ...options, ...(isBuiltin ? { lists: true } : {}) })),
      ...(isBuiltin ? SECURITY : {}),
    },
  };
}

const SECURITY = { securitySchemes: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } } };

function head(items: readonly PathItem[], { version }: OpenAPIOptions): OpenAPINode {
  const paths = Object.fromEntries(items.map((item) => [item.path, renderPath(item, FORM)]));
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version }, paths };
}

const FORM: PathForm = { operation: renderOperation, parameter: renderParameter };

function renderParameter({ name, type, in: place }: Parameter): OpenAPINode {
  return {
    name,
    in: place,
    ...(place === 'path' ? { required: true } : {}),
    schema: { type, uniqueItems: true },
  };
}

/** The same for every media type, in alphabetical order. */
function contentOf(types: readonly string[], schema: OpenAPINode): OpenAPINode {
  return Object.fromEntries([...types].sort().map((type) => [type, { schema }]));
}

function renderOperation(operation: Operation, parameters: readonly Parameter[]): OpenAPINode {
  const schema =
    operation.answer === undefined ? { type: 'string' } : { $ref: `#/components/schemas/${operation.answer}` };
  const content = contentOf(operation.produces, schema);
  const body = operation.body === undefined ? undefined : { $ref: `#/components/schemas/${operation.body}` };
  const required = operation.action !== 'delete' && operation.action !== 'deletecollection';
  return {
    tags: [operation.tag],
    operationId: operation.id,
    ...(parameters.length === 0 ? {} : { parameters: parameters.map(renderParameter) }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: contentOf(operation.consumes, body),
            ...(required ? { required: true } : {}),
          },
        }),
    responses: {
      ...Object.fromEntries(operation.codes.map((code) => [String(code), { description: CODES[code] ?? '', content }])),
      '401': { description: 'Unauthorized' },
    },
    ...operationMarks(operation),
  };
}

/** `api/v1`, `apis/apps/v1`: how the index names the documents. */
export function openAPIv3Path(type: { readonly group: string; readonly version: string }): string {
  return type.group === '' ? `api/${type.version}` : `apis/${type.group}/${type.version}`;
}

const LOGS = 'logs';

/**
 * All version 3 documents of one state of the API. Documents are made when asked for and kept; make a new one when definitions
 * change.
 */
export class OpenAPIv3 {
  readonly #groups = new Map<string, ResourceDefinition[]>();
  readonly #options: OpenAPIOptions;
  readonly #documents = new Map<string, Uint8Array>();

  constructor(definitions: readonly ResourceDefinition[], options: OpenAPIOptions) {
    this.#options = options;
    for (const definition of definitions) {
      const path = openAPIv3Path(definition.type);
      const known = this.#groups.get(path);
      if (known === undefined) this.#groups.set(path, [definition]);
      else known.push(definition);
    }
  }

  /** The answer of /openapi/v3. */
  index(): { paths: Record<string, { serverRelativeURL: string }> } {
    const paths: Record<string, { serverRelativeURL: string }> = {};
    const entry = (path: string): void => {
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${this.hash(path)}` };
    };
    for (const path of [...PLAIN_PATHS, LOGS]) entry(path);
    for (const path of this.#groups.keys()) {
      const group = path.startsWith('apis/') ? path.slice(0, path.lastIndexOf('/')) : undefined;
      if (group !== undefined) entry(group);
      entry(path);
    }
    return { paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))) };
  }

  /** What `?hash=` says; changes whenever the document does. Upper-case SHA-512 in hexadecimal, as upstream has it. */
  hash(path: string): string {
    const definitions = this.#groups.get(path) ?? [];
    const hash = createHash('sha512').update(`${this.#options.version}\n${path}\n`);
    if (definitions.some((definition) => definition.custom)) hash.update(this.document(path) ?? '');
    for (const { type, verbs, subresources } of definitions) hash.update(JSON.stringify([type, verbs, subresources]));
    return hash.digest('hex').toUpperCase();
  }

  /** JSON of the document at `api/v1`, `apis/apps/v1`, ...; undefined when there is none. */
  document(path: string): Uint8Array | undefined {
    const known = this.#documents.get(path);
    if (known !== undefined) return known;
    const node = this.#build(path);
    if (node === undefined) return undefined;
    const bytes = new TextEncoder().encode(JSON.stringify(node));
    this.#documents.set(path, bytes);
    return bytes;
  }

  #build(path: string): OpenAPINode | undefined {
    const definitions = this.#groups.get(path);
    if (definitions !== undefined) return openAPIv3(definitions, this.#options);
    const item = plainPath(path) ?? this.#groupPath(path);
    // The logs of the machine have a document, and are not served.
    if (item === undefined && path !== LOGS) return undefined;
    return {
      ...head(item === undefined ? [] : [item], this.#options),
      components: {
        schemas: atOnce(renderDefinitions([], 3, { ...this.#options, withDiscovery: true })),
        ...SECURITY,
      },
    };
  }

  #groupPath(path: string): PathItem | undefined {
    for (const known of this.#groups.keys()) {
      if (known.startsWith('apis/') && known.slice(0, known.lastIndexOf('/')) === path) return groupPath(path.slice(5));
    }
    return undefined;
  }
}
