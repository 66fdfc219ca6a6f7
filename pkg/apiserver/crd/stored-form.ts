import { internalError } from '../../api/errors.ts';
import {
  apiVersionOf,
  type DeepReadonly,
  type KubeObject,
  parseAPIVersion,
  type ResourceType,
} from '../../api/object.ts';
import { defaultObject } from '../../api/schema/default.ts';
import { pruneObject } from '../../api/schema/prune.ts';
import type { Schema } from '../../api/schema.ts';
import { cloneJSON, equalJSON } from '../../base/json.ts';

export interface StoredFormOptions {
  /** The resource in its storage version. */
  readonly type: ResourceType;
  /** The schemas of all versions, served or not: objects may be stored in each of them. */
  readonly schemas: ReadonlyMap<string, Schema>;
  /** False: versions differ in more than their name, by a webhook. */
  readonly sameShape: boolean;
}

/**
 * How the versions of a custom resource share one stored form. Objects are stored in the version that was the storage version
 * when they were written; reading fills in the defaults of that version, drops what its schema does not know any more, and
 * rewrites the apiVersion.
 */
export class StoredForm {
  readonly #options: StoredFormOptions;
  readonly #apiVersion: string;
  /** Objects that reading in their own version would not change. */
  readonly #settled = new WeakSet<object>();

  constructor(options: StoredFormOptions) {
    this.#options = options;
    this.#apiVersion = apiVersionOf(options.type);
  }

  get type(): ResourceType {
    return this.#options.type;
  }

  toStored(object: DeepReadonly<KubeObject>): KubeObject {
    if (object.apiVersion === this.#apiVersion) {
      this.#settled.add(object);
      return object as KubeObject;
    }
    this.#refuseWebhook(object.apiVersion, this.#options.type.version);
    const stored = cloneJSON(object) as KubeObject;
    stored.apiVersion = this.#apiVersion;
    const schema = this.#options.schemas.get(this.#options.type.version);
    if (schema !== undefined) pruneObject(schema, stored);
    return stored;
  }

  /** `object` itself when nothing about it changes. */
  fromStored(object: DeepReadonly<KubeObject>, version: string): KubeObject {
    const { schemas, type } = this.#options;
    const stored = parseAPIVersion(object.apiVersion).version;
    const isSame = stored === version;
    if (isSame && this.#settled.has(object)) return object as KubeObject;
    if (!isSame) this.#refuseWebhook(object.apiVersion, version);
    const copy = cloneJSON(object) as KubeObject;
    const schema = schemas.get(stored);
    if (schema !== undefined) {
      pruneObject(schema, copy);
      defaultObject(schema, copy);
    }
    if (isSame) {
      if (!equalJSON(copy, object)) return copy;
      this.#settled.add(object);
      return object as KubeObject;
    }
    copy.apiVersion = apiVersionOf({ group: type.group, version });
    const target = schemas.get(version);
    if (target !== undefined) pruneObject(target, copy);
    return copy;
  }

  #refuseWebhook(from: string, to: string): void {
    if (this.#options.sameShape) return;
    const { group, kind } = this.#options.type;
    throw internalError(
      `conversion of ${from}, Kind=${kind} to ${group}/${to} needs a conversion webhook, which this server does not call`,
    );
  }
}
