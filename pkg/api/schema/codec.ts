import { atOnce, inTurns, type Steps } from '../../base/steps.ts';
import type { ResourceDefinition } from '../definition.ts';
import { badRequest, newStatus, StatusError } from '../errors.ts';
import { apiVersionOf, type KubeObject, parseAPIVersion, type ResourceType } from '../object.ts';
import type { Schema } from '../schema.ts';
import { decodeCustom } from './custom.ts';
import { type DecodeNotes, Decoder } from './decode.ts';
import { DecodeError } from './decode-error.ts';
import { parseWithDuplicates } from './duplicates.ts';
import { mayHaveDuplicates, parseJSON, strictFindings } from './json-text.ts';
import { asWritten } from './number-literal.ts';
import { parseYAML } from './yaml.ts';
import type { ReadYAML } from './yaml-reader.ts';

/** The `fieldValidation` of a request, in lower case. `strict` and `warn` look for unknown and duplicate fields. */
export type FieldValidation = 'strict' | 'warn' | 'ignore';

export interface DecodeOptions {
  readonly mode: FieldValidation;
  /** A custom resource: pruned by its schema instead of Go's struct rules. */
  readonly custom?: boolean;
  /** Of a custom resource: nulls stay where its schema allows none, so that validation tells of them. */
  readonly keepsNulls?: boolean;
}

export interface Decoded {
  readonly object: Record<string, unknown>;
  /** `unknown field "spec.foo"`, `duplicate field "spec.a"`: errors in strict mode, warnings in warn mode, none in ignore mode. */
  readonly findings: readonly string[];
}

type JSONObject = Record<string, unknown>;

const utf8 = new TextDecoder();
/** As many findings as upstream reports at most. */
const MAX_FINDINGS = 100;

/**
 * Decodes a JSON body, or JSON already parsed (which is taken over and changed). Throws a DecodeError with the message of a Go
 * server for what cannot be decoded; unknown and duplicate fields are returned, whatever the mode makes of them.
 */
export function decodeObject(schema: Schema, body: Uint8Array | string | JSONObject, options: DecodeOptions): Decoded {
  const text = typeof body === 'string' ? body : body instanceof Uint8Array ? utf8.decode(body) : undefined;
  const value = text === undefined ? body : parseJSON(text);
  return atOnce(decodeSteps(schema, value, text, options));
}

/** The same at once for JSON that has been parsed. */
export function decodeParsed(schema: Schema, value: unknown, options: DecodeOptions): Decoded {
  return atOnce(decodeSteps(schema, value, undefined, options));
}

/**
 * The same for JSON that has been parsed; `text` is what it was parsed from, for finding duplicates. Each step takes time by the
 * size of the object.
 */
export function* decodeSteps(
  schema: Schema,
  value: unknown,
  text: string | undefined,
  options: DecodeOptions,
): Steps<Decoded> {
  const look = options.mode !== 'ignore';
  // Reading it took its time, too.
  yield;
  let notes: DecodeNotes;
  let object: JSONObject;
  if (options.custom) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DecodeError('type', NOT_A_MAP);
    object = value as JSONObject;
    notes = yield* decodeCustom(schema, object, text, options.keepsNulls);
  } else {
    let decoder = new Decoder();
    object = decodeStruct(decoder, schema, value, text);
    yield;
    if (text !== undefined && mayHaveDuplicates(text, decoder.members)) {
      yield;
      const parsed = parseWithDuplicates(schema, text);
      yield;
      if (parsed !== undefined) {
        decoder = new Decoder();
        object = decoder.decode(schema, parsed) as JSONObject;
      }
    }
    notes = decoder;
  }
  if (!look) return { object, findings: [] };
  yield;
  return { object, findings: findingsOf(notes, text, options.custom === true).slice(0, MAX_FINDINGS) };
}

function decodeStruct(decoder: Decoder, schema: Schema, value: unknown, text: string | undefined): JSONObject {
  try {
    return decoder.decode(schema, value) as JSONObject;
  } catch (error) {
    throw error instanceof DecodeError && text !== undefined ? asWritten(error, text) : error;
  }
}

const NOT_A_MAP = 'json: cannot unmarshal array into Go value of type map[string]interface {}';

function findingsOf(notes: DecodeNotes, text: string | undefined, custom: boolean): string[] {
  const unknown = notes.unknown.map((path) => `unknown field "${path}"`);
  if (text === undefined || !mayHaveDuplicates(text, notes.members)) return unknown;
  const met = strictFindings(text, new Set(custom ? [] : notes.unknown)).map(
    ({ path, duplicate }) => `${duplicate ? 'duplicate' : 'unknown'} field "${path}"`,
  );
  // Of a custom resource the schema has its say when the text has been read.
  return custom ? [...met, ...unknown] : met;
}

export interface BodyOptions {
  readonly mode: FieldValidation;
  /** The media type without parameters; default JSON. */
  readonly contentType?: string;
  /** The subresource's body, when it is not the resource's: its schema, kind and version. */
  readonly as?: { readonly schema: Schema; readonly group: string; readonly version: string; readonly kind: string };
  /** Whether the server knows a group, version and kind; decides how a body of another kind is refused. */
  readonly knowsKind?: (group: string, version: string, kind: string) => boolean;
  /** Default: parseYAML, which takes a long time for long texts. */
  readonly readYAML?: ReadYAML;
}

export interface DecodedBody {
  readonly object: KubeObject;
  /** Texts for `Warning` headers. */
  readonly warnings: readonly string[];
}

/**
 * Decodes the body of a create or update request: JSON or YAML, of the kind that the endpoint serves. Throws StatusError
 * BadRequest as upstream words it, UnsupportedMediaType for other media types.
 */
export async function decodeBody(
  definition: Pick<ResourceDefinition, 'schema' | 'custom'> & { readonly type: ResourceType<unknown> },
  body: Uint8Array,
  options: BodyOptions,
): Promise<DecodedBody> {
  const into = options.as ?? { ...definition.type, schema: definition.schema };
  const contentType = options.contentType ?? 'application/json';
  const source =
    contentType === PROTOBUF && !definition.custom
      ? await readProtobuf(body, into)
      : await readBody(body, contentType, into.kind, options.readYAML);
  const isCustom = definition.custom === true && options.as === undefined;
  const { text } = source;
  // To a Go struct null brings nothing.
  const value = source.value === null && !isCustom ? {} : source.value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unrecognized(body, into.kind, value);
  const { apiVersion, kind } = checkKind(value as JSONObject, into, body, options, isCustom);
  const fail = (message: string): StatusError =>
    cannotHandle(kind, parseAPIVersion(apiVersion).version, into.kind, message);
  let decoded: Decoded;
  try {
    const steps = decodeSteps(into.schema, value, text, { mode: options.mode, custom: isCustom });
    decoded = body.length < LARGE_BYTES ? atOnce(steps) : await inTurns(steps, 0);
  } catch (error) {
    if (error instanceof DecodeError) throw fail(error.message);
    throw error;
  }
  const { object } = decoded;
  object['apiVersion'] = apiVersion;
  object['kind'] = kind;
  const findings = options.mode === 'ignore' ? [] : [...source.findings, ...decoded.findings];
  if (options.mode === 'strict' && findings.length > 0) throw fail(strictMessage(findings));
  return { object: object as KubeObject, warnings: findings.flatMap(warningTexts) };
}

/** The texts of a finding as warnings: what the YAML parser found is one finding of a line each. */
export function warningTexts(finding: string): string[] {
  const lines = finding.replace(/^(?:error converting YAML to JSON: )?yaml: unmarshal errors:\n/, '');
  return lines === finding ? [finding] : lines.split('\n').map((line) => line.trim());
}

/** `strict decoding error: unknown field "a", duplicate field "b"`. */
export function strictMessage(findings: readonly string[]): string {
  return `strict decoding error: ${findings.join(', ')}`;
}

/** `Pod in version "v1" cannot be handled as a Pod: ...` */
export function cannotHandle(kind: string, version: string, expectedKind: string, message: string): StatusError {
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${expectedKind}: ${message}`);
}

const LARGE_BYTES = 256 * 1024;

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

interface Source {
  readonly value: unknown;
  readonly text?: string;
  /** Duplicates that the parser found. */
  readonly findings: readonly string[];
}

async function readProtobuf(
  body: Uint8Array,
  into: { readonly schema: Schema; readonly group: string; readonly version: string; readonly kind: string },
): Promise<Source> {
  if (body.length === 0) throw unrecognizedText(body, into.kind, 'empty data');
  const { decodeMessage, openEnvelope } = await import('../protobuf/index.ts');
  try {
    const { apiVersion, kind, raw } = openEnvelope(body);
    const isExpected = (apiVersion === '' || apiVersion === apiVersionOf(into)) && (kind === '' || kind === into.kind);
    const object = isExpected ? decodeMessage(into.schema, raw) : {};
    return { value: { ...object, apiVersion, kind }, findings: [] };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw unrecognizedText(body, into.kind, error.message);
  }
}

async function readBody(
  body: Uint8Array,
  contentType: string,
  expectedKind: string,
  readYAML?: ReadYAML,
): Promise<Source> {
  const text = utf8.decode(body);
  switch (contentType) {
    case 'application/json':
    case '':
      try {
        return { value: parseJSON(text), text, findings: [] };
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        throw unrecognizedText(body, expectedKind, `couldn't get version/kind; json parse error: ${error.message}`);
      }
    case 'application/yaml': {
      try {
        const { value, duplicates } = await (readYAML ?? parseYAML)(text);
        if (duplicates.length === 0) return { value, findings: [] };
        return { value, findings: [`yaml: unmarshal errors:\n  ${duplicates.join('\n  ')}`] };
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        throw unrecognizedText(body, expectedKind, error.message.replace(/^error converting YAML to JSON: /, ''));
      }
    }
    default:
      throw new StatusError(
        newStatus(
          415,
          'UnsupportedMediaType',
          'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
        ),
      );
  }
}

/** Kind and apiVersion of the body; what is absent is taken from the endpoint. */
function checkKind(
  value: JSONObject,
  into: { readonly group: string; readonly version: string; readonly kind: string },
  body: Uint8Array,
  options: BodyOptions,
  custom: boolean,
): { apiVersion: string; kind: string } {
  const expected = apiVersionOf(into);
  const given = value['apiVersion'] ?? '';
  const givenKind = value['kind'] ?? '';
  if (typeof given !== 'string' || typeof givenKind !== 'string') {
    const [field, wrong] =
      typeof given === 'string' ? (['kind', givenKind] as const) : (['apiVersion', given] as const);
    const message = `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonKind(wrong)} into Go struct field .${field} of type string`;
    throw unrecognizedText(body, into.kind, message);
  }
  if (custom && givenKind === '') {
    throw unrecognizedText(body, into.kind, `Object 'Kind' is missing in '${utf8.decode(body)}'`);
  }
  const apiVersion = given === '' && !custom ? expected : given;
  const kind = givenKind === '' ? into.kind : givenKind;
  if (apiVersion === expected && kind === into.kind) return { apiVersion, kind };
  if (apiVersion.split('/').length > 2) {
    throw unrecognizedText(body, into.kind, `unexpected GroupVersion string: ${apiVersion}`);
  }
  const { group, version } = parseAPIVersion(apiVersion);
  if (kind === into.kind && options.knowsKind?.(group, version, kind)) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  }
  if (custom) {
    throw badRequest(
      apiVersion !== expected
        ? `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`
        : `${kind} in version "${version}" cannot be handled as a ${into.kind}: no kind "${kind}" is registered for version "${apiVersion}"`,
    );
  }
  const message = options.knowsKind?.(group, version, kind)
    ? `converting (${version}.${kind}) to (${into.group.split('.')[0] || 'core'}.${into.kind}): unknown conversion`
    : `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/api/legacyscheme/scheme.go:30"`;
  throw cannotHandle(kind, version, into.kind, message);
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function unrecognized(body: Uint8Array, kind: string, value: unknown): StatusError {
  if (value === null) return unrecognizedText(body, kind, "Object 'Kind' is missing in 'null'");
  const type =
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  return unrecognizedText(
    body,
    kind,
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonKind(value)} into Go value of type ${type}`,
  );
}

function unrecognizedText(body: Uint8Array, kind: string, message: string): StatusError {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${message} (${summary(body)})`);
}

const SUMMARY_LENGTH = 30;

/** How upstream shows a body that it cannot read: the beginning of JSON as it is, of anything else in hexadecimal. */
function summary(body: Uint8Array): string {
  if (body.length === 0) return '<empty>';
  const head = Buffer.from(body.subarray(0, SUMMARY_LENGTH));
  const more = body.length > SUMMARY_LENGTH ? ' ...' : '';
  return `${body[0] === 0x7b ? head.toString('utf8') : head.toString('hex')}${more}`;
}
