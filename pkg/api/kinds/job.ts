import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Job, JobSpec, LabelSelector, PodTemplateSpec } from '../generated/types.ts';
import { matchesLabelSelector } from '../selector.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Label } from '../validation/names.ts';
import { dropFromWorkload } from './disabled-fields.ts';
import { validateJobStatusUpdate } from './job-status-validation.ts';
import { validateJobUpdate } from './job-update.ts';
import { validateJobSpec } from './job-validation.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { childObject, defaultPlain, defaultPointer, isZero } from './shape.ts';
import { isSelector } from './workload-validation.ts';
import { workloadWarnings } from './workload-warnings.ts';

type Object = DeepReadonly<Job>;

const uidLabel = 'batch.kubernetes.io/controller-uid';
const nameLabel = 'batch.kubernetes.io/job-name';
const legacyUIDLabel = 'controller-uid';
const legacyNameLabel = 'job-name';
const maxInt32 = 2_147_483_647;
const manyIndexes =
  'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail';

export const jobStrategy: Strategy = {
  dropDisabled: dropFromWorkload,
  default(object) {
    const spec = childObject<JobSpec>(object, 'spec');
    defaultJobSpec(spec);
    const labels = spec.template?.metadata?.labels;
    // One map upstream: what is added to the labels of the template is added to those of the job.
    if (isZero(object.metadata.labels) && labels && !isZero(labels)) object.metadata.labels = labels;
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = {};
    generateSelector(object as unknown as Job);
  },
  validate(object) {
    const job = object as unknown as Object;
    return validateJob(job, generatedLabels(job));
  },
  validateUpdate(object, old, { subresource }) {
    const job = object as unknown as Object;
    const before = old as unknown as Object;
    if (subresource === 'status') return validateJobStatusUpdate(job, before);
    return [...validateJob(job, expectedLabels(before)), ...validateJobUpdate(job, before)];
  },
  warnings(object, old) {
    const { spec } = object as unknown as Object;
    const warnings = workloadWarnings(object, old, spec?.template, 'spec.template');
    const { completions = 0, parallelism = 0, completionMode } = spec ?? {};
    if (old === undefined && completionMode === 'Indexed' && completions > 100_000 && parallelism > 10_000) {
      warnings.push(manyIndexes);
    }
    return warnings;
  },
  defaultPropagation: 'Orphan',
  propagationWarning:
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
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

/**
 * Unless the author manages the selector, pods carry the job's uid and are selected by it. Labels that are there already stay:
 * validation refuses those that say something else.
 */
function generateSelector(job: Job): void {
  const { spec } = job;
  if (spec.manualSelector === true) return;
  const template = childObject<PodTemplateSpec>(spec, 'template');
  const metadata = childObject<NonNullable<PodTemplateSpec['metadata']>>(template, 'metadata');
  const shared = metadata.labels !== undefined && metadata.labels === job.metadata.labels;
  metadata.labels = { ...generatedLabels(job), ...metadata.labels };
  if (shared) job.metadata.labels = metadata.labels;
  const selector = childObject<LabelSelector>(spec, 'selector');
  selector.matchLabels = { [uidLabel]: job.metadata.uid ?? '', ...selector.matchLabels };
  if (isZero(job.metadata.labels)) job.metadata.labels = { ...metadata.labels };
}

function generatedLabels({ metadata: { name = '', uid = '' } }: Object): Record<string, string> {
  return { [legacyUIDLabel]: uid, [legacyNameLabel]: name, [uidLabel]: uid, [nameLabel]: name };
}

/** Those that an update has to leave: jobs of older versions have only the two without a prefix. */
function expectedLabels(old: Object): Record<string, string> {
  const expected = generatedLabels(old);
  const labels = old.spec.template?.metadata?.labels;
  if (labels?.[uidLabel] === undefined || labels[nameLabel] === undefined) {
    delete expected[uidLabel];
    delete expected[nameLabel];
  }
  return expected;
}

/** `expected`: the labels that the template has to have when the selector was generated. */
function validateJob(job: Object, expected: Readonly<Record<string, string>>): field.FieldError[] {
  return [...validateGeneratedSelector(job, expected), ...validateJobSpec(job.spec, 'spec'), ...validateHostNames(job)];
}

function validateGeneratedSelector(job: Object, expected: Readonly<Record<string, string>>): field.FieldError[] {
  if (job.spec.manualSelector === true || !job.spec.selector) return [];
  const errors: field.FieldError[] = [];
  const labels = job.spec.template?.metadata?.labels;
  for (const name in expected) {
    const path = `spec.template.metadata.labels[${name}]`;
    const detail = `must be '${expected[name]}'`;
    if (labels?.[name] === undefined) errors.push(field.required(path, detail));
    else if (labels[name] !== expected[name]) errors.push(field.invalid(path, labels, detail));
  }
  if (isSelector(job.spec.selector) && !matchesLabelSelector(job.spec.selector, expected)) {
    errors.push(field.invalid('spec.selector', job.spec.selector, '`selector` not auto-generated'));
  }
  return errors;
}

/** Pods of an Indexed job get its name and their index as host name. */
function validateHostNames(job: Object): field.FieldError[] {
  const { completionMode, completions } = job.spec;
  if (completionMode !== 'Indexed' || typeof completions !== 'number' || completions <= 0) return [];
  const name = job.metadata.name ?? '';
  const longest = `${name}-${completions - 1}`;
  if (isDNS1123Label(longest).length === 0) return [];
  return [field.invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${longest}`)];
}
