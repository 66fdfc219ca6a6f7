import type { ResourceDefinition } from '../../api/definition.ts';
import { badRequest } from '../../api/errors.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import { apiVersionOf } from '../../api/object.ts';
import { applyJSONPatch, applyMergePatch, applyStrategicMergePatch } from '../../api/patch/index.ts';
import { decodeMessage, openEnvelope, PROTOBUF_TYPE } from '../../api/protobuf/index.ts';
import { builtinSchema } from '../../api/schema/builtin.ts';
import { cannotHandle, type Decoded, decodeBody, decodeSteps, strictMessage } from '../../api/schema/codec.ts';
import { completeObject } from '../../api/schema/complete.ts';
import { DecodeError } from '../../api/schema/decode-error.ts';
import { defaultObject } from '../../api/schema/default.ts';
import { parseJSON } from '../../api/schema/json-text.ts';
import { pruneObject } from '../../api/schema/prune.ts';
import { toStructs } from '../../api/schema/to-structs.ts';
import { parseYAML } from '../../api/schema/yaml.ts';
import type { ReadYAML } from '../../api/schema/yaml-reader.ts';
import { cloneJSON, cloneSteps } from '../../base/json.ts';
import { atOnce, type Steps } from '../../base/steps.ts';
import type { PatchKind } from '../../client/client.ts';
import type { Definitions } from '../definitions.ts';
import type {
  DecodedObject,
  FieldValidation,
  ManagedFieldsInput,
  ObjectBody,
  ObjectEngine,
  ObjectValue,
  ParsedPatch,
} from '../object-engine.ts';
import { managedFields } from './managed-fields.ts';
import { parsePatch } from './patch-body.ts';

const MODES = { Ignore: 'ignore', Warn: 'warn', Strict: 'strict' } as const;

export interface SchemaEngineDeps {
  readonly definitions: Definitions;
  /** Default: parseYAML, which takes a long time for long texts. */
  readonly readYAML?: ReadYAML;
}

/** The object engine over pkg/api. */
export class SchemaEngine implements ObjectEngine {
  readonly #deps: SchemaEngineDeps;
  readonly #readYAML: ReadYAML;

  constructor(deps: SchemaEngineDeps) {
    this.#deps = deps;
    this.#readYAML = deps.readYAML ?? parseYAML;
  }

  decode(
    definition: ResourceDefinition,
    body: ObjectBody,
    validation: FieldValidation,
  ): DecodedObject | Promise<DecodedObject> {
    const mode = MODES[validation];
    if (!('bytes' in body)) return atOnce(this.decodeValue(definition, body, validation));
    const knowsKind = (group: string, version: string, kind: string): boolean => this.#knows(group, version, kind);
    const readYAML = this.#readYAML;
    const options = { mode, contentType: body.contentType, knowsKind, readYAML };
    return decodeBody(definition, body.bytes, options).then(withMetadata);
  }

  decodeValue(definition: ResourceDefinition, body: ObjectValue, validation: FieldValidation): Steps<DecodedObject> {
    return decodeValue(definition, body, MODES[validation]);
  }

  async parse(body: ObjectBody): Promise<unknown> {
    if (!('bytes' in body)) return body.value;
    if (body.contentType === PROTOBUF_TYPE) return parseProtobuf(body.bytes);
    const text = body.bytes.toString();
    try {
      return body.contentType === 'application/yaml' ? (await this.#readYAML(text)).value : parseJSON(text);
    } catch (error) {
      if (error instanceof DecodeError) {
        throw badRequest(`couldn't get version/kind; json parse error: ${error.message}`);
      }
      throw error;
    }
  }

  parsePatch(body: ObjectBody, kind: PatchKind, validation: FieldValidation): Promise<ParsedPatch> {
    return parsePatch(body, kind, validation, this.#readYAML);
  }

  default(definition: ResourceDefinition, object: KubeObject): void {
    if (definition.custom === true) defaultObject(definition.schema, object);
    definition.strategy.default?.(object);
  }

  complete(definition: ResourceDefinition, object: KubeObject): void {
    if (definition.custom === true) pruneObject(definition.schema, object);
    else completeObject(definition.schema, object);
  }

  jsonPatch(document: DeepReadonly<KubeObject>, patch: unknown): unknown {
    return applyJSONPatch(document, patch);
  }

  mergePatch(document: DeepReadonly<KubeObject>, patch: unknown): unknown {
    return applyMergePatch(document, patch);
  }

  strategicMergePatch(definition: ResourceDefinition, document: DeepReadonly<KubeObject>, patch: unknown): unknown {
    return applyStrategicMergePatch(definition.schema, document, patch);
  }

  apply(
    input: ManagedFieldsInput & { readonly patch: unknown; readonly force: boolean },
  ): Steps<DeepReadonly<KubeObject>> {
    return managedFields.apply(input);
  }

  trackUpdate(input: ManagedFieldsInput & { readonly object: KubeObject }): Steps<void> {
    return managedFields.trackUpdate(input);
  }

  #knows(group: string, version: string, kind: string): boolean {
    for (const { type, listKind } of this.#deps.definitions.all()) {
      if (type.group !== group || type.version !== version) continue;
      if (type.kind === kind || listKind === kind || GROUP_KINDS.has(kind)) return true;
    }
    return group === '' && version === 'v1' && CORE_KINDS.has(kind);
  }
}

/** Kinds of meta.k8s.io that every group has. */
const GROUP_KINDS: ReadonlySet<string> = new Set([
  'CreateOptions',
  'DeleteOptions',
  'GetOptions',
  'ListOptions',
  'PatchOptions',
  'UpdateOptions',
  'WatchEvent',
]);
/** Kinds of core/v1 that are no resources. */
const CORE_KINDS: ReadonlySet<string> = new Set([
  'APIGroup',
  'APIGroupList',
  'APIResourceList',
  'APIVersions',
  'List',
  'Status',
]);

/** A message of meta.v1 (DeleteOptions): all else that comes as protobuf has a definition. */
function parseProtobuf(bytes: Uint8Array): unknown {
  try {
    const { apiVersion, kind, raw } = openEnvelope(bytes);
    if (kind !== 'DeleteOptions') throw badRequest(`the body is a ${kind}, not DeleteOptions`);
    const options = decodeMessage(builtinSchema('meta.v1.DeleteOptions'), raw);
    return { ...options, apiVersion, kind };
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(error.message);
    throw error;
  }
}

/** Decodes what is no text: the result of a patch, an object of the same process. */
function* decodeValue(
  definition: ResourceDefinition,
  body: ObjectValue,
  mode: 'ignore' | 'warn' | 'strict',
): Steps<DecodedObject> {
  const { kind, version } = definition.type;
  try {
    const { object, findings } = yield* readValue(definition, body, mode);
    if (mode === 'strict' && findings.length > 0) throw cannotHandle(kind, version, kind, strictMessage(findings));
    object['apiVersion'] ||= apiVersionOf(definition.type);
    object['kind'] ||= kind;
    return withMetadata({ object: object as KubeObject, warnings: findings });
  } catch (error) {
    if (error instanceof DecodeError) throw cannotHandle(kind, version, kind, error.message);
    throw error;
  }
}

function* readValue(
  { schema, custom }: ResourceDefinition,
  body: ObjectValue,
  mode: 'ignore' | 'warn' | 'strict',
): Steps<Decoded> {
  const { value, keepsNulls = false, isConverted } = body;
  const options = { mode, custom: custom === true, keepsNulls };
  const copy = yield* cloneSteps(value);
  yield;
  try {
    return yield* decodeSteps(schema, copy, undefined, options);
  } catch (error) {
    // What decodes converts to the same.
    if (!isConverted || !(error instanceof DecodeError)) throw error;
    return yield* decodeSteps(schema, toStructs(schema, cloneJSON(value)), undefined, options);
  }
}

function withMetadata(decoded: DecodedObject): DecodedObject {
  const { object } = decoded;
  if (typeof object.metadata !== 'object' || object.metadata === null) object.metadata = {} as KubeObject['metadata'];
  return decoded;
}
