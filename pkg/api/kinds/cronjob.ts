import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { CronJob, CronJobSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { maxLengthText } from '../validation/names.ts';
import { nonNegative, oneOf } from '../validation/values.ts';
import { cronScheduleError, isTimeZone } from './cron-schedule.ts';
import { dropFromCronJob } from './disabled-fields.ts';
import { defaultFailurePolicy } from './job.ts';
import { validateJobTemplateSpec } from './job-validation.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { childObject, defaultPlain, defaultPointer } from './shape.ts';
import { workloadWarnings } from './workload-warnings.ts';

type Object = DeepReadonly<CronJob>;

/** The names of jobs get a suffix of 11 characters. */
const maxNameLength = 52;

export const cronJobStrategy: Strategy = {
  dropDisabled: dropFromCronJob,
  default(object) {
    const spec = childObject<CronJobSpec>(object, 'spec');
    defaultPlain(spec, 'concurrencyPolicy', 'Allow');
    defaultPointer(spec, 'suspend', false);
    defaultPointer(spec, 'successfulJobsHistoryLimit', 3);
    defaultPointer(spec, 'failedJobsHistoryLimit', 1);
    const template = childObject<CronJobSpec['jobTemplate']>(spec, 'jobTemplate');
    childObject(template, 'metadata');
    const job = childObject<NonNullable<CronJobSpec['jobTemplate']['spec']>>(template, 'spec');
    defaultFailurePolicy(job);
    defaultPodTemplate(childObject(job, 'template'));
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = {};
  },
  validate(object) {
    const { metadata, spec } = object as unknown as Object;
    const name = metadata.name ?? '';
    const errors = validateSpec(spec, undefined);
    if (name.length > maxNameLength) errors.push(field.invalid('metadata.name', name, maxLengthText(maxNameLength)));
    return errors;
  },
  validateUpdate(object, old, { subresource }) {
    if (subresource === 'status') return [];
    return validateSpec((object as unknown as Object).spec, (old as unknown as Object).spec);
  },
  warnings(object, old) {
    const { spec } = object as unknown as Object;
    const template = spec?.jobTemplate?.spec?.template;
    const warnings = workloadWarnings(object, old, template, 'spec.jobTemplate.spec.template');
    if (hasTimeZone(spec?.schedule)) {
      warnings.push('cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead');
    }
    return warnings;
  },
};

function hasTimeZone(schedule: string | undefined): boolean {
  return schedule?.includes('TZ') === true;
}

function validateSpec(spec: DeepReadonly<CronJobSpec>, old: DeepReadonly<CronJobSpec> | undefined): field.FieldError[] {
  const errors: field.FieldError[] = [];
  if (!spec.schedule) errors.push(field.required('spec.schedule'));
  else errors.push(...validateSchedule(spec.schedule, spec.timeZone, hasTimeZone(old?.schedule)));
  errors.push(...nonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'));
  if (old === undefined || old.timeZone !== spec.timeZone) errors.push(...validateTimeZone(spec.timeZone));
  errors.push(...oneOf(spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy'));
  const job = spec.jobTemplate?.spec;
  errors.push(...validateJobTemplateSpec(job ?? { template: {} }, 'spec.jobTemplate.spec'));
  if (job?.selector) {
    errors.push(field.invalid('spec.jobTemplate.spec.selector', job.selector, '`selector` will be auto-generated'));
  }
  if (job?.manualSelector === true) {
    errors.push(field.notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']));
  }
  errors.push(...nonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'));
  errors.push(...nonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'));
  return errors;
}

/** A zone inside the schedule is only tolerated where it was before. */
function validateSchedule(schedule: string, zone: string | undefined, zoneTolerated: boolean): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const wrong = cronScheduleError(schedule);
  if (wrong !== undefined) errors.push(field.invalid('spec.schedule', schedule, wrong));
  if (!hasTimeZone(schedule)) return errors;
  if (!zoneTolerated) {
    const detail = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
    errors.push(field.invalid('spec.schedule', schedule, detail));
  } else if (zone !== undefined && zone !== null) {
    const detail = 'cannot use both timeZone field and TZ or CRON_TZ in schedule';
    errors.push(field.invalid('spec.schedule', schedule, detail));
  }
  return errors;
}

function validateTimeZone(zone: string | undefined | null): field.FieldError[] {
  if (zone === undefined || zone === null) return [];
  if (zone === '') return [field.invalid('spec.timeZone', zone, 'timeZone must be nil or non-empty string')];
  if (!zone.split('/').every(isZoneComponent))
    return [field.invalid('spec.timeZone', zone, `unknown time zone ${zone}`)];
  const errors: field.FieldError[] = [];
  if (zone.toLowerCase() === 'local') {
    const detail = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    errors.push(field.invalid('spec.timeZone', zone, detail));
  }
  if (zone !== 'Local' && !isTimeZone(zone)) {
    errors.push(field.invalid('spec.timeZone', zone, `unknown time zone ${zone}`));
  }
  return errors;
}

function isZoneComponent(part: string): boolean {
  return part !== '.' && part !== '..' && !part.startsWith('-') && /^[A-Za-z.\-_0-9+]{1,14}$/.test(part);
}
