import type { ScalePaths, Strategy } from '../../api/definition.ts';
import { type FieldError, newStatus, StatusError } from '../../api/errors.ts';
import { AccessorError, nestedInteger, nestedString } from '../../api/nested-field.ts';
import type { DeepReadonly, KubeObject, ResourceType } from '../../api/object.ts';
import { validateEmbedded } from '../../api/schema/embedded.ts';
import { validateListTypes } from '../../api/schema/list-types.ts';
import { validateSchema } from '../../api/schema/validate.ts';
import type { Schema } from '../../api/schema.ts';
import * as field from '../../api/validation/field-error.ts';

/** Evaluates x-kubernetes-validations over an object and what it replaces; `warn` gets the failures that are tolerated. */
export type Rules = (object: CustomObject, old: CustomObject | undefined, warn?: Warn) => FieldError[];

type Warn = (text: string) => void;

export interface CustomStrategyOptions {
  readonly type: ResourceType;
  readonly schema: Schema;
  readonly rules: Rules | undefined;
  readonly scale: ScalePaths | undefined;
  readonly hasStatus: boolean;
  /** The definition is being deleted: nothing is created any more. */
  readonly terminating: boolean;
}

type CustomObject = DeepReadonly<KubeObject>;

/** Custom resources of one version: upstream's customResourceStrategy. */
export function customStrategy(options: CustomStrategyOptions): Strategy {
  return {
    prepareForCreate(object) {
      if (options.terminating) throw terminatingError(options.type);
      if (options.hasStatus) delete object['status'];
    },
    allowUnconditionalUpdate: false,
    validate: (object) => validate(options, object, undefined),
    validateUpdate: (object, old, { subresource, warn }) =>
      subresource === 'status' ? validateStatus(options, object, old, warn) : validate(options, object, old, warn),
    warnings: (object, old) => finalizerWarnings(object, old),
  };
}

function validate(
  options: CustomStrategyOptions,
  object: CustomObject,
  old: CustomObject | undefined,
  warn?: Warn,
): FieldError[] {
  const { schema, scale } = options;
  const errors = validateSchema(schema, object, { old });
  if (scale !== undefined) {
    errors.push(...replicasErrors(object, scale.specReplicasPath), ...scaleStatusErrors(object, scale));
  }
  errors.push(...validateEmbedded(schema, object));
  return validateWhole(options, object, old, errors, warn);
}

/** A status write is checked for what it can change; rules see the whole object. */
function validateStatus(
  options: CustomStrategyOptions,
  object: CustomObject,
  old: CustomObject,
  warn?: Warn,
): FieldError[] {
  const { schema, scale } = options;
  const errors: FieldError[] = [];
  const status = schema.properties?.get('status');
  if (status !== undefined && object['status'] !== undefined) {
    // Upstream validates it on its own: messages do not say where it stands.
    const found = validateSchema(status, object['status'], { isPart: true, old: old['status'] });
    for (const error of found) {
      const below = error.field === '' || error.field === '<nil>' ? '' : `.${error.field}`;
      errors.push({ ...error, field: `status${below}` });
    }
  }
  if (scale !== undefined) errors.push(...scaleStatusErrors(object, scale));
  return validateWhole(options, object, old, errors, warn);
}

function validateWhole(
  { schema, rules }: CustomStrategyOptions,
  object: CustomObject,
  old: CustomObject | undefined,
  before: readonly FieldError[],
  warn?: Warn,
): FieldError[] {
  const errors = [...before];
  // An object that had duplicates before may keep them.
  if (old === undefined || validateListTypes(schema, old).length === 0)
    errors.push(...validateListTypes(schema, object));
  if (rules === undefined) return errors;
  if (errors.some(isBlocking)) return [...errors, SKIPPED_RULES];
  return [...errors, ...rules(object, old, warn)];
}

/** Rules are not evaluated over objects whose shape is wrong. */
function isBlocking({ type }: FieldError): boolean {
  return (
    type === 'FieldValueNotSupported' ||
    type === 'FieldValueRequired' ||
    type === 'FieldValueTooLong' ||
    type === 'FieldValueTooMany' ||
    type === 'FieldValueTypeInvalid'
  );
}

const SKIPPED_RULES: FieldError = {
  type: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

const MAX_REPLICAS = 2 ** 31 - 1;

function replicasErrors(object: CustomObject, path: string): FieldError[] {
  try {
    const value = nestedInteger(object, path) ?? 0;
    if (value < 0) return [field.invalid(path, value, 'should be a non-negative integer')];
    return value > MAX_REPLICAS ? [field.invalid(path, value, `should be less than or equal to ${MAX_REPLICAS}`)] : [];
  } catch (error) {
    return [unreadable(path, 0, error)];
  }
}

function scaleStatusErrors(object: CustomObject, scale: ScalePaths): FieldError[] {
  const errors = replicasErrors(object, scale.statusReplicasPath);
  const { labelSelectorPath } = scale;
  if (labelSelectorPath === undefined) return errors;
  try {
    nestedString(object, labelSelectorPath);
  } catch (error) {
    errors.push(unreadable(labelSelectorPath, '', error));
  }
  return errors;
}

/** What cannot be read counts as the zero value of its type. */
function unreadable(path: string, shown: unknown, error: unknown): FieldError {
  if (error instanceof AccessorError) return field.invalid(path, shown, error.message);
  throw error;
}

const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

function finalizerWarnings({ metadata }: CustomObject, old: CustomObject | undefined): string[] {
  const added = (metadata.finalizers ?? []).filter((name) => !old?.metadata.finalizers?.includes(name));
  return [...new Set(added)].sort().flatMap((name) => {
    if (name.includes('/') || STANDARD_FINALIZERS.has(name)) return [];
    const path = name.includes('.') ? ' including a path (/)' : '';
    const advice = `prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`;
    return [`metadata.finalizers: ${JSON.stringify(name)}: ${advice}`];
  });
}

function terminatingError({ group, resource }: ResourceType): StatusError {
  const message = 'create not allowed while custom resource definition is terminating';
  return new StatusError(newStatus(405, 'MethodNotAllowed', message, { group, kind: resource }));
}
