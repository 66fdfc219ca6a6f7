import { atOnce, type Steps } from '../../base/steps.ts';
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
 * A version 2 document as `application/com.github.proto-openapi.spec.v2.v1.0+protobuf`: the messages of gnostic's OpenAPIv2.proto.
 * Older kubectl and Helm ask for it.
 */
export function openAPIv2Protobuf(document: OpenAPINode): Uint8Array {
  return atOnce(openAPIv2ProtobufSteps(document));
}

/** A message that stands there several times is merged by who reads it, so paths and definitions can come in batches. */
export function* openAPIv2ProtobufSteps(document: OpenAPINode): Steps<Uint8Array> {
  const out = new ProtobufWriter(1 << 20);
  writeText(out, 1, document['swagger']);
  const info = node(document['info']);
  out.message(2, () => {
    writeText(out, 1, info['title']);
    writeText(out, 2, info['version']);
  });
  for (const some of batches(entries(document['paths']))) {
    out.message(8, () => {
      for (const [path, item] of some) out.message(2, () => named(out, path, () => writePath(out, item)));
    });
    yield;
  }
  for (const some of batches(entries(document['definitions']))) {
    out.message(9, () => {
      for (const [name, schema] of some) out.message(1, () => named(out, name, () => writeSchema(out, schema)));
    });
    yield;
  }
  for (const requirement of list(document['security'])) {
    out.message(12, () => {
      for (const [name] of entries(requirement)) out.message(1, () => named(out, name, () => undefined));
    });
  }
  out.message(13, () => {
    for (const [name, definition] of entries(document['securityDefinitions'])) {
      out.message(1, () => named(out, name, () => out.message(2, () => writeAPIKey(out, definition))));
    }
  });
  return out.finish();
}

function writeAPIKey(out: ProtobufWriter, definition: OpenAPINode): void {
  writeText(out, 1, definition['type']);
  writeText(out, 2, definition['name']);
  writeText(out, 3, definition['in']);
}

const METHODS: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, options: 6, head: 7, patch: 8 };

function writePath(out: ProtobufWriter, item: OpenAPINode): void {
  for (const [method, operation] of entries(item)) {
    const field = METHODS[method];
    if (field !== undefined) out.message(field, () => writeOperation(out, operation));
  }
  for (const parameter of list(item['parameters'])) out.message(9, () => writeParameter(out, parameter));
}

function writeOperation(out: ProtobufWriter, operation: OpenAPINode): void {
  writeTexts(out, 1, operation['tags']);
  writeText(out, 5, operation['operationId']);
  writeTexts(out, 6, operation['produces']);
  writeTexts(out, 7, operation['consumes']);
  for (const parameter of list(operation['parameters'])) out.message(8, () => writeParameter(out, parameter));
  out.message(9, () => {
    for (const [code, response] of entries(operation['responses'])) {
      out.message(1, () =>
        named(out, code, () =>
          out.message(1, () => {
            writeText(out, 1, response['description']);
            const schema = response['schema'];
            if (schema !== undefined) out.message(2, () => out.message(1, () => writeSchema(out, node(schema))));
          }),
        ),
      );
    }
  });
  writeTexts(out, 10, operation['schemes']);
  writeExtensions(out, 13, operation);
}

/** A ParametersItem that is a Parameter. */
function writeParameter(out: ProtobufWriter, parameter: OpenAPINode): void {
  out.message(1, () => {
    if (parameter['in'] === 'body') {
      out.message(1, () => {
        writeText(out, 1, parameter['description']);
        writeText(out, 2, parameter['name']);
        writeText(out, 3, 'body');
        if (parameter['required'] === true) out.boolean(4, true);
        out.message(5, () => writeSchema(out, node(parameter['schema'])));
      });
      return;
    }
    const inPath = parameter['in'] === 'path';
    out.message(2, () =>
      out.message(inPath ? 4 : 3, () => {
        if (parameter['required'] === true) out.boolean(1, true);
        writeText(out, 2, parameter['in']);
        writeText(out, 3, parameter['description']);
        writeText(out, 4, parameter['name']);
        writeText(out, inPath ? 5 : 6, parameter['type']);
        if (parameter['uniqueItems'] === true) out.boolean(inPath ? 19 : 20, true);
      }),
    );
  });
}

const TEXT_FIELDS: Readonly<Record<string, number>> = { $ref: 1, format: 2, title: 3, description: 4, pattern: 13 };
const NUMBER_FIELDS: Readonly<Record<string, number>> = { multipleOf: 6, maximum: 7, minimum: 9 };
const INTEGER_FIELDS: Readonly<Record<string, number>> = {
  maxLength: 11,
  minLength: 12,
  maxItems: 14,
  minItems: 15,
  maxProperties: 17,
  minProperties: 18,
};
const BOOLEAN_FIELDS: Readonly<Record<string, number>> = { exclusiveMaximum: 8, exclusiveMinimum: 10, uniqueItems: 16 };

function writeSchema(out: ProtobufWriter, schema: OpenAPINode): void {
  for (const [key, field] of Object.entries(TEXT_FIELDS)) writeText(out, field, schema[key]);
  for (const [key, field] of Object.entries(NUMBER_FIELDS)) {
    const value = schema[key];
    if (typeof value === 'number') out.double(field, value);
  }
  for (const [key, field] of Object.entries(INTEGER_FIELDS)) {
    const value = schema[key];
    if (typeof value === 'number') out.int(field, value);
  }
  for (const [key, field] of Object.entries(BOOLEAN_FIELDS)) if (schema[key] === true) out.boolean(field, true);
  if (schema['default'] !== undefined) out.message(5, () => writeAny(out, schema['default']));
  writeTexts(out, 19, schema['required']);
  if (Array.isArray(schema['enum'])) for (const one of schema['enum']) out.message(20, () => writeAny(out, one));
  const additional = schema['additionalProperties'];
  if (typeof additional === 'boolean') out.message(21, () => out.boolean(2, additional));
  else if (additional !== undefined) out.message(21, () => out.message(1, () => writeSchema(out, node(additional))));
  const { type } = schema;
  if (typeof type === 'string') out.message(22, () => out.string(1, type));
  if (schema['items'] !== undefined) {
    out.message(23, () => out.message(1, () => writeSchema(out, node(schema['items']))));
  }
  if (schema['properties'] !== undefined) {
    out.message(25, () => {
      for (const [name, field] of entries(schema['properties'])) {
        out.message(1, () => named(out, name, () => writeSchema(out, field)));
      }
    });
  }
  writeExtensions(out, 31, schema);
}
