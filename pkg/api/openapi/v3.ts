import { createHash } from 'node:crypto';
import { atOnce } from '../../base/steps.ts';
import type { ResourceDefinition } from '../definition.ts';
import { renderDefinitions } from './definitions.ts';
import { type Operation, operationMarks, pathsOf, producesOf } from './operations.ts';
import type { OpenAPINode } from './render.ts';
import { CODES, type OpenAPIOptions } from './v2.ts';

/** The OpenAPI 3.0 document of one group and version: the definitions are those of it. */
export function openAPIv3(definitions: readonly ResourceDefinition[], options: OpenAPIOptions): OpenAPINode {
  const paths: Record<string, OpenAPINode> = {};
  for (const definition of definitions) {
    for (const item of pathsOf(definition)) {
      const node: OpenAPINode = {};
      for (const operation of item.operations) node[operation.method] = renderOperation(operation);
      node['parameters'] = [
        ...item.parameters.map((name) => ({
          name,
          in: 'path',
          required: true,
          schema: { type: 'string', uniqueItems: true },
        })),
        { name: 'pretty', in: 'query', schema: { type: 'string', uniqueItems: true } },
      ];
      paths[item.path] = node;
    }
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: options.version },
    paths,
    components: {
      schemas: atOnce(renderDefinitions(definitions, 3, options)),
      securitySchemes: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } },
    },
  };
}

function renderOperation(operation: Operation): OpenAPINode {
  const schema =
    operation.answer === undefined ? { type: 'string' } : { $ref: `#/components/schemas/${operation.answer}` };
  const content = Object.fromEntries(producesOf(operation).map((type) => [type, { schema }]));
  const body = operation.body === undefined ? undefined : { $ref: `#/components/schemas/${operation.body}` };
  const required = operation.action !== 'delete' && operation.action !== 'deletecollection';
  return {
    tags: [operation.tag],
    operationId: operation.id,
    ...(operation.query.length === 0
      ? {}
      : {
          parameters: operation.query.map(({ name, type }) => ({
            name,
            in: 'query',
            schema: { type, uniqueItems: true },
          })),
        }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: Object.fromEntries((operation.consumes ?? ['*/*']).map((type) => [type, { schema: body }])),
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

/** Documents of paths that belong to no group. */
const PLAIN_PATHS = ['.well-known/openid-configuration', 'api', 'apis', 'logs', 'openid/v1/jwks', 'version'];

/** `api/v1`, `apis/apps/v1`: how the index names the documents. */
export function openAPIv3Path(type: { readonly group: string; readonly version: string }): string {
  return type.group === '' ? `api/${type.version}` : `apis/${type.group}/${type.version}`;
}

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
    for (const path of PLAIN_PATHS) entry(path);
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
    const known =
      PLAIN_PATHS.includes(path) ||
      [...this.#groups.keys()].some((one) => one.startsWith('apis/') && one.slice(0, one.lastIndexOf('/')) === path);
    if (!known) return undefined;
    return {
      openapi: '3.0.0',
      info: { title: 'Kubernetes', version: this.#options.version },
      paths: { [`/${path}/`]: {} },
      components: { schemas: atOnce(renderDefinitions([], 3, { ...this.#options, withDiscovery: true })) },
    };
  }
}
