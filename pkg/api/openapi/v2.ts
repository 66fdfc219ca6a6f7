import { atOnce, type Steps } from '../../base/steps.ts';
import type { ResourceDefinition } from '../definition.ts';
import { renderDefinitions } from './definitions.ts';
import { groupPath, PLAIN_PATHS, plainPath, versionPath } from './document-paths.ts';
import { type Operation, operationMarks, type PathItem, pathsOf } from './operations.ts';
import { type Parameter, type PathForm, renderPath } from './parameters.ts';
import type { Describe, OpenAPINode } from './render.ts';

export interface OpenAPIOptions {
  /** `info.version`. */
  readonly version: string;
  readonly describe?: Describe;
}

/** The Swagger 2.0 document of everything that is served, custom resources included. */
export function openAPIv2(definitions: readonly ResourceDefinition[], options: OpenAPIOptions): OpenAPINode {
  return atOnce(openAPIv2Steps(definitions, options));
}

export function* openAPIv2Steps(
  definitions: readonly ResourceDefinition[],
  options: OpenAPIOptions,
): Steps<OpenAPINode> {
  const paths: Record<string, OpenAPINode> = {};
  for (const item of documentPaths(definitions)) paths[item.path] = renderPath(item, FORM);
  for (const definition of definitions) {
    for (const item of pathsOf(definition)) paths[item.path] = renderPath(item, FORM);
    yield;
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: options.version },
    paths,
    definitions: yield* renderDefinitions(definitions, 2, { ...options, withDiscovery: true }),
    parameters: {},
    securityDefinitions: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } },
    security: [{ BearerToken: [] }],
  };
}

/** The documents that tell what is served, of the built-in groups. */
function documentPaths(definitions: readonly ResourceDefinition[]): PathItem[] {
  const items = PLAIN_PATHS.flatMap((path) => plainPath(path) ?? []);
  for (const { type, custom } of definitions) {
    if (custom === true) continue;
    items.push(versionPath(type));
    if (type.group !== '') items.push(groupPath(type.group));
  }
  return items;
}

const FORM: PathForm = { operation: renderOperation, parameter: renderParameter };

function renderParameter({ name, type, in: place }: Parameter): OpenAPINode {
  return { uniqueItems: true, type, name, in: place, ...(place === 'path' ? { required: true } : {}) };
}

function renderOperation(operation: Operation, own: readonly Parameter[]): OpenAPINode {
  const { action, body, consumes, produces, tag, id, codes, answer } = operation;
  const parameters = own.map(renderParameter);
  if (body !== undefined) {
    // Its name comes first but for one.
    const at = parameters.findIndex(({ name }) => String(name) > 'body');
    const required = action !== 'delete' && action !== 'deletecollection';
    parameters.splice(at < 0 ? parameters.length : at, 0, {
      name: 'body',
      in: 'body',
      ...(required ? { required: true } : {}),
      schema: { $ref: `#/definitions/${body}` },
    });
  }
  const schema = answer === undefined ? { type: 'string' } : { $ref: `#/definitions/${answer}` };
  return {
    ...(consumes.length === 0 ? {} : { consumes }),
    produces,
    schemes: ['https'],
    tags: [tag],
    operationId: id,
    ...(parameters.length === 0 ? {} : { parameters }),
    responses: {
      ...Object.fromEntries(codes.map((code) => [String(code), { description: CODES[code] ?? '', schema }])),
      '401': { description: 'Unauthorized' },
    },
    ...operationMarks(operation),
  };
}

export const CODES: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };
