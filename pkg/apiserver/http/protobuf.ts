import type { ResourceDefinition } from '../../api/definition.ts';
import { apiVersionOf } from '../../api/object.ts';
import {
  encodeMessage,
  envelopeHead,
  fieldHead,
  fieldHeadBytes,
  partialObjectMetadata,
  schemaOfKind,
  sealEnvelope,
  watchFrame,
} from '../../api/protobuf/index.ts';
import { builtinSchema } from '../../api/schema/builtin.ts';
import type { ListResult } from '../registry/list.ts';
import type { Negotiated } from '../request/negotiate.ts';
import type { Entry } from '../watchcache/entry.ts';
import { listMetadata } from './list-metadata.ts';

type JSONObject = Readonly<Record<string, unknown>>;

/** An object as a body in protobuf, by its own kind; undefined when its kind has no such form. */
export function protobufBody(object: JSONObject): Buffer | undefined {
  const { apiVersion = '', kind = '' } = object as { readonly apiVersion?: string; readonly kind?: string };
  const schema = schemaOfKind(apiVersion, kind);
  return schema === undefined ? undefined : sealEnvelope(apiVersion, kind, encodeMessage(schema, object));
}

/** A stored object of a built-in kind as a body, in pieces. */
export function entryBody(entry: Entry, definition: ResourceDefinition): Buffer[] {
  const message = entry.message(definition.schema);
  return [envelopeHead(entry.object.apiVersion, entry.object.kind, message.length), message];
}

/** An event of a watch about an object that is not stored: a bookmark, an error, a part of an object. */
export function protobufEvent(type: string, object: JSONObject): Buffer {
  return watchFrame(type, [protobufBody(object) ?? Buffer.alloc(0)]);
}

/** A list as a body: what comes before its items, and the items. */
export interface ProtobufList {
  readonly head: Buffer;
  readonly itemField: number;
  readonly messages: readonly Buffer[];
  /** Of the whole body. */
  readonly bytes: number;
}

/** How long encoding may keep the event loop, in milliseconds. */
const TURN_MS = 4;

/** Encodes what is not encoded yet, giving other work a turn now and then. */
export async function protobufList(
  list: ListResult,
  wanted: Pick<Negotiated, 'as' | 'version'>,
): Promise<ProtobufList> {
  const { definition, entries } = list;
  const partial = wanted.as !== '';
  const messages: Buffer[] = [];
  let itemBytes = 0;
  let began = performance.now();
  for (const entry of entries) {
    const message = partial
      ? encodeMessage(partialObjectMetadata(), { metadata: entry.object.metadata })
      : entry.message(definition.schema);
    messages.push(message);
    itemBytes += message.length + fieldHeadBytes(message.length);
    if (performance.now() - began > TURN_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      began = performance.now();
    }
  }
  // The older list of partial metadata has its fields the other way round.
  const isOld = partial && wanted.version === 'v1beta1';
  const metadata = encodeMessage(builtinSchema('meta.v1.ListMeta'), listMetadata(list));
  const metadataHead = fieldHead(isOld ? 2 : 1, metadata.length);
  const raw = metadataHead.length + metadata.length + itemBytes;
  const envelope = partial
    ? envelopeHead(`meta.k8s.io/${wanted.version}`, 'PartialObjectMetadataList', raw)
    : envelopeHead(apiVersionOf(definition.type), definition.listKind, raw);
  return {
    head: Buffer.concat([envelope, metadataHead, metadata]),
    itemField: isOld ? 1 : 2,
    messages,
    bytes: envelope.length + raw,
  };
}
