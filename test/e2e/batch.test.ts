import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

interface JobObject {
  spec: { template: { metadata: { labels: Record<string, string> } } };
  status: {
    succeeded?: number;
    failed?: number;
    completedIndexes?: string;
    conditions?: { type: string; status: string; reason?: string }[];
  };
}

describe.skipIf(missing !== undefined)('batch', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster?.remove());

  const conditions = async (name: string): Promise<string[]> => {
    const { status } = await cluster.get<JobObject>('job', name);
    return (status.conditions ?? []).map(({ type, reason }) => `${type}/${reason}`);
  };

  test('a parallel job completes and its log is there', async () => {
    await cluster.apply(job('parallel', 'completions: 3, parallelism: 2', 'echo done'));
    await cluster.ok(['wait', 'job/parallel', '--for=condition=Complete', '--timeout=120s']);
    const { status } = await cluster.get<JobObject>('job', 'parallel');
    expect(status).toMatchObject({ succeeded: 3, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
    expect(await conditions('parallel')).toEqual([
      'SuccessCriteriaMet/CompletionsReached',
      'Complete/CompletionsReached',
    ]);
    await cluster.logs(['job/parallel'], (text) => expect(text).toContain('done'));
    const events = await cluster.ok(['describe', 'job', 'parallel']);
    expect(events).toMatch(/Normal\s+Completed\s+\S+\s+job-controller\s+Job completed/);
  });

  test('an indexed job tells each pod its index', async () => {
    const spec = 'completions: 3, parallelism: 3, completionMode: Indexed';
    await cluster.apply(job('indexed', spec, 'echo index=$JOB_COMPLETION_INDEX host=$(hostname)'));
    await cluster.ok(['wait', 'job/indexed', '--for=condition=Complete', '--timeout=120s']);
    expect((await cluster.get<JobObject>('job', 'indexed')).status.completedIndexes).toBe('0-2');
    await cluster.logs(['-l', 'batch.kubernetes.io/job-completion-index=1'], (text) =>
      expect(text).toContain('index=1 host=indexed-1'),
    );
  });

  test('a failing job ends with its reason; a deadline stops the pod', async () => {
    await cluster.apply(job('failing', 'backoffLimit: 0', 'exit 3'));
    await cluster.apply(job('slow', 'activeDeadlineSeconds: 2', 'sleep 1000'));
    for (const name of ['failing', 'slow']) {
      await cluster.ok(['wait', `job/${name}`, '--for=condition=Failed', '--timeout=120s']);
    }
    expect(await conditions('failing')).toEqual(['FailureTarget/BackoffLimitExceeded', 'Failed/BackoffLimitExceeded']);
    expect(await conditions('slow')).toEqual(['FailureTarget/DeadlineExceeded', 'Failed/DeadlineExceeded']);
    await eventually('its pod is gone', async () => {
      const { items } = await cluster.get<{ items: unknown[] }>('pods', '-l', 'job-name=slow');
      return items.length === 0;
    });
  });

  test('a job is suspended, resumed, and deleted with its pods', async () => {
    await cluster.apply(job('paused', 'suspend: true', 'sleep 1000'));
    await cluster.ok(['wait', 'job/paused', '--for=condition=Suspended', '--timeout=120s']);
    await cluster.ok(['patch', 'job', 'paused', '-p', '{"spec":{"suspend":false}}']);
    await cluster.ok(['wait', 'pod', '-l', 'job-name=paused', '--for=condition=Ready', '--timeout=120s']);
    await cluster.ok(['delete', 'job', 'paused', '--timeout=120s']);
    await eventually('pods gone', async () => {
      const { items } = await cluster.get<{ items: unknown[] }>('pods', '-l', 'job-name=paused');
      return items.length === 0;
    });
  });

  test('a cron job starts jobs on time and by hand, and keeps history', async () => {
    await cluster.apply(CRON_JOB);
    await eventually('two runs', async () => {
      const { status } = await cluster.get<{ status: { lastScheduleTime?: string; lastSuccessfulTime?: string } }>(
        'cronjob',
        'tick',
      );
      return status.lastScheduleTime !== undefined && status.lastSuccessfulTime !== undefined;
    });
    await cluster.ok(['patch', 'cronjob', 'tick', '-p', '{"spec":{"suspend":true}}']);
    await cluster.ok(['create', 'job', 'by-hand', '--from=cronjob/tick']);
    await cluster.ok(['wait', 'job/by-hand', '--for=condition=Complete', '--timeout=120s']);
    await cluster.ok(['delete', 'cronjob', 'tick']);
  });
});

function job(name: string, spec: string, command: string): string {
  return `
apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
spec:
  ${spec.split(', ').join('\n  ')}
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox:test
        command: [sh, -c, '${command}']
`;
}

const CRON_JOB = `
apiVersion: batch/v1
kind: CronJob
metadata:
  name: tick
spec:
  schedule: '@every 3s'
  successfulJobsHistoryLimit: 1
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: main
            image: busybox:test
            command: ['true']
`;
