import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Job, JobStatus } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { commonIndex, countIndexes } from './job-indexes.ts';
import { nonNegativeCounters } from './workload-validation.ts';

type FieldError = field.FieldError;
type Object = DeepReadonly<Job>;
type Status = DeepReadonly<JobStatus>;

const conditionsPath = 'status.conditions';

/**
 * A new status of a job. Rules about what was stored before they existed only count for what the update changes. Upstream's
 * ValidateJobStatusUpdate with the options of the job's strategy.
 */
export function validateJobStatusUpdate(job: Object, old: Object): FieldError[] {
  const status = job.status ?? {};
  const before = old.status ?? {};
  const changed = (name: keyof JobStatus): boolean => !equalJSON(status[name] ?? null, before[name] ?? null);
  const turned = (type: string): boolean => holds(status, type) !== holds(before, type);
  return [
    ...nonNegativeCounters({ ...status }, ['active', 'succeeded', 'failed', 'ready', 'terminating']),
    ...validateUncounted(status),
    ...validateEnd(status, changed, turned),
    ...validateFinished(job, changed, turned),
    ...validateIndexes(job, changed),
    ...validateCriteria(job),
    ...validateHistory(job, old),
  ];
}

function holds(status: Status, type: string): boolean {
  return status.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
}

function badConditions(detail: string): FieldError {
  return field.invalidWithoutValue(conditionsPath, detail);
}

function validateUncounted(status: Status): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const list of ['succeeded', 'failed'] as const) {
    const uids = status.uncountedTerminatedPods?.[list] ?? [];
    for (let i = 0; i < uids.length; i++) {
      const uid = uids[i] ?? '';
      const path = `status.uncountedTerminatedPods.${list}[${i}]`;
      if (uid === '') errors.push(field.invalid(path, uid, 'must not be empty'));
      else if (seen.has(uid)) errors.push(field.duplicate(path, uid));
      seen.add(uid);
    }
  }
  return errors;
}

type Changed = (name: keyof JobStatus) => boolean;
type Turned = (type: string) => boolean;

/** How a job ended, and when. */
function validateEnd(status: Status, changed: Changed, turned: Turned): FieldError[] {
  const errors: FieldError[] = [];
  const [complete, failed, target] = ['Complete', 'Failed', 'FailureTarget'].map((type) => holds(status, type));
  const { completionTime, startTime } = status;
  const path = 'status.completionTime';
  if ((turned('Complete') || turned('Failed')) && complete && failed) {
    errors.push(badConditions('cannot set Complete=True and Failed=true conditions'));
  }
  if ((turned('Complete') || turned('FailureTarget')) && complete && target) {
    errors.push(badConditions('cannot set Complete=True and FailureTarget=true conditions'));
  }
  if (turned('Complete') || changed('completionTime')) {
    if (completionTime && !complete) {
      const detail = 'cannot set completionTime when there is no Complete=True condition';
      errors.push(field.invalid(path, completionTime, detail));
    }
    if (!completionTime && complete) errors.push(field.required(path, 'completionTime is required for Complete jobs'));
  }
  if ((changed('startTime') || changed('completionTime')) && startTime && completionTime) {
    if (Date.parse(completionTime) < Date.parse(startTime)) {
      errors.push(field.invalid(path, completionTime, 'completionTime cannot be set before startTime'));
    }
  }
  if ((turned('Failed') || turned('FailureTarget')) && failed && !target) {
    errors.push(badConditions('cannot set Failed=True condition without the FailureTarget=true condition'));
  }
  if ((turned('Complete') || turned('SuccessCriteriaMet')) && complete && !holds(status, 'SuccessCriteriaMet')) {
    errors.push(badConditions('cannot set Complete=True condition without the SuccessCriteriaMet=true condition'));
  }
  return errors;
}

/** A job that has ended has no pods any more. */
function validateFinished(job: Object, changed: Changed, turned: Turned): FieldError[] {
  const status = job.status ?? {};
  if (!holds(status, 'Complete') && !holds(status, 'Failed')) return [];
  const errors: FieldError[] = [];
  const ended = turned('Complete') !== turned('Failed');
  const { active = 0, startTime, uncountedTerminatedPods: uncounted } = status;
  if ((ended || changed('active')) && active > 0) {
    errors.push(field.invalid('status.active', active, 'active>0 is invalid for finished job'));
  }
  const neverRan = job.spec.suspend === true && job.spec.completions === 0;
  if ((ended || changed('startTime')) && !neverRan && !startTime) {
    errors.push(field.required('status.startTime', 'startTime is required for finished job'));
  }
  if ((ended || changed('uncountedTerminatedPods')) && (uncounted?.failed?.length || uncounted?.succeeded?.length)) {
    const detail = 'uncountedTerminatedPods needs to be empty for finished job';
    errors.push(field.invalid('status.uncountedTerminatedPods', uncounted, detail));
  }
  return errors;
}

/** Which indexes are done, and how many pods are still about. */
function validateIndexes(job: Object, changed: Changed): FieldError[] {
  const errors: FieldError[] = [];
  const { completions, backoffLimitPerIndex, completionMode } = job.spec;
  const { completedIndexes = '', failedIndexes, terminating, ready, active = 0 } = job.status ?? {};
  const bounded = typeof completions === 'number';
  const perIndex = typeof backoffLimitPerIndex === 'number';
  const hasFailed = typeof failedIndexes === 'string';
  if (changed('completedIndexes') && bounded) {
    const wrong = countIndexes(completedIndexes, completions);
    if (typeof wrong === 'string') {
      errors.push(
        field.invalid('status.completedIndexes', completedIndexes, `error parsing completedIndexes: ${wrong}`),
      );
    }
  }
  if (changed('failedIndexes') && bounded && perIndex && hasFailed) {
    const wrong = countIndexes(failedIndexes, completions);
    if (typeof wrong === 'string') {
      errors.push(field.invalid('status.failedIndexes', failedIndexes, `error parsing failedIndexes: ${wrong}`));
    }
  }
  if (changed('completedIndexes') && completedIndexes !== '' && completionMode !== 'Indexed') {
    const detail = 'cannot set non-empty completedIndexes when non-indexed completion mode';
    errors.push(field.invalid('status.completedIndexes', completedIndexes, detail));
  }
  if (changed('failedIndexes') && hasFailed && !perIndex) {
    const detail = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
    errors.push(field.invalid('status.failedIndexes', failedIndexes, detail));
  }
  if ((changed('failedIndexes') || changed('completedIndexes')) && bounded && hasFailed) {
    const index = commonIndex(completedIndexes, failedIndexes, completions);
    if (index !== undefined) {
      const detail = `failedIndexes and completedIndexes overlap at index: ${index}`;
      errors.push(field.invalid('status.failedIndexes', failedIndexes, detail));
    }
  }
  const finished = holds(job.status ?? {}, 'Complete') || holds(job.status ?? {}, 'Failed');
  if (changed('terminating') && (terminating ?? 0) > 0 && finished) {
    errors.push(field.invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job'));
  }
  if ((changed('ready') || changed('active')) && typeof ready === 'number' && ready > active) {
    errors.push(field.invalid('status.ready', ready, 'cannot set more ready pods than active'));
  }
  return errors;
}

function validateCriteria(job: Object): FieldError[] {
  const status = job.status ?? {};
  const met = holds(status, 'SuccessCriteriaMet');
  const errors: FieldError[] = [];
  for (const type of ['Failed', 'FailureTarget']) {
    if (met && holds(status, type)) {
      errors.push(badConditions(`cannot set SuccessCriteriaMet=True and ${type}=true conditions`));
    }
  }
  if (job.spec.successPolicy && !met && holds(status, 'Complete')) {
    errors.push(badConditions('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True'));
  }
  return errors;
}

/** What a status may not take back. */
function validateHistory(job: Object, old: Object): FieldError[] {
  const status = job.status ?? {};
  const before = old.status ?? {};
  const errors: FieldError[] = [];
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (holds(before, type) && !holds(status, type)) {
      errors.push(badConditions(`cannot disable the terminal ${type}=True condition`));
    }
  }
  const { failed = 0, succeeded = 0, completionTime, startTime } = status;
  if (failed < (before.failed ?? 0)) {
    errors.push(field.invalid('status.failed', failed, 'cannot decrease the failed counter'));
  }
  // An Indexed job that is scaled down loses completions.
  const elastic = (job.spec.completions ?? null) === (job.spec.parallelism ?? null);
  if (!elastic && succeeded < (before.succeeded ?? 0)) {
    errors.push(field.invalid('status.succeeded', succeeded, 'cannot decrease the succeeded counter'));
  }
  if (completionTime && before.completionTime && completionTime !== before.completionTime) {
    errors.push(field.invalid('status.completionTime', completionTime, 'completionTime cannot be mutated'));
  }
  // Newer servers also refuse that the start of a running job moves, but the Conformance suite has to be able to move it.
  if (before.startTime && !startTime && job.spec.suspend !== true) {
    errors.push(field.required('status.startTime', 'startTime cannot be removed for unsuspended job'));
  }
  const metBefore = holds(before, 'SuccessCriteriaMet');
  const met = holds(status, 'SuccessCriteriaMet');
  if (metBefore && !met) errors.push(badConditions('cannot disable the SuccessCriteriaMet=True condition'));
  if (holds(before, 'Complete') && !metBefore && met) {
    errors.push(badConditions('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions'));
  }
  return errors;
}
