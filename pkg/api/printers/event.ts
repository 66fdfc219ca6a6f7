import type { Event, EventsEvent } from '../generated/types.ts';
import { since } from './human-duration.ts';
import { definePrinter, nameColumn, type Printable, text, wide } from './printer.ts';

/** Serves both core/v1 and events.k8s.io/v1: one stored object, two spellings. */
export const eventPrinter = definePrinter<Event & EventsEvent>(
  [
    text('Last Seen', 'When it last happened.'),
    text('Type', 'Normal or Warning.'),
    text('Reason', 'Why it was reported, in one word.'),
    text('Object', 'What it is about.'),
    wide('Subobject', 'The part of the object that it is about.'),
    wide('Source', 'Which component reported it, and where that runs.'),
    text('Message', 'What happened.'),
    wide('First Seen', 'When it first happened.'),
    wide('Count', 'How often it happened.'),
    { ...nameColumn, priority: 1 },
  ],
  (event, nowMs) => {
    const first = event.firstTimestamp ?? event.deprecatedFirstTimestamp ?? event.eventTime;
    const last = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.deprecatedLastTimestamp ?? first;
    const object = event.involvedObject ?? event.regarding;
    const kind = (object?.kind ?? '').toLowerCase();
    return [
      since(last, nowMs),
      event.type ?? '',
      event.reason ?? '',
      object?.name ? `${kind}/${object.name}` : kind,
      object?.fieldPath ?? '',
      source(event),
      (event.message ?? event.note ?? '').trim(),
      since(first, nowMs),
      event.series?.count ?? (event.count || event.deprecatedCount || 1),
      event.metadata.name,
    ];
  },
);

function source(event: Printable<Event & EventsEvent>): string {
  const reported = event.source ?? event.deprecatedSource;
  const component = reported?.component || event.reportingComponent || event.reportingController || '';
  const host = reported?.host || event.reportingInstance || '';
  return host === '' ? component : `${component}, ${host}`;
}
