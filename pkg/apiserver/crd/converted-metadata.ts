import { newStatus, StatusError } from '../../api/errors.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import { validateLabels } from '../../api/validation/label-selector.ts';
import { validateAnnotations } from '../../api/validation/object-meta.ts';
import { cloneJSON } from '../../base/json.ts';

type CustomObject = DeepReadonly<KubeObject>;

/**
 * The metadata that an object has after its conversion: the original's, with the labels and annotations of the converted one.
 * Throws StatusError for a conversion that has changed who the object is, or that has given it labels that are none.
 */
export function checkedMetadata(
  original: CustomObject,
  converted: CustomObject,
  about: string,
): KubeObject['metadata'] {
  const fail = (text: string): StatusError => new StatusError(newStatus(500, '', `${about} returned ${text}`));
  const given = converted.metadata as DeepReadonly<KubeObject['metadata']> | null | undefined;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw fail('invalid metadata: missing metadata in converted object');
  }
  for (const [name, text] of IDENTITY) {
    const before = original.metadata[name] ?? '';
    const after = given[name] ?? '';
    if (before !== after) throw fail(`invalid object: must have the same ${text}: ${before} != ${after}`);
  }
  const metadata = cloneJSON(original.metadata) as KubeObject['metadata'];
  for (const name of ['labels', 'annotations'] as const) {
    const problem = textsProblem(name, given[name]);
    if (problem !== undefined) throw fail(`invalid metadata: ${problem}`);
    if (given[name] === undefined || given[name] === null) delete metadata[name];
    else metadata[name] = { ...given[name] };
  }
  return metadata;
}

const IDENTITY = [
  ['name', 'name'],
  ['namespace', 'namespace'],
  ['uid', 'UID'],
] as const;

function textsProblem(name: 'labels' | 'annotations', value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) return `invalid metadata.${name} in converted object`;
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') return `metadata.${name}[${key}] must be a string in converted object`;
  }
  const texts = value as Readonly<Record<string, string>>;
  const errors =
    name === 'labels' ? validateLabels(texts, 'metadata.labels') : validateAnnotations(texts, 'metadata.annotations');
  const [first] = errors;
  return first === undefined ? undefined : `${first.field}: ${first.message}`;
}
