import { atOnce, type Steps } from '../../base/steps.ts';
import type { ResourceDefinition } from '../definition.ts';
import { renderDefinitions } from './definitions.ts';
import { type Operation, operationMarks, pathsOf, producesOf } from './operations.ts';
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
  for (const definition of definitions) {
    for (const item of pathsOf(definition)) {
      const node: OpenAPINode = {};
      for (const operation of item.operations) node[operation.method] = renderOperation(operation);
      node['parameters'] = [
        ...item.parameters.map((name) => ({ uniqueItems: true, type: 'string', name, in: 'path', required: true })),
        { uniqueItems: true, type: 'string', name: 'pretty', in: 'query' },
      ];
      paths[item.path] = node;
    }
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

function renderOperation(operation: Operation): OpenAPINode {
  const parameters: OpenAPINode[] = operation.query.map(({ name, type }) => ({
    uniqueItems: true,
    type,
    name,
    in: 'query',
  }));
  if (operation.body !== undefined) {
    const required = operation.action !== 'delete' && operation.action !== 'deletecollection';
    parameters.unshift({
      name: 'body',
      in: 'body',
      ...(required ? { required: true } : {}),
      schema: { $ref: `#/definitions/${operation.body}` },
    });
  }
  const schema = operation.answer === undefined ? { type: 'string' } : { $ref: `#/definitions/${operation.answer}` };
  return {
    consumes: operation.consumes ?? ['*/*'],
    produces: producesOf(operation),
    schemes: ['https'],
    tags: [operation.tag],
    operationId: operation.id,
    ...(parameters.length === 0 ? {} : { parameters }),
    responses: {
      ...Object.fromEntries(operation.codes.map((code) => [String(code), { description: CODES[code] ?? '', schema }])),
      '401': { description: 'Unauthorized' },
    },
    ...operationMarks(operation),
  };
}

export const CODES: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };
