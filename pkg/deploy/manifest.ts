import type { DeepReadonly, KubeObject } from '../api/object.ts';
import type { ReadYAML } from '../api/schema/yaml-reader.ts';

/** Objects of one file, or why it cannot be read. */
export interface Manifest {
  /** Names the source: a path relative to the manifests directory, or that of a bundled file. */
  readonly name: string;
  readonly text: string;
}

/** A manifest that is not what it should be; the message says which document and why. */
export class ManifestError extends Error {
  constructor(manifest: string, problem: string, options?: { cause?: unknown }) {
    super(`manifest ${manifest}: ${problem}`, options);
    this.name = 'ManifestError';
  }
}

/** An object as a manifest has it: no server-set metadata. */
export type ManifestObject = DeepReadonly<
  Pick<KubeObject, 'apiVersion' | 'kind'> & {
    metadata: { name: string; namespace?: string; labels?: Record<string, string> };
    [field: string]: unknown;
  }
>;

/** The objects of a manifest in order; Lists are taken apart and empty documents left out. Throws ManifestError. */
export async function parseManifest({ name, text }: Manifest, readYAML: ReadYAML): Promise<ManifestObject[]> {
  const objects: ManifestObject[] = [];
  // As kubectl does: a line that begins with --- ends a document.
  for (const [i, document] of text.split(/^---.*$/m).entries()) {
    if (document.split('\n').every((line) => /^\s*(#|$)/.test(line))) continue;
    let value: unknown;
    try {
      ({ value } = await readYAML(document));
    } catch (cause) {
      throw new ManifestError(name, `document ${i + 1} cannot be read`, { cause });
    }
    if (value === null || value === undefined) continue;
    for (const object of flatten(value)) objects.push(checked(name, i + 1, object));
  }
  return objects;
}

function flatten(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [value];
  const { kind, items } = value as { kind?: unknown; items?: unknown };
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items.flatMap(flatten) : [value];
}

function checked(manifest: string, document: number, value: unknown): ManifestObject {
  const object = value as Partial<KubeObject> | null;
  const problem =
    typeof object !== 'object' || object === null
      ? 'is not an object'
      : typeof object.apiVersion !== 'string' || object.apiVersion === ''
        ? 'apiVersion is missing'
        : typeof object.kind !== 'string' || object.kind === ''
          ? 'kind is missing'
          : typeof object.metadata?.name !== 'string' || object.metadata.name === ''
            ? 'metadata.name is missing'
            : undefined;
  if (problem !== undefined) throw new ManifestError(manifest, `document ${document}: ${problem}`);
  return value as ManifestObject;
}

/** What must be there before others: definitions, namespaces and priorities first. */
const FIRST = ['CustomResourceDefinition', 'Namespace', 'PriorityClass', 'StorageClass', 'ServiceAccount'];

/** Objects in an order in which they can be applied. */
export function inApplyOrder(objects: readonly ManifestObject[]): ManifestObject[] {
  const rank = ({ kind }: ManifestObject): number => {
    const at = FIRST.indexOf(kind);
    return at < 0 ? FIRST.length : at;
  };
  return objects.toSorted((a, b) => rank(a) - rank(b));
}
