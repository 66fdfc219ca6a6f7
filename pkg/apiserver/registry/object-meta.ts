import type { ResourceDefinition } from '../../api/definition.ts';
import type { FieldError } from '../../api/errors.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const ANNOTATIONS_MAX_BYTES = 256 * 1024;

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const NAME_PART_TEXT =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

type Meta = DeepReadonly<KubeObject>['metadata'];

/** Upstream's ValidateObjectMeta. */
export function validateObjectMeta(definition: ResourceDefinition, meta: Meta): FieldError[] {
  const errors: FieldError[] = [];
  const validateName = definition.strategy.validateName ?? validateSubdomain;
  if (meta.generateName) {
    for (const text of validateName(maskTrailingDash(meta.generateName))) {
      errors.push(invalid('metadata.generateName', meta.generateName, text));
    }
  }
  if (!meta.name) {
    errors.push(required('metadata.name', 'name or generateName is required'));
  } else {
    for (const text of validateName(meta.name)) errors.push(invalid('metadata.name', meta.name, text));
  }
  if (!definition.type.namespaced && meta.namespace) {
    errors.push(forbidden('metadata.namespace', 'not allowed on this type'));
  } else if (definition.type.namespaced && !meta.namespace) {
    errors.push(required('metadata.namespace', ''));
  }
  if (meta.generation !== undefined && meta.generation < 0) {
    errors.push(invalid('metadata.generation', meta.generation, 'must be greater than or equal to 0'));
  }
  errors.push(...validateLabels(meta.labels, 'metadata.labels'), ...validateAnnotations(meta.annotations));
  errors.push(...validateOwnerReferences(meta.ownerReferences), ...validateFinalizers(meta.finalizers));
  return errors;
}

/** Upstream's ValidateObjectMetaUpdate: what no update may change. */
export function validateObjectMetaUpdate(meta: Meta, old: Meta): FieldError[] {
  const errors: FieldError[] = [];
  const immutable = [
    'name',
    'namespace',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const;
  if (meta.generation !== undefined && old.generation !== undefined && meta.generation < old.generation) {
    errors.push(invalid('metadata.generation', meta.generation, 'must not be decremented'));
  }
  if (old.deletionTimestamp !== undefined) {
    const added = (meta.finalizers ?? []).filter((finalizer) => !(old.finalizers ?? []).includes(finalizer));
    if (added.length > 0) {
      errors.push(
        forbidden(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers ${goStrings(added)}`,
        ),
      );
    }
  }
  for (const field of immutable) {
    if (!equalJSON(meta[field] ?? '', old[field] ?? '')) {
      errors.push(invalid(`metadata.${field}`, meta[field] ?? null, 'field is immutable'));
    }
  }
  errors.push(...validateLabels(meta.labels, 'metadata.labels'), ...validateAnnotations(meta.annotations));
  errors.push(...validateOwnerReferences(meta.ownerReferences), ...validateFinalizers(meta.finalizers));
  return errors;
}

export function validateSubdomain(name: string): string[] {
  if (name.length > 253) return ['must be no more than 253 characters'];
  return SUBDOMAIN.test(name) ? [] : [SUBDOMAIN_TEXT];
}

/** A generated name will get a suffix: a trailing dash is not its end. */
function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}

function qualifiedNameProblems(key: string): string[] {
  const parts = key.split('/');
  const problems: string[] = [];
  const name = parts.at(-1) ?? '';
  if (parts.length > 2) {
    return [
      `a qualified name ${NAME_PART_TEXT.slice('name part '.length).replace(')', ')').trimEnd()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') problems.push('prefix part must be non-empty');
    else for (const text of validateSubdomain(prefix)) problems.push(`prefix part ${text}`);
  }
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > 63) problems.push('name part must be no more than 63 characters');
  if (!QUALIFIED_NAME.test(name)) problems.push(NAME_PART_TEXT);
  return problems;
}

export function validateLabels(labels: Meta['labels'], field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const key in labels) {
    for (const text of qualifiedNameProblems(key)) errors.push(invalid(field, key, text));
    const value = labels[key] ?? '';
    if (value.length > 63) errors.push(invalid(field, value, 'must be no more than 63 characters'));
    if (value !== '' && !QUALIFIED_NAME.test(value)) errors.push(invalid(field, value, LABEL_VALUE_TEXT));
  }
  return errors;
}

function validateAnnotations(annotations: Meta['annotations']): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const key in annotations) {
    for (const text of qualifiedNameProblems(key.toLowerCase()))
      errors.push(invalid('metadata.annotations', key, text));
    size += key.length + (annotations[key]?.length ?? 0);
  }
  if (size > ANNOTATIONS_MAX_BYTES) {
    errors.push({
      type: 'FieldValueTooLong',
      field: 'metadata.annotations',
      message: `Too long: may not be more than ${ANNOTATIONS_MAX_BYTES} bytes`,
    });
  }
  return errors;
}

function validateOwnerReferences(references: Meta['ownerReferences']): FieldError[] {
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const reference of references ?? []) {
    const field = 'metadata.ownerReferences';
    if (!reference.apiVersion)
      errors.push(invalid(`${field}.apiVersion`, reference.apiVersion ?? '', 'version must not be empty'));
    if (!reference.kind) errors.push(invalid(`${field}.kind`, reference.kind ?? '', 'must not be empty'));
    if (!reference.name) errors.push(invalid(`${field}.name`, reference.name ?? '', 'must not be empty'));
    if (!reference.uid) errors.push(invalid(`${field}.uid`, reference.uid ?? '', 'must not be empty'));
    if (reference.kind === 'Event' && (reference.apiVersion === 'v1' || reference.apiVersion === 'events.k8s.io/v1')) {
      errors.push(invalid(field, reference, `${reference.apiVersion}, Kind=Event is disallowed from being an owner`));
    }
    if (reference.controller !== true) continue;
    if (controller !== undefined) {
      errors.push(
        invalid(
          field,
          references,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${reference.name}`,
        ),
      );
    }
    controller = reference.name;
  }
  return errors;
}

const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

function validateFinalizers(finalizers: Meta['finalizers']): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, finalizer] of (finalizers ?? []).entries()) {
    for (const text of qualifiedNameProblems(finalizer)) errors.push(invalid('metadata.finalizers', finalizer, text));
    if (!finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer)) {
      const text = 'name is neither a standard finalizer name nor is it fully qualified';
      errors.push(invalid(`metadata.finalizers[${i}]`, finalizer, text));
    }
  }
  if (finalizers?.includes('orphan') === true && finalizers.includes('foregroundDeletion')) {
    errors.push(
      invalid('metadata.finalizers', finalizers, 'finalizer "orphan" and "foregroundDeletion" cannot be both set'),
    );
  }
  return errors;
}

function goStrings(values: readonly string[]): string {
  return `[]string{${values.map((value) => JSON.stringify(value)).join(', ')}}`;
}

function invalid(field: string, value: unknown, text: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${text}` };
}

function required(field: string, text: string): FieldError {
  return { type: 'FieldValueRequired', field, message: text === '' ? 'Required value' : `Required value: ${text}` };
}

function forbidden(field: string, text: string): FieldError {
  return { type: 'FieldValueForbidden', field, message: `Forbidden: ${text}` };
}
