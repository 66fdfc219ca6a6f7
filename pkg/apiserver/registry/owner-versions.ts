import type { VersionView, VersionViews } from '../../api/apply/index.ts';
import { objectSchema } from '../../api/apply/index.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import { apiVersionOf, type DeepReadonly, type KubeObject, parseAPIVersion } from '../../api/object.ts';
import { cloneJSON } from '../../base/json.ts';
import type { Definitions } from '../definitions.ts';

/**
 * The versions, beside that of `definition`, through which fields of `live` have been set. Fields may have other names in them,
 * so what a write changes for their owners has to be asked in those versions. Versions that are not served any more are not
 * among them.
 */
export function ownerVersions(
  definitions: Definitions,
  definition: ResourceDefinition,
  live: DeepReadonly<KubeObject>,
): readonly ResourceDefinition[] {
  const own = apiVersionOf(definition.type);
  const found = new Map<string, ResourceDefinition>();
  for (const { apiVersion } of live.metadata.managedFields ?? []) {
    if (apiVersion === undefined || apiVersion === own || found.has(apiVersion)) continue;
    const other = definitions.of({ ...parseAPIVersion(apiVersion), resource: definition.type.resource });
    if (other !== undefined) found.set(apiVersion, other);
  }
  return [...found.values()];
}

/** A write of `object` over `live`, both in the version of `definition`, as seen in `versions`. Rejects with StatusError. */
export async function versionViews(
  definition: ResourceDefinition,
  versions: readonly ResourceDefinition[],
  live: DeepReadonly<KubeObject>,
  object: DeepReadonly<KubeObject>,
): Promise<VersionViews> {
  const views = new Map<string, VersionView>();
  for (const other of versions) {
    views.set(apiVersionOf(other.type), {
      schema: objectSchema(other.schema),
      live: await inVersion(definition, other, live),
      object: await inVersion(definition, other, object),
    });
  }
  return views;
}

/** Of a copy: conversions are remembered by object, and the object may still change. */
async function inVersion(
  definition: ResourceDefinition,
  other: ResourceDefinition,
  object: DeepReadonly<KubeObject>,
): Promise<DeepReadonly<KubeObject>> {
  let converted: DeepReadonly<KubeObject> = cloneJSON(object) as KubeObject;
  if (definition.storedAs !== undefined) {
    await definition.storedAs.prepare?.([converted], 'stored');
    converted = definition.storedAs.toStored(converted);
  }
  if (other.storedAs === undefined) return converted;
  await other.storedAs.prepare?.([converted], 'served');
  return other.storedAs.fromStored(converted);
}
