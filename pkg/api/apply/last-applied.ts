import { parseExact } from '../../base/integers.ts';
import { canonicalJSON, type DeepReadonly } from '../../base/json.ts';
import type { KubeObject } from '../object.ts';
import type { Schema } from '../schema.ts';
import { goEscaped } from '../validation/go-format.ts';
import { appliedSet } from './applied-set.ts';
import { configErrors } from './check-config.ts';
import { compareObjects } from './compare.ts';
import { difference, emptySet, type FieldSet } from './field-set.ts';
import { isObject } from './structure.ts';

/** Where `kubectl apply` without --server-side keeps the configuration that it applied last. */
const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** The manager that `kubectl apply --server-side` uses unless told otherwise. */
export const kubectlManager = 'kubectl';
/** How large all annotations of an object together may be. */
const maxAnnotationsBytes = 256 * 1024;

type Annotated = { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> | null } };

/**
 * What client-side apply set and nobody changed since: moving to server-side apply overrides others' ownership of these fields
 * without a conflict. Empty when the object was not applied that way.
 */
export function unchangedSinceLastApplied(schema: Schema, live: DeepReadonly<KubeObject>): FieldSet {
  const config = lastApplied(live);
  if (config?.['apiVersion'] !== live.apiVersion || config['kind'] !== live.kind) return emptySet;
  if (configErrors(schema, config).length > 0) return emptySet;
  const { added, modified, removed } = compareObjects(schema, live, config, emptySet);
  return [added, modified, removed].reduce(difference, appliedSet(schema, config, emptySet));
}

function lastApplied(live: Annotated): Record<string, unknown> | undefined {
  const text = live.metadata?.annotations?.[annotation];
  if (text === undefined || text === '') return undefined;
  try {
    const config: unknown = parseExact(text);
    return isObject(config) ? config : undefined;
  } catch {
    // The annotation belongs to the client; what is no JSON says nothing about ownership.
    return undefined;
  }
}

/**
 * Keeps the annotation in step when kubectl applies an object that has it, so that going back to client-side apply works.
 * Returns the annotations with it; undefined when there is nothing to do.
 */
export function syncedAnnotations(object: Annotated, config: unknown): Record<string, string> | undefined {
  const { annotations } = object.metadata ?? {};
  if (!annotations?.[annotation]) return undefined;
  const synced: Record<string, string> = { ...annotations, [annotation]: lastAppliedText(config) };
  let sizeBytes = 0;
  for (const key in synced) sizeBytes += Buffer.byteLength(key) + Buffer.byteLength(synced[key] ?? '');
  if (sizeBytes > maxAnnotationsBytes) delete synced[annotation];
  return synced;
}

/** The configuration without the annotation, as Go's JSON encoder writes it. */
function lastAppliedText(config: unknown): string {
  const { metadata, ...rest } = config as { metadata?: Record<string, unknown> };
  const { annotations, ...otherMetadata } = metadata ?? {};
  const { [annotation]: _, ...others } = isObject(annotations) ? annotations : {};
  const keeps = isObject(annotations) && Object.keys(others).length > 0;
  const bare = { ...rest, metadata: keeps ? { ...otherMetadata, annotations: others } : otherMetadata };
  return `${goEscaped(canonicalJSON(bare))}\n`;
}
