import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { CronJob, CronJobSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { maxLengthText } from '../validation/names.ts';
import { nonNegative, oneOf } from '../validation/values.ts';
import { cronScheduleError } from './cron-schedule.ts';
import { defaultFailurePolicy, validateJobTemplateSpec } from './job.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { templateWarnings } from './pod-warnings.ts';
import { childObject, defaultPlain, defaultPointer } from './shape.ts';

type Object = DeepReadonly<CronJob>;

/** The names of jobs get a suffix of 11 characters. */
const maxNameLength = 52;

export const cronJobStrategy: Strategy = {
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
    const cron = object as unknown as Object;
    const name = cron.metadata.name ?? '';
    const errors =
      name.length > maxNameLength ? [field.invalid('metadata.name', name, maxLengthText(maxNameLength))] : [];
    return [...errors, ...validateSpec(cron.spec)];
  },
  validateUpdate(object, _old, { subresource }) {
    return subresource === 'status' ? [] : validateSpec((object as unknown as Object).spec);
  },
  warnings: (object) =>
    templateWarnings((object as unknown as Object).spec?.jobTemplate?.spec?.template, 'spec.jobTemplate.spec.template'),
};

function validateSpec(spec: DeepReadonly<CronJobSpec>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const schedule = spec.schedule ?? '';
  if (schedule === '') errors.push(field.required('spec.schedule'));
  else if (/TZ/.test(schedule)) {
    const detail = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
    errors.push(field.invalid('spec.schedule', schedule, detail));
  } else {
    const error = cronScheduleError(schedule);
    if (error !== undefined) errors.push(field.invalid('spec.schedule', schedule, error));
  }
  errors.push(...nonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'));
  errors.push(...validateTimeZone(spec.timeZone));
  errors.push(...oneOf(spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy'));
  errors.push(...validateJobTemplateSpec(spec.jobTemplate?.spec ?? { template: {} }, 'spec.jobTemplate.spec'));
  if (spec.jobTemplate?.spec?.manualSelector === true) {
    const supported = ['nil', 'false'];
    errors.push(field.notSupported('spec.jobTemplate.spec.manualSelector', true, supported));
  }
  if (spec.jobTemplate?.spec?.selector) {
    errors.push(
      field.invalid(
        'spec.jobTemplate.spec.selector',
        spec.jobTemplate.spec.selector,
        '`selector` will be auto-generated',
      ),
    );
  }
  errors.push(...nonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'));
  errors.push(...nonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'));
  return errors;
}

function validateTimeZone(zone: string | undefined | null): field.FieldError[] {
  if (zone === undefined || zone === null) return [];
  if (zone === '') return [field.invalid('spec.timeZone', zone, 'timeZone must be nil or non-empty string')];
  if (zone.toLowerCase() === 'local') {
    const detail = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    return [field.invalid('spec.timeZone', zone, detail)];
  }
  return isTimeZone(zone) ? [] : [field.invalid('spec.timeZone', zone, `unknown time zone ${zone}`)];
}

function isTimeZone(zone: string): boolean {
  if (/^[+-]/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
