import type { Steps } from '../../base/steps.ts';
import {
  batches,
  entries,
  list,
  named,
  node,
  writeAny,
  writeExtensions,
  writeText,
  writeTexts,
} from './protobuf-nodes.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import type { OpenAPINode } from './render.ts';

/**
 * A version 3 document as `application/com.github.proto-openapi.spec.v3.v1.0+protobuf`: the messages of gnostic's
 * OpenAPIv3.proto. client-go can ask for it. A message that stands there several times is merged by who reads it, so paths and
 * schemas come in batches.
 */
export function* openAPIv3ProtobufSteps(document: OpenAPINode): Steps<Uint8Array> {
  const out = new ProtobufWriter(1 << 18);
  writeText(out, 1, document['openapi']);
  const info = node(document['info']);
  out.message(2, () => {
    writeText(out, 1, info['title']);
    writeText(out, 2, info['description']);
    writeText(out, 6, info['version']);
  });
  for (const some of batches(entries(document['paths']))) {
    out.message(4, () => {
      for (const [path, item] of some) out.message(1, () => named(out, path, () => writePath(out, item)));
    });
    yield;
  }
  const components = node(document['components']);
  for (const some of batches(entries(components['schemas']))) {
    out.message(5, () => out.message(1, () => writeNamedSchemas(out, 1, some)));
    yield;
  }
  out.message(5, () => out.message(7, () => writeSecuritySchemes(out, components['securitySchemes'])));
  return out.finish();
}

function writeSecuritySchemes(out: ProtobufWriter, schemes: unknown): void {
  for (const [name, scheme] of entries(schemes)) {
    out.message(1, () =>
      named(out, name, () =>
        out.message(1, () => {
          writeText(out, 1, scheme['type']);
          writeText(out, 2, scheme['description']);
          writeText(out, 3, scheme['name']);
          writeText(out, 4, scheme['in']);
        }),
      ),
    );
  }
}

const METHODS: Readonly<Record<string, number>> = {
  get: 4,
  put: 5,
  post: 6,
  delete: 7,
  options: 8,
  head: 9,
  patch: 10,
  trace: 11,
};

function writePath(out: ProtobufWriter, item: OpenAPINode): void {
  writeText(out, 3, item['description']);
  for (const [method, operation] of entries(item)) {
    const field = METHODS[method];
    if (field !== undefined) out.message(field, () => writeOperation(out, operation));
  }
  for (const parameter of list(item['parameters'])) out.message(13, () => writeParameter(out, parameter));
}

function writeOperation(out: ProtobufWriter, operation: OpenAPINode): void {
  writeTexts(out, 1, operation['tags']);
  writeText(out, 3, operation['description']);
  writeText(out, 5, operation['operationId']);
  for (const parameter of list(operation['parameters'])) out.message(6, () => writeParameter(out, parameter));
  const body = operation['requestBody'];
  if (body !== undefined) out.message(7, () => out.message(1, () => writeBody(out, node(body))));
  out.message(8, () => {
    for (const [code, response] of entries(operation['responses'])) {
      out.message(2, () =>
        named(out, code, () =>
          out.message(1, () => {
            writeText(out, 1, response['description']);
            writeContent(out, 3, response['content']);
          }),
        ),
      );
    }
  });
  writeExtensions(out, 13, operation);
}

function writeBody(out: ProtobufWriter, body: OpenAPINode): void {
  writeText(out, 1, body['description']);
  writeContent(out, 2, body['content']);
  if (body['required'] === true) out.boolean(3, true);
}

/** MediaTypes with their schemas. */
function writeContent(out: ProtobufWriter, field: number, content: unknown): void {
  if (content === undefined) return;
  out.message(field, () => {
    for (const [type, { schema }] of entries(content)) {
      out.message(1, () =>
        named(out, type, () => {
          if (schema !== undefined) out.message(1, () => writeSchemaOrReference(out, node(schema)));
        }),
      );
    }
  });
}

/** A ParameterOrReference that is a Parameter. */
function writeParameter(out: ProtobufWriter, parameter: OpenAPINode): void {
  out.message(1, () => {
    writeText(out, 1, parameter['name']);
    writeText(out, 2, parameter['in']);
    writeText(out, 3, parameter['description']);
    if (parameter['required'] === true) out.boolean(4, true);
    const schema = parameter['schema'];
    if (schema !== undefined) out.message(10, () => writeSchemaOrReference(out, node(schema)));
  });
}

function writeNamedSchemas(out: ProtobufWriter, field: number, schemas: readonly [string, OpenAPINode][]): void {
  for (const [name, schema] of schemas) {
    out.message(field, () => named(out, name, () => writeSchemaOrReference(out, schema)));
  }
}

/** What stands beside a $ref says nothing. */
function writeSchemaOrReference(out: ProtobufWriter, schema: OpenAPINode): void {
  const { $ref } = schema;
  if (typeof $ref === 'string') out.message(2, () => out.string(1, $ref));
  else out.message(1, () => writeSchema(out, schema));
}

const TEXT_FIELDS: Readonly<Record<string, number>> = { title: 9, pattern: 17, type: 25, description: 34, format: 35 };
const NUMBER_FIELDS: Readonly<Record<string, number>> = { multipleOf: 10, maximum: 11, minimum: 13 };
const INTEGER_FIELDS: Readonly<Record<string, number>> = {
  maxLength: 15,
  minLength: 16,
  maxItems: 18,
  minItems: 19,
  maxProperties: 21,
  minProperties: 22,
};
const BOOLEAN_FIELDS: Readonly<Record<string, number>> = {
  nullable: 1,
  readOnly: 3,
  writeOnly: 4,
  deprecated: 8,
  exclusiveMaximum: 12,
  exclusiveMinimum: 14,
  uniqueItems: 20,
};
const SCHEMA_LISTS: Readonly<Record<string, number>> = { allOf: 26, oneOf: 27, anyOf: 28 };

function writeSchema(out: ProtobufWriter, schema: OpenAPINode): void {
  for (const [key, field] of Object.entries(BOOLEAN_FIELDS)) if (schema[key] === true) out.boolean(field, true);
  for (const [key, field] of Object.entries(TEXT_FIELDS)) writeText(out, field, schema[key]);
  for (const [key, field] of Object.entries(NUMBER_FIELDS)) {
    const value = schema[key];
    if (typeof value === 'number') out.double(field, value);
  }
  for (const [key, field] of Object.entries(INTEGER_FIELDS)) {
    const value = schema[key];
    if (typeof value === 'number') out.int(field, value);
  }
  if (schema['example'] !== undefined) out.message(7, () => writeAny(out, schema['example']));
  writeTexts(out, 23, schema['required']);
  if (Array.isArray(schema['enum'])) for (const one of schema['enum']) out.message(24, () => writeAny(out, one));
  for (const [key, field] of Object.entries(SCHEMA_LISTS)) {
    for (const one of list(schema[key])) out.message(field, () => writeSchemaOrReference(out, one));
  }
  if (schema['not'] !== undefined) out.message(29, () => writeSchema(out, node(schema['not'])));
  const { items } = schema;
  if (items !== undefined) out.message(30, () => out.message(1, () => writeSchemaOrReference(out, node(items))));
  const { properties } = schema;
  if (properties !== undefined) out.message(31, () => writeNamedSchemas(out, 1, entries(properties)));
  writeAdditional(out, schema['additionalProperties']);
  writeDefault(out, schema['default']);
  writeExtensions(out, 36, schema);
}

function writeAdditional(out: ProtobufWriter, additional: unknown): void {
  if (additional === undefined) return;
  out.message(32, () => {
    if (typeof additional === 'boolean') out.boolean(2, additional);
    else out.message(1, () => writeSchemaOrReference(out, node(additional)));
  });
}

/** A DefaultType has room for scalars only: lists and maps leave it empty, as gnostic does. */
function writeDefault(out: ProtobufWriter, value: unknown): void {
  if (value === undefined) return;
  out.message(33, () => {
    if (typeof value === 'number') out.double(1, value);
    else if (typeof value === 'boolean') out.boolean(2, value);
    else if (typeof value === 'string') out.string(3, value);
  });
}
