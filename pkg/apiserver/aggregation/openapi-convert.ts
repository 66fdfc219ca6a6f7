import type { OpenAPINode } from '../../api/openapi/index.ts';
import { API_VERSION } from '../../api/version.ts';
import type { OpenAPIPart } from './openapi-part.ts';

const V2_REFERENCE = '#/definitions/';
const V3_REFERENCE = '#/components/schemas/';
const METHODS: ReadonlySet<string> = new Set(['delete', 'get', 'head', 'options', 'patch', 'post', 'put']);
/** What a parameter says of its value; version 3 has it in a schema of its own. */
const VALUE_FIELDS = ['type', 'format', 'items', 'default', 'enum', 'uniqueItems', 'maximum', 'minimum', 'pattern'];

/** The version 3 document of a server that has only one of version 2. */
export function convertOpenAPI({ paths, definitions }: OpenAPIPart): OpenAPINode {
  return references({
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: API_VERSION },
    paths: Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, convertPath(item)])),
    components: { schemas: definitions },
  }) as OpenAPINode;
}

function convertPath(item: OpenAPINode): OpenAPINode {
  const converted: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(item)) {
    if (METHODS.has(key)) converted[key] = convertOperation(objectOf(value));
    else if (key === 'parameters') converted[key] = objectsOf(value).map(convertParameter);
    else converted[key] = value;
  }
  return converted as OpenAPINode;
}

function convertOperation(operation: Fields): Fields {
  const { consumes, produces, schemes: _, parameters, responses, ...rest } = operation;
  const all = objectsOf(parameters);
  const body = all.find((parameter) => parameter['in'] === 'body');
  const others = all.filter((parameter) => parameter !== body).map(convertParameter);
  return {
    ...rest,
    ...(others.length === 0 ? {} : { parameters: others }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: contentOf(consumes, body['schema']),
            ...(body['required'] === true ? { required: true } : {}),
          },
        }),
    responses: Object.fromEntries(
      Object.entries(objectOf(responses)).map(([code, response]) => {
        const { schema, ...described } = objectOf(response);
        return [code, schema === undefined ? described : { ...described, content: contentOf(produces, schema) }];
      }),
    ),
  };
}

function convertParameter(parameter: Fields): Fields {
  const converted: Record<string, unknown> = {};
  const schema: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(parameter)) {
    if (VALUE_FIELDS.includes(key)) schema[key] = value;
    else converted[key] = value;
  }
  return Object.keys(schema).length === 0 ? converted : { ...converted, schema };
}

function contentOf(types: unknown, schema: unknown): Fields {
  const names = Array.isArray(types) ? types.filter((type) => typeof type === 'string') : [];
  return Object.fromEntries((names.length === 0 ? ['*/*'] : names).map((type) => [type, { schema }]));
}

function references(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(references);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === '$ref' && typeof item === 'string' && item.startsWith(V2_REFERENCE)
        ? V3_REFERENCE + item.slice(V2_REFERENCE.length)
        : references(item),
    ]),
  );
}

type Fields = Readonly<Record<string, unknown>>;

function objectOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function objectsOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}
