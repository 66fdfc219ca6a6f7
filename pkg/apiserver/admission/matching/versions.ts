import type { ResourceDefinition } from '../../../api/definition.ts';
import type { DeepReadonly, KubeObject } from '../../../api/object.ts';
import { builtinPackage, builtinSchema } from '../../../api/schema/builtin.ts';
import { decodeParsed } from '../../../api/schema/codec.ts';
import { cloneJSON } from '../../../base/json.ts';
import type { Definitions } from '../../definitions.ts';
import type { ObjectEngine } from '../../object-engine.ts';
import { storedType } from '../../watchcache/watch-cache.ts';

/** group, version and kind of what is in the body of a request. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface VersionsDeps {
  /** What is served; asked for when the first request comes. */
  readonly definitions: Definitions;
  readonly engine: ObjectEngine;
}

/** The kind of a request's object: the resource's own, or that of the subresource's body. */
export function kindOf({ type, subresources }: ResourceDefinition, subresource: string): GroupVersionKind {
  const own = subresource === '' ? undefined : subresources?.find(({ name }) => name === subresource);
  return {
    group: own?.group ?? type.group,
    version: own?.version ?? type.version,
    kind: own?.kind ?? type.kind,
  };
}

/** Resources that are the same in several versions or groups, and how their objects get from one to the other. */
export class Versions {
  readonly #deps: VersionsDeps;

  constructor(deps: VersionsDeps) {
    this.#deps = deps;
  }

  get generation(): number {
    return this.#deps.definitions.generation;
  }

  /** The other definitions over the same stored objects. */
  equivalents(definition: ResourceDefinition): readonly ResourceDefinition[] {
    const { group, resource } = storedType(definition);
    return [...this.#deps.definitions.all()].filter((other) => {
      const type = storedType(other);
      return other !== definition && type.group === group && type.resource === resource;
    });
  }

  /** An object in another version; the bodies of subresources have one version only. */
  async convert(
    object: DeepReadonly<KubeObject>,
    from: ResourceDefinition,
    to: ResourceDefinition,
    subresource: string,
  ): Promise<KubeObject> {
    if (from === to || kindOf(from, subresource).kind !== from.type.kind) return cloneJSON(object) as KubeObject;
    await from.storedAs?.prepare?.([object], 'stored');
    const stored = from.storedAs?.toStored(object) ?? object;
    await to.storedAs?.prepare?.([stored], 'served');
    return cloneJSON(to.storedAs?.fromStored(stored) ?? stored) as KubeObject;
  }

  /** A changed object as the server would read and default it. Throws StatusError for what does not fit the type. */
  async decode(value: unknown, definition: ResourceDefinition, subresource: string): Promise<KubeObject> {
    const { group, version, kind } = kindOf(definition, subresource);
    if (kind !== definition.type.kind) {
      const schema = builtinSchema(`${builtinPackage(group, version)}.${kind}`);
      return decodeParsed(schema, cloneJSON(value), { mode: 'ignore' }).object as KubeObject;
    }
    const { engine } = this.#deps;
    const { object } = await engine.decode(definition, { value, keepsNulls: true }, 'Ignore');
    engine.default(definition, object);
    // Custom resources keep what their schema does not know until they are stored.
    if (definition.custom !== true) engine.complete(definition, object);
    return object;
  }
}
