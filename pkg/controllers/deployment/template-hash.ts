import type { PodTemplateSpec } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';
import { jsonHash } from '../json-hash.ts';

export const TEMPLATE_HASH_LABEL = 'pod-template-hash';

/** The name suffix and label of a template's ReplicaSet. */
export function templateHash(template: DeepReadonly<PodTemplateSpec>, collisionCount: number | undefined): string {
  return jsonHash(template, collisionCount);
}

/** The same pods: equal but for the label that carries the hash. */
export function sameTemplate(a: DeepReadonly<PodTemplateSpec>, b: DeepReadonly<PodTemplateSpec>): boolean {
  return equalJSON(withoutHash(a), withoutHash(b));
}

function withoutHash(template: DeepReadonly<PodTemplateSpec>): unknown {
  const { metadata, ...rest } = template;
  const { labels, creationTimestamp: _, ...others } = metadata ?? {};
  const { [TEMPLATE_HASH_LABEL]: __, ...kept } = labels ?? {};
  const metadataKept = { ...others, ...(Object.keys(kept).length === 0 ? {} : { labels: kept }) };
  return { ...rest, ...(Object.keys(metadataKept).length === 0 ? {} : { metadata: metadataKept }) };
}
