import type { VersionViews } from '../api/apply/index.ts';
import type { ResourceDefinition } from '../api/definition.ts';
import type { DeepReadonly, KubeObject } from '../api/object.ts';
import type { Steps } from '../base/steps.ts';
import type { PatchKind } from '../client/client.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** A request body as it came over the wire, or as the value that it stands for. */
export type ObjectBody =
  | { readonly bytes: Buffer /** Without parameters. */; readonly contentType: string }
  | ObjectValue;

/**
 * What is no text: an object of the same process, or the result of a patch. What was merged for an apply or came from a webhook
 * keeps nulls that a custom resource's schema does not allow; what a strategic merge patch made is converted, not decoded.
 */
export interface ObjectValue {
  readonly value: unknown;
  readonly keepsNulls?: boolean;
  readonly isConverted?: boolean;
}

export interface DecodedObject {
  /** A new object that the caller may change. */
  readonly object: KubeObject;
  readonly warnings: readonly string[];
}

export interface ParsedPatch {
  readonly value: unknown;
  /** Members that occur twice, operations with unknown members; empty when validation is Ignore. */
  readonly findings: readonly string[];
}

export interface ManagedFieldsInput {
  readonly definition: ResourceDefinition;
  /** undefined on creation. */
  readonly live: DeepReadonly<KubeObject> | undefined;
  readonly manager: string;
  /** '' for the object itself. */
  readonly subresource: string;
  readonly nowMs: number;
  /** The write as seen in the other versions through which fields of `live` have been set. */
  readonly views?: VersionViews;
  /** The objects are large: see `WriteRequest`. */
  readonly isLarge?: boolean;
}

/** What the registry needs of the API machinery in pkg/api: the schema engine, the patches and server-side apply. */
export interface ObjectEngine {
  /** Schema decoding without defaults. Throws StatusError BadRequest for what does not fit the type, or (Strict) is unknown. */
  decode(
    definition: ResourceDefinition,
    body: ObjectBody,
    validation: FieldValidation,
  ): DecodedObject | Promise<DecodedObject>;
  /** The same for what is no text, in steps that take time by its size. */
  decodeValue(definition: ResourceDefinition, body: ObjectValue, validation: FieldValidation): Steps<DecodedObject>;
  /** A body that is no object of the resource: DeleteOptions, a subresource's own kind. Throws BadRequest. */
  parse(body: ObjectBody): unknown;
  /** A patch, with what field validation finds in itself, whatever it is applied to. Throws BadRequest. */
  parsePatch(body: ObjectBody, kind: PatchKind, validation: FieldValidation): Promise<ParsedPatch>;
  /** Fills in defaults, in place. */
  default(definition: ResourceDefinition, object: KubeObject): void;
  /** Brings an object that is about to be stored into the form that Go would write, in place. */
  complete(definition: ResourceDefinition, object: KubeObject): void;
  /** These return a new document. They throw StatusError for patches that do not fit. */
  jsonPatch(document: DeepReadonly<KubeObject>, patch: unknown): unknown;
  mergePatch(document: DeepReadonly<KubeObject>, patch: unknown): unknown;
  strategicMergePatch(definition: ResourceDefinition, document: DeepReadonly<KubeObject>, patch: unknown): unknown;
  /** Server-side apply of a configuration as received: the merged object with its managedFields, not defaulted. */
  apply(
    input: ManagedFieldsInput & { readonly patch: unknown; readonly force: boolean },
  ): Steps<DeepReadonly<KubeObject>>;
  /** Brings `object.metadata.managedFields` up to date for a write that is not an apply, in place; the object is complete. */
  trackUpdate(input: ManagedFieldsInput & { readonly object: KubeObject }): Steps<void>;
}
