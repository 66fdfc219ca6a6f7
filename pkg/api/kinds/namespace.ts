import { cloneJSON, type DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Namespace, NamespaceSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Label, isQualifiedName } from '../validation/names.ts';
import { childObject, defaultPlain, dropZero } from './shape.ts';

type Object = DeepReadonly<Namespace>;

const nameLabel = 'kubernetes.io/metadata.name';
const finalizer = 'kubernetes';

/** Namespaces. The registry removes one only when its spec.finalizers are empty. */
export const namespaceStrategy: Strategy = {
  default(object) {
    dropZero(childObject(object, 'spec'), ['finalizers']);
    defaultPlain(childObject(object, 'status'), 'phase', 'Active');
    setNameLabel(object.metadata);
  },
  prepareForCreate(object) {
    const spec = childObject<NamespaceSpec>(object, 'spec');
    const finalizers = spec.finalizers ?? [];
    if (!finalizers.includes(finalizer)) spec.finalizers = [...finalizers, finalizer];
    object.status = { phase: 'Active' };
    setNameLabel(object.metadata);
  },
  prepareForUpdate(object, old, { subresource }) {
    const namespace = object as unknown as Namespace;
    const before = old as unknown as Object;
    if (subresource === 'finalize') {
      namespace.status = cloneJSON(before.status ?? {});
      return;
    }
    namespace.spec = cloneJSON(before.spec ?? {});
  },
  validateName: isDNS1123Label,
  validate: (object) => validateFinalizers((object as unknown as Object).spec?.finalizers, () => 'spec.finalizers'),
  validateUpdate(object, _old, { subresource }) {
    const { metadata, spec, status } = object as unknown as Object;
    if (subresource === 'finalize') return validateFinalizers(spec?.finalizers, (i) => `spec.finalizers[${i}]`);
    if (subresource !== 'status') return [];
    const phase = status?.phase ?? '';
    if (!metadata.deletionTimestamp && phase !== 'Active') {
      return [field.invalid('status.Phase', phase, "may only be 'Active' if `deletionTimestamp` is empty")];
    }
    if (metadata.deletionTimestamp && phase !== 'Terminating') {
      return [field.invalid('status.Phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
    }
    return [];
  },
  selectableFields: (object) => ({ 'status.phase': (object as unknown as Object).status?.phase ?? '' }),
};

function setNameLabel(metadata: { name?: string; labels?: Record<string, string> }): void {
  if (!metadata.name || metadata.labels?.[nameLabel] === metadata.name) return;
  metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name };
}

/** Creation reports finalizers at their list, the finalize subresource one by one. */
function validateFinalizers(
  finalizers: readonly string[] | undefined,
  pathOf: (index: number) => string,
): field.FieldError[] {
  const standard = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);
  return (finalizers ?? []).flatMap((name, i) => {
    const errors = isQualifiedName(name).map((text) => field.invalid(pathOf(i), name, text));
    if (!name.includes('/') && !standard.has(name)) {
      const detail = 'name is neither a standard finalizer name nor is it fully qualified';
      errors.push(field.invalid(pathOf(i), name, detail));
    }
    return errors;
  });
}
