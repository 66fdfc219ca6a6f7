import { describe, expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { CronJob, Job } from '../../api/generated/types.ts';
import { startControllers } from '../testing.ts';
import { newCronJobController } from './cronjob-controller.ts';

const key = { namespace: 'n', name: 'cj' };
const MINUTE = 60_000;

function setup() {
  const started = startControllers((deps) => [newCronJobController(deps)]);
  const { cluster, clock } = started;
  return {
    ...started,
    create: (spec: Partial<CronJob['spec']> = {}) =>
      cluster.add(resources.cronjobs, {
        metadata: key,
        spec: {
          schedule: '* * * * *',
          concurrencyPolicy: 'Allow',
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 1,
          jobTemplate: { spec: { template: {} } },
          ...spec,
        },
        status: {},
      }),
    status: () => cluster.get(resources.cronjobs, key)?.status,
    jobs: () => cluster.list(resources.jobs).map(({ metadata }) => metadata.name),
    finish: (type = 'Complete') => {
      for (const { metadata, status } of cluster.list(resources.jobs)) {
        if (status?.conditions !== undefined) continue;
        cluster.change<Job>(resources.jobs, metadata, (job) => {
          const now = new Date(clock.now()).toISOString();
          job.status = { startTime: now, completionTime: now, conditions: [{ type, status: 'True' }] };
        });
      }
    },
  };
}

describe('cron job controller', () => {
  test('starts a job a minute, follows it, keeps history', async () => {
    const { cluster, clock, create, status, jobs, finish, events, stop } = setup();
    create();
    await clock.advance(MINUTE + 500);
    const minute = Math.floor(clock.now() / MINUTE);
    expect(jobs()).toEqual([`cj-${minute}`]);
    expect(cluster.list(resources.jobs)[0]?.metadata).toMatchObject({
      annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:01:00Z' },
      ownerReferences: [{ kind: 'CronJob', name: 'cj', controller: true }],
    });
    expect(status()).toMatchObject({ active: [{ name: `cj-${minute}` }], lastScheduleTime: '2026-01-01T00:01:00Z' });
    finish();
    await clock.advance(10);
    expect(status()).toEqual({
      lastScheduleTime: '2026-01-01T00:01:00Z',
      lastSuccessfulTime: expect.stringMatching('2026-01-01T00:01:00'),
    });
    await clock.advance(MINUTE);
    finish();
    await clock.advance(10);
    expect(jobs()).toEqual([`cj-${minute + 1}`]);
    expect(events().slice(0, 2)).toEqual([
      `SuccessfulCreate Created job cj-${minute}`,
      `SawCompletedJob Saw completed job: cj-${minute}, condition: Complete`,
    ]);
    await stop();
  });

  test('a job that no history is kept of is deleted when it ends, and its success noted', async () => {
    const { clock, create, finish, events, status, jobs, stop } = setup();
    create({ successfulJobsHistoryLimit: 0 });
    await clock.advance(MINUTE + 500);
    const [name] = jobs();
    finish();
    await clock.advance(10);
    expect(events()).toEqual([`SuccessfulCreate Created job ${name}`, `SuccessfulDelete Deleted job ${name}`]);
    expect(status()?.lastSuccessfulTime).toBeDefined();
    await stop();
  });

  test.each([
    ['Forbid', 1, 'JobAlreadyActive Not starting job because prior execution is running'],
    ['Replace', 1, 'SuccessfulDelete Deleted job cj-'],
    ['Allow', 2, 'SuccessfulCreate Created job cj-'],
  ])('%s while a job runs', async (concurrencyPolicy, count, event) => {
    const { clock, create, jobs, events, stop } = setup();
    create({ concurrencyPolicy });
    await clock.advance(2 * MINUTE + 500);
    expect(jobs()).toHaveLength(count);
    expect(events().some((text) => text.startsWith(event))).toBe(true);
    await stop();
  });

  test('a resumed CronJob starts only the latest of what it missed', async () => {
    const { cluster, clock, create, jobs, events, stop } = setup();
    create({ suspend: true });
    await clock.advance(200 * MINUTE);
    expect(jobs()).toEqual([]);
    cluster.change<CronJob>(resources.cronjobs, key, ({ spec }) => {
      spec.suspend = false;
    });
    await clock.advance(1000);
    expect(jobs()).toEqual([`cj-${Math.floor(clock.now() / MINUTE)}`]);
    expect(events()[0]).toMatch(/^TooManyMissedTimes too many missed start times/);
    await stop();
  });

  test('a start is missed when its deadline has passed', async () => {
    const { cluster, clock, create, jobs, stop } = setup();
    create({ suspend: true, schedule: '0 * * * *', startingDeadlineSeconds: 30 });
    await clock.advance(61 * MINUTE);
    cluster.change<CronJob>(resources.cronjobs, key, ({ spec }) => {
      spec.suspend = false;
    });
    await clock.advance(1000);
    expect(jobs()).toEqual([]);
    await clock.advance(59 * MINUTE);
    expect(jobs()).toHaveLength(1);
    await stop();
  });

  test.each([
    [{ schedule: 'x' }, 'UnparseableSchedule unparseable schedule: "x"'],
    [
      { schedule: '0 0 31 2 *' },
      'InvalidSchedule invalid schedule: 0 0 31 2 * : time difference between two schedules is less than 1 second',
    ],
    [{ timeZone: 'Mars/Base' }, 'UnknownTimeZone invalid timeZone: "Mars/Base": unknown time zone Mars/Base'],
  ])('%j is told once and not retried', async (spec, event) => {
    const { cluster, clock, create, events, stop } = setup();
    create(spec);
    await clock.advance(10 * MINUTE);
    expect(events()).toEqual([expect.stringContaining(event)]);
    expect(cluster.actions).toHaveLength(1);
    await stop();
  });
});
