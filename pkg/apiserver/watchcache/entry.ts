import { fieldsText } from '../../api/apply/index.ts';
import type { ManagedFieldsEntry } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/object.ts';
import { encodeMessage } from '../../api/protobuf/index.ts';
import type { Schema } from '../../api/schema.ts';
import { parseExact } from '../../base/integers.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { atOnce, type Steps } from '../../base/steps.ts';

/**
 * One state of one object: parsed, and as the JSON that goes over the wire. Immutable and shared by everyone in the process.
 *
 * Stored values have a fixed head (`{"kind":...,"apiVersion":...,"metadata":{`) and no resourceVersion, so that the wire form
 * is the stored bytes with the resourceVersion spliced in behind the head.
 */
export class Entry {
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  #object: DeepReadonly<KubeObject> | undefined;
  #bytes: Buffer | undefined;
  #bodyStart = 0;
  #message: Buffer | undefined;

  /** `revision` 0: an object that is not stored (a dry run). */
  constructor(object: DeepReadonly<KubeObject>, revision: number, bytes?: Buffer) {
    this.namespace = object.metadata.namespace ?? '';
    this.name = object.metadata.name;
    this.revision = revision;
    this.#object = object;
    this.#bytes = bytes;
  }

  /** Of a released entry another one each time. */
  get object(): DeepReadonly<KubeObject> {
    return this.#object ?? (parseExact(this.bytes.toString()) as KubeObject);
  }

  get isReleased(): boolean {
    return this.#object === undefined;
  }

  /** Keeps the bytes only: from now on `object` is parsed when it is asked for. */
  release(): void {
    // What is asked of the bytes alone is not to need the object.
    if (this.bodyStart > 0 && this.bytes.length > 0) this.#object = undefined;
  }

  /** The whole object as JSON, without a newline. */
  get bytes(): Buffer {
    if (this.#bytes === undefined) {
      const stored = encodeStored(this.object);
      this.#bytes =
        this.revision === 0 ? stored : spliceResourceVersion(stored, headLength(this.object), this.revision);
    }
    return this.#bytes;
  }

  /** The object as a message of protobuf without its envelope, for built-in kinds; made when first asked for. */
  message(schema: Schema): Buffer {
    this.#message ??= encodeMessage(schema, this.object);
    return this.#message;
  }

  /** A cheap estimate of what the entry keeps in memory, in bytes. */
  get size(): number {
    return (this.#bytes?.length ?? 0) + (this.#message?.length ?? 0);
  }

  /** Where `,"metadata":...` begins in `bytes`: list items of built-in kinds are `{` and what follows the comma. */
  get bodyStart(): number {
    if (this.#bodyStart === 0) this.#bodyStart = headLength(this.object) - METADATA_HEAD.length;
    return this.#bodyStart;
  }
}

const METADATA_HEAD = '"metadata":{';

/** The length of `{"kind":"Pod","apiVersion":"v1","metadata":{` in bytes (all of it is ASCII). */
export function headLength(object: { readonly kind: string; readonly apiVersion: string }): number {
  return 10 + object.kind.length + 16 + object.apiVersion.length + 1 + METADATA_HEAD.length;
}

/** The bytes to store: kind, apiVersion and metadata first, no resourceVersion. */
export function encodeStored(object: DeepReadonly<KubeObject>): Buffer {
  return atOnce(encodeSteps(object));
}

/** The same in steps, each of which takes time by the size of the object. */
export function* encodeSteps(object: DeepReadonly<KubeObject>): Steps<Buffer> {
  const { kind, apiVersion, metadata } = object;
  let text = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${metadataText(metadata)}`;
  yield;
  // Field by field: V8 writes several short texts faster than a long one.
  for (const field of Object.keys(object)) {
    if (field === 'kind' || field === 'apiVersion' || field === 'metadata') continue;
    const value = JSON.stringify(object[field]);
    if (value !== undefined) text += `,${JSON.stringify(field)}:${value}`;
    yield;
  }
  return Buffer.from(`${text}}`);
}

function metadataText(metadata: DeepReadonly<KubeObject>['metadata']): string {
  const { resourceVersion: _, managedFields, ...others } = metadata;
  const text = JSON.stringify(others);
  if (managedFields === undefined) return text;
  const owners = Array.isArray(managedFields)
    ? `[${managedFields.map(ownerText).join()}]`
    : JSON.stringify(managedFields);
  return `${text.slice(0, -1)}${text === '{}' ? '' : ','}"managedFields":${owners}}`;
}

/** In upstream's order. Objects that were made alike share the sets of their fields, and with them their text. */
function ownerText({ fieldsV1, subresource, ...others }: DeepReadonly<ManagedFieldsEntry>): string {
  const parts = [JSON.stringify(others).slice(1, -1)];
  if (fieldsV1 !== undefined) parts.push(`"fieldsV1":${fieldsV1 === null ? 'null' : fieldsText(fieldsV1)}`);
  if (subresource !== undefined) parts.push(`"subresource":${JSON.stringify(subresource)}`);
  return `{${parts.filter((part) => part !== '').join()}}`;
}

/** The wire form of stored bytes. */
export function spliceResourceVersion(stored: Uint8Array, at: number, revision: number): Buffer {
  const text = `"resourceVersion":"${revision}",`;
  const bytes = Buffer.allocUnsafeSlow(stored.length + text.length);
  bytes.set(stored.subarray(0, at), 0);
  bytes.write(text, at, 'latin1');
  bytes.set(stored.subarray(at), at + text.length);
  return bytes;
}

/** The entry of a stored value. `parsed`: the object that was encoded, when it is at hand (ownership passes over). */
export function entryOf(value: Uint8Array, revision: number, parsed?: KubeObject): Entry {
  const object =
    parsed ?? (parseExact(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()) as KubeObject);
  object.metadata.resourceVersion = String(revision);
  const at = headLength(object);
  const intact = value[at - 1] === 0x7b && value[at - 2] === 0x3a && value[at] !== 0x7d;
  return intact ? new Entry(object, revision, spliceResourceVersion(value, at, revision)) : new Entry(object, revision);
}

/** The same state under another revision: how a deletion is announced. */
export function atRevision(entry: Entry, revision: number): Entry {
  const metadata = { ...entry.object.metadata, resourceVersion: String(revision) };
  return new Entry({ ...entry.object, metadata }, revision);
}
