import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Event, EventsEvent } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import * as field from '../validation/field-error.ts';
import { byteLength, isPathSegmentName, isQualifiedName } from '../validation/names.ts';
import { checkName, immutable } from '../validation/values.ts';
import { childObject, defaultPointer, dropZero } from './shape.ts';

type CoreEvent = DeepReadonly<Event>;
type NewEvent = DeepReadonly<EventsEvent>;

const hourMs = 3_600_000;
const maxShort = 128;
const maxNote = 1024;

/** core/v1 events: those without an event time are hardly checked. */
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
  // Of metadata only what no object may be without is checked.
  validateName: isPathSegmentName,
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
  // What is selected from has the stored version.
  selectableFields(object) {
    const event = object as unknown as CoreEvent;
    return {
      ...referenceFields('regarding', event.involvedObject ?? {}),
      reason: event.reason ?? '',
      reportingController: event.reportingComponent ?? '',
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

/** An event as it is stored: under the names that errors show, whatever the version of the request. */
interface StoredEvent {
  readonly namespace: string;
  readonly about: string;
  readonly eventTime: unknown;
  readonly controller: string;
  readonly instance: string;
  readonly action: string;
  readonly reason: string;
  readonly message: string;
}

function validateCoreEvent(event: CoreEvent): field.FieldError[] {
  const stored = {
    namespace: event.metadata.namespace ?? '',
    about: event.involvedObject?.namespace ?? '',
    eventTime: event.eventTime,
    controller: event.reportingComponent ?? '',
    instance: event.reportingInstance ?? '',
    action: event.action ?? '',
    reason: event.reason ?? '',
    message: event.message ?? '',
  };
  return validateStored(stored, 'reportingComponent');
}

/** What every event must satisfy: those with a time of their own say who reports them and why. */
function validateStored(event: StoredEvent, controllerField: string): field.FieldError[] {
  const { namespace, about } = event;
  const mismatch = [field.invalid('involvedObject.namespace', about, 'does not match event.namespace')];
  if (!event.eventTime) {
    const matches = about === '' ? namespace === '' || namespace === 'default' : namespace === about;
    return matches ? [] : mismatch;
  }
  const errors = about === '' && namespace !== 'default' && namespace !== 'kube-system' ? mismatch : [];
  if (event.controller === '') errors.push(field.required(controllerField));
  errors.push(...checkName(isQualifiedName, event.controller, controllerField));
  errors.push(...short(event.instance, 'reportingInstance'));
  errors.push(...short(event.action, 'action'));
  errors.push(...short(event.reason, 'reason'));
  if (byteLength(event.message) > maxNote) {
    errors.push(field.invalid('message', '', `can have at most ${maxNote} characters`));
  }
  return errors;
}

function short(value: string, path: string): field.FieldError[] {
  if (value === '') return [field.required(path)];
  return byteLength(value) > maxShort ? [field.invalid(path, '', `can have at most ${maxShort} characters`)] : [];
}

function validateAsStored(event: NewEvent): field.FieldError[] {
  const stored = {
    namespace: event.metadata.namespace ?? '',
    about: event.regarding?.namespace ?? '',
    eventTime: event.eventTime,
    controller: event.reportingController ?? '',
    instance: event.reportingInstance ?? '',
    action: event.action ?? '',
    reason: event.reason ?? '',
    message: event.note ?? '',
  };
  return validateStored(stored, 'reportingController');
}

function validateNewEvent(event: NewEvent): field.FieldError[] {
  const errors = [...validateAsStored(event), ...validateSeries(event)];
  if (!event.eventTime) errors.push(field.required('eventTime'));
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
  const errors = validateAsStored(object as unknown as NewEvent);
  if (!equalJSON(object.series, old.series)) errors.push(...validateSeries(object as unknown as NewEvent));
  for (const [name, stored] of frozen) errors.push(...immutable(object[name] ?? null, old[name] ?? null, stored));
  if (!equalJSON(timeOf(object.eventTime), timeOf(old.eventTime))) {
    errors.push(field.invalid('eventTime', object.eventTime ?? null, 'field is immutable'));
  }
  return errors;
}

function timeOf(value: unknown): number {
  return typeof value === 'string' ? Date.parse(value) : 0;
}
