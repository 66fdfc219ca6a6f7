import type { OwnerReference } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';

const BEFORE =
  '.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ';
const AFTER =
  '.metadata.ownerReferences contains duplicate entries after mutating admission happens; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ';

/** Drops owner references that are there twice, in place, and warns about them as upstream does. */
export function dedupOwnerReferences(object: KubeObject, phase: 'before' | 'after', warnings: string[]): void {
  const references = object.metadata.ownerReferences;
  if (references === undefined || references.length < 2) return;
  const kept: OwnerReference[] = [];
  const duplicates: string[] = [];
  const byUID = new Map<string, OwnerReference[]>();
  for (const reference of references) {
    const same = byUID.get(reference.uid);
    if (same?.some((other) => equalJSON(other, reference))) {
      duplicates.push(reference.uid);
      continue;
    }
    kept.push(reference);
    if (same === undefined) byUID.set(reference.uid, [reference]);
    else same.push(reference);
  }
  if (duplicates.length === 0) return;
  object.metadata.ownerReferences = kept;
  warnings.push(`${phase === 'before' ? BEFORE : AFTER}${duplicates.join(', ')}`);
}
