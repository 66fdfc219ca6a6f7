import { describe, expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { Job, Pod } from '../api/generated/types.ts';
import { newAbandonedPodController } from './job/abandoned-pods.ts';
import { newJobController } from './job/job-controller.ts';
import { finishPods, runPods, startControllers } from './testing.ts';
import { newTTLAfterFinishedController } from './ttl-after-finished/ttl-after-finished-controller.ts';

const key = { namespace: 'n', name: 'j' };

function setup() {
  const started = startControllers((deps) => [
    newJobController(deps),
    newAbandonedPodController(deps),
    newTTLAfterFinishedController(deps),
  ]);
  const { cluster, clock } = started;
  const job = () => cluster.get(resources.jobs, key);
  return {
    ...started,
    job,
    create: (spec: Partial<Job['spec']> = {}) =>
      cluster.add(resources.jobs, {
        metadata: { ...key, uid: 'u' },
        spec: {
          parallelism: 1,
          completions: 1,
          backoffLimit: 6,
          completionMode: 'NonIndexed',
          suspend: false,
          podReplacementPolicy: 'TerminatingOrFailed',
          selector: { matchLabels: { job: 'j' } },
          template: {
            metadata: { labels: { job: 'j' } },
            spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'a' }] },
          },
          ...spec,
        },
        status: {},
      }),
    edit: (change: (job: Job) => void) => cluster.change<Job>(resources.jobs, key, change),
    pods: () => cluster.list(resources.pods),
    /** Active pods run; then those that `ends` names end: with 0, or with a code. */
    end: async (ends: (pod: Pod) => number | undefined) => {
      runPods(cluster, clock);
      for (const { metadata, status } of cluster.list(resources.pods)) {
        if (status?.phase !== 'Running' || metadata.deletionTimestamp !== undefined) continue;
        cluster.change<Pod>(resources.pods, metadata, (pod) => {
          const exitCode = ends(pod);
          if (exitCode === undefined) return;
          const finishedAt = new Date(clock.now()).toISOString();
          pod.status = {
            phase: exitCode === 0 ? 'Succeeded' : 'Failed',
            containerStatuses: [{ name: 'main', state: { terminated: { exitCode, finishedAt } } } as never],
          };
        });
      }
      await clock.advance(10);
    },
    conditions: () =>
      (job()?.status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status}/${reason}`),
    /** The distinct states that the status went through. */
    history: () =>
      cluster.actions
        .filter(({ resource, subresource }) => resource === 'jobs' && subresource === 'status')
        .map(({ body }) => {
          const { startTime: _, conditions = [], completionTime: __, ...rest } = (body as Job).status ?? {};
          return { ...rest, conditions: conditions.map(({ type }) => type).join() };
        }),
  };
}

const index = (pod: { metadata: { annotations?: Readonly<Record<string, string>> } }) =>
  Number(pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index']);

describe('job controller', () => {
  test('runs to completion, counts by finalizer, and says so', async () => {
    const { cluster, clock, create, pods, end, history, conditions, events, stop } = setup();
    create({ completions: 2 });
    await clock.advance(10);
    expect(pods()[0]?.metadata).toMatchObject({
      finalizers: ['batch.kubernetes.io/job-tracking'],
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', controller: true }],
    });
    await end(() => 0);
    await end(() => 0);
    const [uid1, uid2] = pods().map(({ metadata }) => metadata.uid);
    const idle = { ready: 0, terminating: 0, conditions: '' };
    expect(history().filter(({ ready }) => ready === 0)).toEqual([
      { ...idle, active: 1, uncountedTerminatedPods: {} },
      { ...idle, active: 1, uncountedTerminatedPods: { succeeded: [uid1] } },
      { ...idle, active: 1, succeeded: 1, uncountedTerminatedPods: {} },
      { ...idle, succeeded: 1, uncountedTerminatedPods: { succeeded: [uid2] }, conditions: 'SuccessCriteriaMet' },
      { ...idle, succeeded: 2, uncountedTerminatedPods: {}, conditions: 'SuccessCriteriaMet,Complete' },
    ]);
    expect(conditions()).toEqual(['SuccessCriteriaMet=True/CompletionsReached', 'Complete=True/CompletionsReached']);
    expect(pods().every(({ metadata }) => (metadata.finalizers ?? []).length === 0)).toBe(true);
    expect(events('Job').at(-1)).toBe('Completed Job completed');
    const writes = cluster.actions.length;
    await clock.advance(600_000);
    expect(cluster.actions).toHaveLength(writes);
    await stop();
  });

  test('failures are retried with back-off up to the limit', async () => {
    const { clock, create, pods, end, conditions, job, stop } = setup();
    create({ backoffLimit: 1 });
    await clock.advance(10);
    await end(() => 1);
    expect(job()?.status).toMatchObject({ failed: 1 });
    expect(pods()).toHaveLength(1);
    await clock.advance(9000);
    expect(pods()).toHaveLength(1);
    await clock.advance(1500);
    expect(pods()).toHaveLength(2);
    await end((pod) => (pod.status?.phase === 'Running' ? 1 : undefined));
    expect(conditions()).toEqual(['FailureTarget=True/BackoffLimitExceeded', 'Failed=True/BackoffLimitExceeded']);
    expect(job()?.status?.failed).toBe(2);
    await stop();
  });

  test('a deadline stops pods; the end is declared when they have gone', async () => {
    const { cluster, clock, create, conditions, job, stop, events } = setup();
    create({ activeDeadlineSeconds: 3 });
    await clock.advance(10);
    runPods(cluster, clock);
    await clock.advance(4000);
    expect(conditions()).toEqual(['FailureTarget=True/DeadlineExceeded']);
    expect(job()?.status).toMatchObject({ terminating: 1, failed: 1 });
    finishPods(cluster);
    await clock.advance(10);
    expect(conditions()).toEqual(['FailureTarget=True/DeadlineExceeded', 'Failed=True/DeadlineExceeded']);
    expect(events('Job').at(-1)).toBe('DeadlineExceeded Job was active longer than specified deadline');
    await stop();
  });

  test('suspending takes pods back, resuming starts anew', async () => {
    const { cluster, clock, create, edit, conditions, pods, job, events, stop } = setup();
    create({ suspend: true });
    await clock.advance(160);
    expect(job()?.status?.startTime).toBeUndefined();
    const suspend = (value: boolean) =>
      edit((draft) => {
        draft.spec.suspend = value;
      });
    suspend(false);
    await clock.advance(10);
    expect(conditions()).toEqual(['Suspended=False/JobResumed']);
    expect(pods()).toHaveLength(1);
    runPods(cluster, clock);
    await clock.advance(10);
    expect(job()?.status).toMatchObject({ active: 1, ready: 1, startTime: expect.anything() });
    const before = cluster.actions.length;
    suspend(true);
    await clock.advance(10);
    // The first write of a status says it all: a pod that is taken back is not active, not ready, and on its way out.
    const [written] = cluster.actions
      .slice(before)
      .filter(({ resource }) => resource === 'jobs')
      .map(({ body }) => (body as Job).status);
    expect(written).toMatchObject({ ready: 0, terminating: 1, conditions: [{ type: 'Suspended', status: 'True' }] });
    expect([written?.active, written?.startTime]).toEqual([undefined, undefined]);
    finishPods(cluster);
    await clock.advance(10);
    expect(pods()).toHaveLength(0);
    expect(job()?.status).toEqual(expect.not.objectContaining({ failed: expect.anything() }));
    expect(events('Job').filter((text) => !text.includes('pod'))).toEqual([
      'Resumed Job resumed',
      'Suspended Job suspended',
    ]);
    await stop();
  });

  test('indexed: names, environment, completed indexes', async () => {
    const { clock, create, pods, end, job, stop } = setup();
    create({ completionMode: 'Indexed', completions: 6, parallelism: 6 });
    await clock.advance(10);
    const pod = pods().find((item) => index(item) === 3);
    expect(pod).toMatchObject({
      metadata: { generateName: 'j-3-', labels: { 'batch.kubernetes.io/job-completion-index': '3' } },
      spec: { hostname: 'j-3' },
    });
    expect(pod?.spec.containers[0]?.env?.[0]?.name).toBe('JOB_COMPLETION_INDEX');
    await end((item) => ([1, 4].includes(index(item)) ? undefined : 0));
    expect(job()?.status).toMatchObject({ completedIndexes: '0,2,3,5', succeeded: 4, active: 2 });
    await end(() => 0);
    expect(job()?.status).toMatchObject({ completedIndexes: '0-5', succeeded: 6 });
    await stop();
  });

  test('a back-off limit per index fails indexes on their own', async () => {
    const { clock, create, end, job, pods, conditions, stop } = setup();
    create({
      completionMode: 'Indexed',
      completions: 2,
      parallelism: 2,
      backoffLimitPerIndex: 1,
      backoffLimit: 2 ** 31 - 1,
    });
    await clock.advance(10);
    await end((pod) => (index(pod) === 0 ? 1 : undefined));
    expect(job()?.status).toMatchObject({ active: 1, failedIndexes: '' });
    await clock.advance(10_500);
    const counts = pods().map((pod) => pod.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count']);
    expect(counts.sort()).toEqual(['0', '0', '1']);
    await end((pod) => (index(pod) === 0 ? 1 : 0));
    expect(job()?.status).toMatchObject({ failedIndexes: '0', completedIndexes: '1', failed: 2, succeeded: 1 });
    expect(conditions()).toEqual(['FailureTarget=True/FailedIndexes', 'Failed=True/FailedIndexes']);
    await stop();
  });

  test('policies: failures that end the job or do not count, successes that suffice', async () => {
    const rule = (action: string, code: number) => ({ action, onExitCodes: { operator: 'In', values: [code] } });
    const first = setup();
    first.create({ podFailurePolicy: { rules: [rule('Ignore', 7), rule('FailJob', 42)] }, backoffLimit: 0 });
    await first.clock.advance(10);
    await first.end(() => 7);
    expect(first.conditions()).toEqual([]);
    await first.clock.advance(11_000);
    await first.end((pod) => (pod.status?.phase === 'Running' ? 42 : undefined));
    const name = first.pods()[1]?.metadata.name;
    expect(first.job()?.status?.conditions?.[0]?.message).toBe(
      `Container main for pod n/${name} failed with exit code 42 matching FailJob rule at index 1`,
    );
    expect(first.conditions()).toEqual(['FailureTarget=True/PodFailurePolicy', 'Failed=True/PodFailurePolicy']);
    await first.stop();

    const second = setup();
    const successPolicy = { rules: [{ succeededIndexes: '0', succeededCount: 1 }] };
    second.create({ completionMode: 'Indexed', completions: 3, parallelism: 3, successPolicy });
    await second.clock.advance(10);
    await second.end((pod) => (index(pod) === 0 ? 0 : undefined));
    finishPods(second.cluster);
    await second.clock.advance(10);
    expect(second.conditions()).toEqual(['SuccessCriteriaMet=True/SuccessPolicy', 'Complete=True/SuccessPolicy']);
    expect(second.job()?.status).toEqual(expect.not.objectContaining({ failed: expect.anything() }));
    await second.stop();
  });

  test('pods of a job that is gone lose the finalizer; a finished job goes after its time', async () => {
    const { cluster, clock, create, end, pods, job, stop } = setup();
    create({ ttlSecondsAfterFinished: 30 });
    await clock.advance(10);
    cluster.remove(resources.jobs, key);
    await clock.advance(10);
    expect(pods()[0]?.metadata.finalizers ?? []).toEqual([]);
    cluster.remove(resources.pods, pods()[0]!.metadata);
    create({ ttlSecondsAfterFinished: 30 });
    await clock.advance(10);
    await end(() => 0);
    await clock.advance(28_000);
    expect(job()?.metadata.deletionTimestamp).toBeUndefined();
    await clock.advance(2500);
    expect(job()?.metadata.finalizers).toEqual(['foregroundDeletion']);
    await stop();
  });
});
