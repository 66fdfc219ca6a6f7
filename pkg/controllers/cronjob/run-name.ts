import type { ReadCronJob } from './starts.ts';
import { TimeZone } from './time-zone.ts';

const SCHEDULED_ANNOTATION = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** The name of the job of one start: the same for the same minute, so that no start happens twice. */
export function jobName({ metadata }: ReadCronJob, startMs: number): string {
  return `${metadata.name}-${Math.floor(startMs / 60_000)}`;
}

/** Name, labels, annotations and spec of the job of one start. */
export function jobFor(cronJob: ReadCronJob, startMs: number) {
  const { metadata, spec } = cronJob.spec.jobTemplate;
  return {
    metadata: {
      name: jobName(cronJob, startMs),
      namespace: cronJob.metadata.namespace,
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      annotations: {
        ...metadata?.annotations,
        [SCHEDULED_ANNOTATION]: inZone(startMs, cronJob.spec.timeZone ?? 'UTC'),
      },
    },
    ...(spec === undefined ? {} : { spec }),
  };
}

/** RFC 3339 with the offset of the zone. */
function inZone(ms: number, zone: string): string {
  const offsetMs = new TimeZone(zone).offsetMs(ms);
  const wall = new Date(ms + offsetMs).toISOString().slice(0, 19);
  if (offsetMs === 0) return `${wall}Z`;
  const minutes = Math.abs(offsetMs) / 60_000;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${wall}${offsetMs < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}
