import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Event, EventsEvent } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import * as field from '../validation/field-error.ts';
import { isQualifiedName } from '../validation/names.ts';
import { checkName, immutable } from '../validation/values.ts';
import { childObject, defaultPointer, dropZero } from './shape.ts';

type CoreEvent = DeepReadonly<Event>;
type NewEvent = DeepReadonly<EventsEvent>;

const hourMs = 3_600_000;
const maxShort = 128;
const maxNote = 1024;

/** core/v1 events: hardly checked. */
export const eventStrategy: Strategy = {
  default(object) {
    dropZero(object, ['reason', 'message', 'count', 'type', 'action']);
    childObject(object, 'involvedObject');
    childObject(object, 'source');
    for (const name of ['firstTimestamp', 'lastTimestamp', 'eventTime']) defaultPointer(object, name, null);
    for (const name of ['reportingComponent', 'reportingInstance']) defaultPointer(object, name, '');
  },
  validate: (object) => validateCoreEvent(object as unknown as CoreEvent),
  validateUpdate: (object) => validateCoreEvent(object as unknown as CoreEvent),
  allowCreateOnUpdate: true,
  ttlMs: hourMs,
  selectableFields(object) {
    const event = object as unknown as CoreEvent;
    const about = event.involvedObject ?? {};
    return {
      ...referenceFields('involvedObject', about),
      reason: event.reason ?? '',
      reportingComponent: event.reportingComponent ?? '',
      source: event.source?.component || (event.reportingComponent ?? ''),
      type: event.type ?? '',
    };
  },
};

/** events.k8s.io/v1 events: strictly checked; errors name the fields of the stored form. */
export const newEventStrategy: Strategy = {
  default(object) {
    dropZero(object, ['reason', 'note', 'deprecatedCount', 'type', 'action']);
    childObject(object, 'regarding');
    childObject(object, 'deprecatedSource');
    for (const name of ['deprecatedFirstTimestamp', 'deprecatedLastTimestamp', 'eventTime']) {
      defaultPointer(object, name, null);
    }
  },
  validate: (object) => validateNewEvent(object as unknown as NewEvent),
  validateUpdate: (object, old) => validateNewEventUpdate(object, old),
  allowCreateOnUpdate: true,
  ttlMs: hourMs,
  selectableFields(object) {
    const event = object as unknown as NewEvent;
    return {
      ...referenceFields('regarding', event.regarding ?? {}),
      reason: event.reason ?? '',
      reportingController: event.reportingController ?? '',
      type: event.type ?? '',
    };
  },
};

function referenceFields(
  name: string,
  about: {
    readonly kind?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly uid?: string;
    readonly apiVersion?: string;
    readonly resourceVersion?: string;
    readonly fieldPath?: string;
  },
): Record<string, string> {
  return {
    [`${name}.kind`]: about.kind ?? '',
    [`${name}.namespace`]: about.namespace ?? '',
    [`${name}.name`]: about.name ?? '',
    [`${name}.uid`]: about.uid ?? '',
    [`${name}.apiVersion`]: about.apiVersion ?? '',
    [`${name}.resourceVersion`]: about.resourceVersion ?? '',
    [`${name}.fieldPath`]: about.fieldPath ?? '',
  };
}

function validateCoreEvent(event: CoreEvent): field.FieldError[] {
  const namespace = event.metadata.namespace ?? '';
  const about = event.involvedObject?.namespace ?? '';
  const matches = about === '' ? namespace === '' || namespace === 'default' : namespace === about;
  const errors = matches ? [] : [field.invalid('involvedObject.namespace', about, 'does not match event.namespace')];
  if (event.eventTime) {
    if (!event.reportingComponent) errors.push(field.required('reportingComponent'));
    errors.push(...checkName(isQualifiedName, event.reportingComponent, 'reportingComponent'));
    if (!event.reportingInstance) errors.push(field.required('reportingInstance'));
    if (!event.action) errors.push(field.required('action'));
    if (!event.reason) errors.push(field.required('reason'));
  }
  return errors;
}

function short(value: string | undefined, path: string): field.FieldError[] {
  if (!value) return [field.required(path)];
  return value.length > maxShort ? [field.invalid(path, '', `can have at most ${maxShort} characters`)] : [];
}

function validateNewEvent(event: NewEvent): field.FieldError[] {
  const errors: field.FieldError[] = [];
  if (!event.eventTime) errors.push(field.required('eventTime'));
  if (!event.reportingController) errors.push(field.required('reportingController'));
  errors.push(...checkName(isQualifiedName, event.reportingController, 'reportingController'));
  errors.push(...short(event.reportingInstance, 'reportingInstance'));
  errors.push(...short(event.action, 'action'));
  errors.push(...short(event.reason, 'reason'));
  if ((event.note?.length ?? 0) > maxNote) {
    errors.push(field.invalid('message', '', `can have at most ${maxNote} characters`));
  }
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    errors.push(field.invalid('type', '', `has invalid value: ${event.type ?? ''}`));
  }
  const unset = [
    ['deprecatedFirstTimestamp', 'firstTimestamp'],
    ['deprecatedLastTimestamp', 'lastTimestamp'],
    ['deprecatedCount', 'count'],
  ] as const;
  for (const [name, stored] of unset) {
    if (event[name]) errors.push(field.invalid(stored, '', 'needs to be unset'));
  }
  if (event.deprecatedSource?.component || event.deprecatedSource?.host) {
    errors.push(field.invalid('source', '', 'needs to be unset'));
  }
  errors.push(...validateSeries(event));
  return errors;
}

function validateSeries(event: NewEvent): field.FieldError[] {
  if (!event.series) return [];
  const errors: field.FieldError[] = [];
  if ((event.series.count ?? 0) < 2) errors.push(field.invalid('series.count', '', 'should be at least 2'));
  if (!event.series.lastObservedTime) errors.push(field.required('series.lastObservedTime'));
  return errors;
}

const frozen = [
  ['regarding', 'involvedObject'],
  ['reason', 'reason'],
  ['note', 'message'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
  ['reportingController', 'reportingController'],
  ['reportingInstance', 'reportingInstance'],
  ['action', 'action'],
  ['related', 'related'],
  ['type', 'type'],
] as const;

function validateNewEventUpdate(object: DeepReadonly<KubeObject>, old: DeepReadonly<KubeObject>): field.FieldError[] {
  const errors = validateSeries(object as unknown as NewEvent);
  for (const [name, stored] of frozen) errors.push(...immutable(object[name] ?? null, old[name] ?? null, stored));
  if (!equalJSON(timeOf(object.eventTime), timeOf(old.eventTime))) {
    errors.push(field.invalid('eventTime', object.eventTime ?? null, 'field is immutable'));
  }
  return errors;
}

function timeOf(value: unknown): number {
  return typeof value === 'string' ? Date.parse(value) : 0;
}
