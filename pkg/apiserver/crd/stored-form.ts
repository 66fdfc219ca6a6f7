import { internalError } from '../../api/errors.ts';
import {
  apiVersionOf,
  type DeepReadonly,
  type KubeObject,
  parseAPIVersion,
  type ResourceType,
} from '../../api/object.ts';
import { defaultObject } from '../../api/schema/default.ts';
import { dropNulls } from '../../api/schema/drop-nulls.ts';
import { pruneObject } from '../../api/schema/prune.ts';
import type { Schema } from '../../api/schema.ts';
import { cloneJSON, equalJSON } from '../../base/json.ts';

/** Converts objects to another version, in their order. Throws StatusError. */
export type ConvertVersions = (objects: readonly CustomObject[], version: string) => Promise<KubeObject[]>;

export interface StoredFormOptions {
  /** The resource in its storage version. */
  readonly type: ResourceType;
  /** The schemas of all versions, served or not: objects may be stored in each of them. */
  readonly schemas: ReadonlyMap<string, Schema>;
  /** Absent: versions differ in their name only. */
  readonly convert?: ConvertVersions;
}

type CustomObject = DeepReadonly<KubeObject>;

/**
 * How the versions of a custom resource share one stored form. Objects are stored in the version that was the storage version
 * when they were written; reading fills in the defaults of that version, drops what its schema does not know any more, and
 * converts to the version that is asked for: by name alone, or by a webhook, whose answers are kept with the stored objects.
 */
export class StoredForm {
  readonly #options: StoredFormOptions;
  readonly #apiVersion: string;
  /** Objects that reading in their own version would not change. */
  readonly #settled = new WeakSet<object>();
  /** What the webhook has made of objects, by the version that they were to be in. */
  readonly #converted = new WeakMap<object, Map<string, KubeObject>>();

  constructor(options: StoredFormOptions) {
    this.#options = options;
    this.#apiVersion = apiVersionOf(options.type);
  }

  get type(): ResourceType {
    return this.#options.type;
  }

  /** Converts by webhook what is to be read in `version`, or written; undefined: there is nothing to wait for. */
  prepare(objects: readonly CustomObject[], to: 'stored' | 'served', version: string): Promise<void> | undefined {
    const { convert, type } = this.#options;
    if (convert === undefined) return undefined;
    const wanted = to === 'stored' ? type.version : version;
    // What is being written may have changed since it was last converted.
    const missing = objects.filter(
      (object) => versionOf(object) !== wanted && (to === 'stored' || this.#known(object, wanted) === undefined),
    );
    return missing.length === 0 ? undefined : this.#convert(convert, missing, wanted);
  }

  toStored(object: CustomObject): KubeObject {
    if (object.apiVersion === this.#apiVersion) {
      this.#settled.add(object);
      return object as KubeObject;
    }
    const { version } = this.#options.type;
    const stored = this.#inVersion(object, version);
    this.#prune(version, stored);
    return stored;
  }

  /** `object` itself when nothing about it changes. */
  fromStored(object: CustomObject, version: string): KubeObject {
    if (versionOf(object) !== version) {
      const read = this.#options.convert === undefined ? this.#asStored(object) : object;
      const converted = this.#inVersion(read, version);
      this.#prune(version, converted);
      return converted;
    }
    if (this.#settled.has(object)) return object as KubeObject;
    const copy = this.#asStored(object);
    if (!equalJSON(copy, object)) return copy;
    this.#settled.add(object);
    return object as KubeObject;
  }

  /** A copy of an object as its own version would have it read. */
  #asStored(object: CustomObject): KubeObject {
    const copy = cloneJSON(object) as KubeObject;
    const schema = this.#options.schemas.get(versionOf(object));
    if (schema !== undefined) {
      pruneObject(schema, copy);
      dropNulls(schema, copy);
      defaultObject(schema, copy);
    }
    return copy;
  }

  #prune(version: string, object: KubeObject): void {
    const schema = this.#options.schemas.get(version);
    if (schema === undefined) return;
    pruneObject(schema, object);
    dropNulls(schema, object);
  }

  #inVersion(object: CustomObject, version: string): KubeObject {
    const { group } = this.#options.type;
    if (this.#options.convert === undefined) {
      return { ...(cloneJSON(object) as KubeObject), apiVersion: apiVersionOf({ group, version }) };
    }
    const known = this.#known(object, version);
    if (known === undefined) throw internalError(`${object.metadata.name} has not been converted to ${version}`);
    return cloneJSON(known) as KubeObject;
  }

  #known(object: CustomObject, version: string): KubeObject | undefined {
    return this.#converted.get(object)?.get(version);
  }

  async #convert(convert: ConvertVersions, objects: readonly CustomObject[], version: string): Promise<void> {
    const converted = await convert(
      objects.map((object) => this.#asStored(object)),
      version,
    );
    for (const [i, object] of objects.entries()) {
      const result = converted[i];
      if (result === undefined) continue;
      let known = this.#converted.get(object);
      if (known === undefined) {
        known = new Map();
        this.#converted.set(object, known);
      }
      known.set(version, result);
    }
  }
}

function versionOf({ apiVersion }: CustomObject): string {
  return parseAPIVersion(apiVersion).version;
}
