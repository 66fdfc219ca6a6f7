import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Job, JobSpec, PodTemplateSpec } from '../generated/types.ts';
import { matchesLabelSelector } from '../selector.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import { immutable, nonNegative, oneOf } from '../validation/values.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { validatePodTemplate } from './pod-validation.ts';
import { templateWarnings } from './pod-warnings.ts';
import { childObject, defaultPlain, defaultPointer, isZero } from './shape.ts';
import { selectorMismatch } from './workload-validation.ts';

type Object = DeepReadonly<Job>;
type Spec = DeepReadonly<JobSpec>;

const uidLabel = 'batch.kubernetes.io/controller-uid';
const nameLabel = 'batch.kubernetes.io/job-name';
const maxInt32 = 2_147_483_647;
const maxIndexedParallelism = 100_000;

export const jobStrategy: Strategy = {
  default(object) {
    const spec = childObject<JobSpec>(object, 'spec');
    defaultJobSpec(spec);
    const labels = spec.template?.metadata?.labels;
    if (isZero(object.metadata.labels) && labels && !isZero(labels)) object.metadata.labels = { ...labels };
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = {};
    generateSelector(object as unknown as Job);
  },
  validate(object) {
    const job = object as unknown as Object;
    return [...validateGeneratedSelector(job), ...validateJobSpec(job.spec, 'spec')];
  },
  validateUpdate(object, old, { subresource }) {
    const job = object as unknown as Object;
    const before = old as unknown as Object;
    if (subresource === 'status') return validateStatus(job);
    return [...validateJobSpec(job.spec, 'spec'), ...validateJobUpdate(job, before)];
  },
  warnings: (object) => templateWarnings((object as unknown as Object).spec?.template, 'spec.template'),
  defaultPropagation: 'Orphan',
  selectableFields: (object) => ({
    'status.successful': String((object as unknown as Object).status?.succeeded ?? 0),
  }),
};

function defaultJobSpec(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) {
    spec.completions = 1;
    spec.parallelism = 1;
  }
  defaultPointer(spec, 'parallelism', 1);
  defaultPointer(spec, 'backoffLimit', typeof spec.backoffLimitPerIndex === 'number' ? maxInt32 : 6);
  defaultPointer(spec, 'completionMode', 'NonIndexed');
  defaultPointer(spec, 'suspend', false);
  defaultPointer(spec, 'podReplacementPolicy', spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed');
  defaultFailurePolicy(spec);
  defaultPodTemplate(childObject(spec, 'template'));
}

/** Conditions of a pod failure policy name the status that they want; True when they do not. */
export function defaultFailurePolicy(spec: JobSpec): void {
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) defaultPlain(pattern, 'status', 'True');
  }
}

/** Unless the author manages the selector, pods carry the job's uid and are selected by it. */
function generateSelector(job: Job): void {
  const { spec } = job;
  if (spec.manualSelector === true) return;
  const uid = job.metadata.uid;
  const template = childObject<PodTemplateSpec>(spec, 'template');
  const metadata = childObject<NonNullable<PodTemplateSpec['metadata']>>(template, 'metadata');
  const name = job.metadata.name;
  metadata.labels = {
    ...metadata.labels,
    'controller-uid': uid,
    'job-name': name,
    [uidLabel]: uid,
    [nameLabel]: name,
  };
  spec.selector = { ...spec.selector, matchLabels: { ...spec.selector?.matchLabels, [uidLabel]: uid } };
  if (isZero(job.metadata.labels)) job.metadata.labels = { ...metadata.labels };
}

function validateGeneratedSelector(job: Object): field.FieldError[] {
  if (job.spec.manualSelector === true || !job.spec.selector) return [];
  if (equalJSON(job.spec.selector, { matchLabels: { [uidLabel]: job.metadata.uid } })) return [];
  return [field.invalid('spec.selector', job.spec.selector, '`selector` not auto-generated')];
}

/** A job's spec, its selector included. */
function validateJobSpec(spec: Spec, path: string): field.FieldError[] {
  const errors = validateJobTemplateSpec(spec, path);
  if (!spec.selector) errors.push(field.required(`${path}.selector`));
  else errors.push(...validateLabelSelector(spec.selector, `${path}.selector`));
  const labels = spec.template?.metadata?.labels;
  if (!matchesLabelSelector(spec.selector, labels)) {
    errors.push(field.invalid(`${path}.template.metadata.labels`, labels ?? null, selectorMismatch));
  }
  return errors;
}

/** What a job's spec must have also inside a CronJob. */
export function validateJobTemplateSpec(spec: Spec, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const counters = [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const;
  for (const name of counters) errors.push(...nonNegative(spec[name], `${path}.${name}`));
  if (spec.completionMode !== undefined) {
    errors.push(...oneOf(spec.completionMode, ['Indexed', 'NonIndexed'], `${path}.completionMode`));
  }
  if (spec.completionMode === 'Indexed') {
    if (typeof spec.completions !== 'number') {
      errors.push(field.required(`${path}.completions`, 'when completion mode is Indexed'));
    }
    if ((spec.parallelism ?? 0) > maxIndexedParallelism) {
      const detail = `must be less than or equal to ${maxIndexedParallelism} when completion mode is Indexed`;
      errors.push(field.invalid(`${path}.parallelism`, spec.parallelism, detail));
    }
  } else if (typeof spec.backoffLimitPerIndex === 'number') {
    errors.push(
      field.invalid(`${path}.backoffLimitPerIndex`, spec.backoffLimitPerIndex, 'requires indexed completion mode'),
    );
  }
  if (typeof spec.maxFailedIndexes === 'number' && typeof spec.backoffLimitPerIndex !== 'number') {
    errors.push(field.required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (spec.podReplacementPolicy !== undefined) {
    const supported = ['Failed', 'TerminatingOrFailed'];
    errors.push(...oneOf(spec.podReplacementPolicy, supported, `${path}.podReplacementPolicy`));
  }
  errors.push(...validatePodTemplate(spec.template, `${path}.template`));
  const restart = spec.template?.spec?.restartPolicy ?? '';
  const at = `${path}.template.spec.restartPolicy`;
  if (restart === 'Always' || restart === '') {
    errors.push(field.required(at, 'valid values: "OnFailure", "Never"'));
  } else if (restart !== 'OnFailure' && restart !== 'Never') {
    errors.push(field.notSupported(at, restart, ['OnFailure', 'Never']));
  } else if (spec.podFailurePolicy && restart !== 'Never') {
    errors.push(field.invalid(at, restart, 'only "Never" is supported when podFailurePolicy is specified'));
  }
  return errors;
}

function validateJobUpdate(job: Object, old: Object): field.FieldError[] {
  const { spec } = job;
  const before = old.spec;
  const errors: field.FieldError[] = [];
  const elastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
  if (!elastic) errors.push(...immutable(spec.completions, before.completions, 'spec.completions'));
  errors.push(...immutable(spec.selector, before.selector, 'spec.selector'));
  errors.push(...validateTemplateUpdate(job, old));
  for (const name of [
    'completionMode',
    'podFailurePolicy',
    'backoffLimitPerIndex',
    'managedBy',
    'successPolicy',
  ] as const) {
    errors.push(...immutable(spec[name], before[name], `spec.${name}`));
  }
  return errors;
}

/** Where pods may run can change while the job is suspended and has not started. */
function validateTemplateUpdate(job: Object, old: Object): field.FieldError[] {
  const now = job.spec.template;
  let before = old.spec.template;
  const suspended = old.spec.suspend === true && !old.status?.startTime;
  if (suspended && now?.spec && before?.spec) {
    const { nodeSelector, affinity, tolerations, schedulingGates } = now.spec;
    const spec: Record<string, unknown> = { ...before.spec, nodeSelector, affinity, tolerations, schedulingGates };
    const { labels, annotations } = now.metadata ?? {};
    before = { ...before, metadata: { ...before.metadata, labels, annotations }, spec } as typeof before;
  }
  return equalJSON(now, before) ? [] : [field.invalid('spec.template', now, 'field is immutable')];
}

function validateStatus(job: Object): field.FieldError[] {
  const status = job.status ?? {};
  return (['active', 'succeeded', 'failed', 'ready', 'terminating'] as const).flatMap((name) =>
    nonNegative(status[name], `status.${name}`),
  );
}
