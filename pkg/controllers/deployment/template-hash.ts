import type { PodTemplateSpec } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';

export const TEMPLATE_HASH_LABEL = 'pod-template-hash';

/** Letters and digits that cannot form words (rand.SafeEncodeString). */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

/** The name suffix and label of a template's ReplicaSet: FNV-32a of its canonical JSON, in safe characters. */
export function templateHash(template: DeepReadonly<PodTemplateSpec>, collisionCount: number | undefined): string {
  const text = canonical(template) + (collisionCount === undefined ? '' : `#${collisionCount}`);
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return safeEncode(String(hash >>> 0));
}

export function safeEncode(text: string): string {
  return [...text].map((char) => SAFE[(char.codePointAt(0) ?? 0) % SAFE.length]).join('');
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

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}
