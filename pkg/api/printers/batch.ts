import type { CronJob, Job } from '../generated/types.ts';
import { containerCells, formatBoolean, formatSelector } from './format.ts';
import { humanDuration, since } from './human-duration.ts';
import {
  age,
  ageColumn,
  boolean,
  definePrinter,
  integer,
  nameColumn,
  type Printable,
  type PrinterTable,
  text,
  wide,
} from './printer.ts';

const containersColumn = wide('Containers', 'The names of the containers.');
const imagesColumn = wide('Images', 'The images of the containers.');
const selectorColumn = wide('Selector', 'The labels of its pods.');

const jobPrinter = definePrinter<Job>(
  [
    nameColumn,
    text('Status', 'Whether the job runs, is suspended or has ended, and how.'),
    text('Completions', 'How many of the wanted pods have succeeded.'),
    text('Duration', 'How long the job took or has been running.'),
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
  (job, nowMs) => [
    job.metadata.name,
    jobStatus(job),
    completions(job),
    jobDuration(job, nowMs),
    age(job, nowMs),
    ...containerCells(job.spec?.template?.spec?.containers),
    formatSelector(job.spec?.selector),
  ],
);

function jobStatus(job: Printable<Job>): string {
  const holds = (type: string): boolean =>
    job.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
  if (holds('Complete')) return 'Complete';
  if (holds('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (holds('Suspended')) return 'Suspended';
  if (holds('FailureTarget')) return 'FailureTarget';
  if (holds('SuccessCriteriaMet')) return 'SuccessCriteriaMet';
  return 'Running';
}

function completions(job: Printable<Job>): string {
  const succeeded = job.status?.succeeded ?? 0;
  const { completions: wanted, parallelism = 0 } = job.spec ?? {};
  if (wanted !== undefined) return `${succeeded}/${wanted}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function jobDuration(job: Printable<Job>, nowMs: number): string {
  const { startTime, completionTime } = job.status ?? {};
  if (startTime === undefined) return '';
  const endMs = completionTime === undefined ? nowMs : Date.parse(completionTime);
  return humanDuration(endMs - Date.parse(startTime));
}

const cronJobPrinter = definePrinter<CronJob>(
  [
    nameColumn,
    text('Schedule', 'When it starts a job, in cron syntax.'),
    text('Timezone', 'The time zone of the schedule.'),
    boolean('Suspend', 'Whether it currently starts no jobs.'),
    integer('Active', 'How many of its jobs are running.'),
    text('Last Schedule', 'When it last started a job.'),
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
  (cronJob, nowMs) => {
    const last = cronJob.status?.lastScheduleTime;
    const job = cronJob.spec?.jobTemplate?.spec;
    return [
      cronJob.metadata.name,
      cronJob.spec?.schedule ?? '',
      cronJob.spec?.timeZone ?? '<none>',
      formatBoolean(cronJob.spec?.suspend),
      cronJob.status?.active?.length ?? 0,
      last === undefined ? '<none>' : since(last, nowMs),
      age(cronJob, nowMs),
      ...containerCells(job?.template?.spec?.containers),
      formatSelector(job?.selector),
    ];
  },
);

export const batchPrinters: PrinterTable = { CronJob: cronJobPrinter, Job: jobPrinter };
