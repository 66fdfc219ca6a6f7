/** Classes of volumes and of what can be changed about them. */
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { StorageClass, TopologySelectorTerm, VolumeAttributesClass } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { byteLength, isQualifiedName } from '../validation/names.ts';
import { checkName, immutable, supportedValue } from '../validation/values.ts';
import { nodeLabelWarning } from './node-labels.ts';
import { defaultPointer, dropZero } from './shape.ts';

type Class = DeepReadonly<StorageClass>;
type AttributesClass = DeepReadonly<VolumeAttributesClass>;
type Terms = readonly DeepReadonly<TopologySelectorTerm>[];

const maxParameters = 512;
const maxParametersBytes = 256 * 1024;

export const storageClassStrategy: Strategy = {
  default(object) {
    dropZero(object, ['parameters', 'mountOptions', 'allowedTopologies']);
    defaultPointer(object, 'reclaimPolicy', 'Delete');
    defaultPointer(object, 'volumeBindingMode', 'Immediate');
  },
  validate: (object) => validateClass(object as unknown as Class),
  validateUpdate: (object, old) => [
    ...validateClass(object as unknown as Class),
    ...unchanged(object, old, ['parameters', 'provisioner', 'reclaimPolicy']),
    ...immutable(object.volumeBindingMode, old.volumeBindingMode, 'volumeBindingMode'),
  ],
  warnings: (object) => topologyWarnings((object as unknown as Class).allowedTopologies ?? [], 'allowedTopologies'),
};

export const volumeAttributesClassStrategy: Strategy = {
  default: (object) => dropZero(object, ['parameters']),
  validate: (object) => validateAttributesClass(object as unknown as AttributesClass),
  validateUpdate: (object, old) => [
    ...unchanged(object, old, ['driverName', 'parameters']),
    ...validateAttributesClass(object as unknown as AttributesClass),
  ],
};

function unchanged(
  object: Readonly<Record<string, unknown>>,
  old: Readonly<Record<string, unknown>>,
  names: readonly string[],
): field.FieldError[] {
  return names
    .filter((name) => !equalJSON(object[name] ?? null, old[name] ?? null))
    .map((name) => field.forbidden(name, `updates to ${name} are forbidden.`));
}

function validateClass(object: Class): field.FieldError[] {
  return [
    ...validateProvisioner(object.provisioner, 'provisioner'),
    ...validateParameters(object.parameters, 'parameters'),
    ...(object.reclaimPolicy ? supportedValue(object.reclaimPolicy, ['Delete', 'Retain'], 'reclaimPolicy') : []),
    ...supportedValue(object.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'], 'volumeBindingMode'),
    ...validateTopologies(object.allowedTopologies ?? [], 'allowedTopologies'),
  ];
}

function validateAttributesClass(object: AttributesClass): field.FieldError[] {
  const errors = [
    ...validateProvisioner(object.driverName, 'driverName'),
    ...validateParameters(object.parameters, 'parameters'),
  ];
  if (Object.keys(object.parameters ?? {}).length === 0) {
    errors.push(field.required('parameters', 'must contain at least one key/value pair'));
  }
  return errors;
}

function validateProvisioner(name: string | undefined, path: string): field.FieldError[] {
  return name ? checkName(isQualifiedName, name.toLowerCase(), path) : [field.required(path)];
}

function validateParameters(
  parameters: Readonly<Record<string, string>> | undefined,
  path: string,
): field.FieldError[] {
  const entries = Object.entries(parameters ?? {});
  if (entries.length > maxParameters) return [field.tooLong(path, maxParameters)];
  const errors: field.FieldError[] = [];
  let sizeBytes = 0;
  for (const [key, value] of entries) {
    if (key === '') errors.push(field.invalid(path, key, 'field can not be empty.'));
    sizeBytes += byteLength(key) + byteLength(value);
  }
  if (sizeBytes > maxParametersBytes) errors.push(field.tooLong(path, maxParametersBytes));
  return errors;
}

/** Terms of labels, each with its own keys; no two terms are the same, and none is empty (which counts as a duplicate). */
function validateTopologies(terms: Terms, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const seen: Record<string, string[]>[] = [{}];
  for (let i = 0; i < terms.length; i++) {
    const at = `${path}[${i}].matchLabelExpressions`;
    const values: Record<string, string[]> = {};
    const expressions = terms[i]?.matchLabelExpressions ?? [];
    for (let j = 0; j < expressions.length; j++) {
      const { key = '', values: list } = expressions[j] ?? {};
      errors.push(...validateExpression(key, list ?? [], `${at}[${j}]`));
      if (Object.hasOwn(values, key)) errors.push(field.duplicate(`${at}[${j}].key`, key));
      values[key] = [...new Set(list)].sort();
    }
    if (seen.some((other) => equalJSON(other, values))) errors.push(field.duplicate(at, ''));
    seen.push(values);
  }
  return errors;
}

function topologyWarnings(terms: Terms, path: string): string[] {
  return terms.flatMap(({ matchLabelExpressions }, i) =>
    (matchLabelExpressions ?? []).flatMap(({ key }, j) => {
      const text = nodeLabelWarning(key);
      return text === undefined ? [] : [`${path}[${i}].matchLabelExpressions[${j}].key: ${text}`];
    }),
  );
}

function validateExpression(key: string, values: readonly string[], path: string): field.FieldError[] {
  const errors: field.FieldError[] = values.length === 0 ? [field.required(`${path}.values`)] : [];
  for (let i = 0; i < values.length; i++) {
    if (values.indexOf(values[i] ?? '') < i) errors.push(field.duplicate(`${path}.values[${i}]`, values[i]));
  }
  return [...errors, ...checkName(isQualifiedName, key, `${path}.key`)];
}
