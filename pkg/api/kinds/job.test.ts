import { describe, expect, it } from 'vitest';
import { strategies } from './index.ts';
import { commonIndex, countIndexes } from './job-indexes.ts';
import { create, newObject, update } from './testing.ts';

const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'a:1' }] } };
const indexed = { template, completionMode: 'Indexed', completions: 3, parallelism: 3 };

describe('indexes', () => {
  const counts: [string, number | string][] = [
    ['', 0],
    ['0,2-3', 3],
    [
      '1-2-3',
      `the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by '-'`,
    ],
    ['a', 'cannot convert string to integer for index: "a"'],
    ['5', 'too large index: "5"'],
    ['2-1', 'non-increasing order, previous: 2, current: 1'],
    ['1,1', 'non-increasing order, previous: 1, current: 1'],
  ];

  it.each(counts)('of %j', (text, expected) => {
    expect(countIndexes(text, 5)).toBe(expected);
  });

  it('overlap', () => {
    expect(commonIndex('0,2-4', '1,4', 5)).toBe(4);
    expect(commonIndex('0,x', '1', 5)).toBeUndefined();
  });
});

describe('new jobs', () => {
  const failure = (rule: object) => ({ template, podFailurePolicy: { rules: [rule] } });
  const rule = 'spec.podFailurePolicy.rules[0]';
  const cases: [name: string, spec: object, errors: string[]][] = [
    ['mode', { template, completionMode: 'Odd' }, ['spec.completionMode NotSupported']],
    ['host names', { ...indexed, completions: 1 }, []],
    [
      'limits per index need indexes',
      { template, maxFailedIndexes: 1 },
      ['spec.backoffLimitPerIndex Required', 'spec.maxFailedIndexes Invalid'],
    ],
    [
      'many completions',
      { ...indexed, completions: 200_000, parallelism: 20_000, backoffLimitPerIndex: 1 },
      ['spec.maxFailedIndexes Required', 'spec.parallelism Invalid'],
    ],
    [
      'more failures than completions',
      { ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 4 },
      ['spec.maxFailedIndexes Invalid'],
    ],
    ['manager', { template, managedBy: 'me' }, ['spec.managedBy Invalid']],
    ['failure rule without a condition', failure({ action: 'Ignore' }), [`${rule} Invalid`]],
    [
      'failure rule',
      failure({
        action: 'FailIndex',
        onExitCodes: { operator: 'In', containerName: 'other', values: [2, 1, 1, 0] },
        onPodConditions: [{ type: 'a b', status: 'Odd' }],
      }),
      [
        `${rule}.action Invalid`,
        `${rule}.onExitCodes.containerName Invalid`,
        `${rule}.onExitCodes.values[2] Duplicate`,
        `${rule}.onExitCodes.values[3] Invalid`,
        `${rule}.onExitCodes.values Invalid`,
        `${rule}.onPodConditions[0].type Invalid`,
        `${rule}.onPodConditions[0].status NotSupported`,
        `${rule} Invalid`,
      ],
    ],
    [
      'failure policy and restarts',
      {
        ...failure({ action: 'Count', onExitCodes: { operator: 'NotIn', values: [1] } }),
        podReplacementPolicy: 'TerminatingOrFailed',
        template: { spec: { ...template.spec, restartPolicy: 'OnFailure' } },
      },
      ['spec.podReplacementPolicy NotSupported', 'spec.template.spec.restartPolicy Invalid'],
    ],
    ['success policy without indexes', { template, successPolicy: { rules: [] } }, ['spec.successPolicy Invalid']],
    [
      'success policy',
      {
        ...indexed,
        successPolicy: {
          rules: [{}, { succeededIndexes: '7', succeededCount: 1 }, { succeededIndexes: '0-1', succeededCount: 4 }],
        },
      },
      [
        'spec.successPolicy.rules[0] Required',
        'spec.successPolicy.rules[1].succeededIndexes Invalid',
        'spec.successPolicy.rules[1].succeededCount Invalid',
        'spec.successPolicy.rules[2].succeededCount Invalid',
        'spec.successPolicy.rules[2].succeededCount Invalid',
      ],
    ],
    [
      'labels of somebody else',
      { template: { ...template, metadata: { labels: { 'job-name': 'other' } } } },
      ['spec.template.metadata.labels[job-name] Invalid'],
    ],
    [
      'selector of somebody else',
      { template, selector: { matchLabels: { a: 'b' } } },
      ['spec.selector Invalid', 'spec.template.metadata.labels Invalid'],
    ],
  ];

  it.each(cases)('%s', (_name, spec, errors) => {
    expect(create('batch/Job', { spec }).errors).toEqual(errors);
  });

  it('have names that pods can have', () => {
    const body = { metadata: { name: 'a'.repeat(62) }, spec: indexed };
    expect(create('batch/Job', body).errors).toEqual(['metadata.name Invalid']);
  });
});

describe('updates of jobs', () => {
  const change = (spec: object, set: object): string[] =>
    update('batch/Job', { spec }, (job) => Object.assign(job.spec as object, set)).errors;

  it('scale Indexed jobs as a whole', () => {
    expect(change(indexed, { completions: 5, parallelism: 5 })).toEqual([]);
    expect(change(indexed, { completions: 5 })).toEqual(['spec.completions Invalid']);
    expect(change({ template, completions: 1, parallelism: 1 }, { completions: 2, parallelism: 2 })).toEqual([
      'spec.completions Invalid',
    ]);
  });

  it('have all labels of their template when they have none of their own', () => {
    const labelled = { ...template, metadata: { labels: { app: 'x' } } };
    const { labels } = create('batch/Job', { spec: { template: labelled } }).object.metadata;
    expect(labels).toEqual({
      app: 'x',
      'batch.kubernetes.io/controller-uid': 'u',
      'batch.kubernetes.io/job-name': 'x',
      'controller-uid': 'u',
      'job-name': 'x',
    });
  });

  it('keep their generated labels and names that their indexes fit', () => {
    const change = (object: Record<string, unknown>): void => {
      (object.spec as { manualSelector?: boolean }).manualSelector = false;
    };
    const manual = { manualSelector: true, selector: { matchLabels: { a: 'b' } } };
    const labelled = { ...template, metadata: { labels: { a: 'b' } } };
    expect(update('batch/Job', { spec: { ...manual, template: labelled } }, change).errors).toEqual([
      'spec.template.metadata.labels[controller-uid] Required',
      'spec.template.metadata.labels[job-name] Required',
      'spec.selector Invalid',
    ]);
    const indexed = { template, completionMode: 'Indexed', completions: 10, parallelism: 10 };
    const metadata = { name: 'x'.repeat(61) };
    const grow = (object: Record<string, unknown>): void => {
      Object.assign(object.spec as object, { completions: 11, parallelism: 11 });
    };
    expect(update('batch/Job', { metadata, spec: indexed }, grow).errors).toEqual(['metadata.name Invalid']);
  });

  it('may move and resize the pods of a suspended one', () => {
    const moved = (job: Record<string, unknown>): void => {
      const { spec } = (job.spec as { template: { spec: Record<string, unknown> } }).template;
      spec.nodeSelector = { a: 'b' };
      spec.affinity = { nodeAffinity: {} };
      const containers = spec.containers as Record<string, unknown>[];
      (containers[0] ?? {}).resources = { requests: { cpu: '1' } };
    };
    expect(update('batch/Job', { spec: { template, suspend: true } }, moved).errors).toEqual([]);
    expect(update('batch/Job', { spec: { template } }, moved).errors).toEqual(['spec.template Invalid']);
    const image = (job: Record<string, unknown>): void => {
      const { spec } = (job.spec as { template: { spec: { containers: { image: string }[] } } }).template;
      for (const container of spec.containers) container.image = 'other:1';
    };
    expect(update('batch/Job', { spec: { template, suspend: true } }, image).errors).toEqual([
      'spec.template.spec Invalid',
    ]);
  });
});

describe('status of jobs', () => {
  const t0 = '2030-01-01T00:00:00Z';
  const t1 = '2030-01-01T00:01:00Z';
  const on = (...types: string[]) => types.map((type) => ({ type, status: 'True' }));
  const done = { startTime: t0, completionTime: t1, conditions: on('SuccessCriteriaMet', 'Complete') };
  const check = (now: object, before: object = {}, spec: object = { template }): string[] => {
    const strategy = strategies.get('batch/Job');
    const object = newObject('batch/Job', { spec, status: now });
    const old = newObject('batch/Job', { spec, status: before });
    const errors = strategy?.validateUpdate?.(object, old, { nowMs: 0, subresource: 'status' }) ?? [];
    return errors.map(({ field, message }) => `${field}: ${message}`);
  };
  const cases: [name: string, now: object, before: object, errors: RegExp[]][] = [
    ['completed', done, { startTime: t0 }, []],
    [
      'completed before it started',
      { ...done, startTime: t1, completionTime: t0 },
      {},
      [/completionTime.*before startTime/],
    ],
    ['completed without a criterion', { ...done, conditions: on('Complete') }, {}, [/without the SuccessCriteriaMet/]],
    [
      'completed and failed',
      { ...done, conditions: on('SuccessCriteriaMet', 'Complete', 'Failed', 'FailureTarget') },
      {},
      [
        /Complete=True and Failed=true/,
        /Complete=True and FailureTarget=true/,
        /SuccessCriteriaMet=True and Failed=true/,
        /SuccessCriteriaMet=True and FailureTarget=true/,
      ],
    ],
    ['failed without a target', { startTime: t0, conditions: on('Failed') }, {}, [/without the FailureTarget/]],
    [
      'completed without times',
      { conditions: done.conditions },
      {},
      [/completionTime: Required/, /startTime: Required/],
    ],
    ['completed with pods', { ...done, active: 1 }, {}, [/active>0/]],
    [
      'taken back',
      { startTime: t0 },
      done,
      [/completionTime|cannot disable the terminal Complete/, /cannot disable the SuccessCriteriaMet/],
    ],
    [
      'counters',
      { succeeded: 1, failed: 1 },
      { succeeded: 2, failed: 2 },
      [/decrease the failed/, /decrease the succeeded/],
    ],
    ['resumed', { startTime: t1 }, { startTime: t0, conditions: on('Suspended') }, []],
    ['resumed without a start', {}, { startTime: t0, conditions: on('Suspended') }, [/startTime cannot be removed/]],
    ['start moved', { startTime: t1 }, { startTime: t0 }, []],
    ['start removed', {}, { startTime: t0 }, [/startTime cannot be removed/]],
    [
      'indexes',
      { completedIndexes: '1', failedIndexes: '1' },
      {},
      [/non-indexed completion mode/, /backoffLimitPerIndex is null/, /overlap at index: 1/],
    ],
    ['ready', { ready: 2, active: 1 }, {}, [/more ready pods than active/]],
    [
      'uncounted',
      { uncountedTerminatedPods: { succeeded: ['a', ''], failed: ['a'] } },
      {},
      [/succeeded\[1\]/, /failed\[0\]: Duplicate/],
    ],
  ];

  it.each(cases)('%s', (_name, now, before, expected) => {
    const errors = check(now, before, { template, completions: 3, parallelism: 1 });
    expect(errors).toHaveLength(expected.length);
    for (const [i, pattern] of expected.entries()) expect(errors[i]).toMatch(pattern);
  });

  it('of Indexed jobs names indexes', () => {
    const spec = { ...indexed, backoffLimitPerIndex: 1 };
    expect(check({ completedIndexes: '0-1', failedIndexes: '1' }, {}, spec)).toEqual([
      'status.failedIndexes: Invalid value: "1": failedIndexes and completedIndexes overlap at index: 1',
    ]);
    expect(check({ completedIndexes: '9' }, {}, spec)).toEqual([
      'status.completedIndexes: Invalid value: "9": error parsing completedIndexes: too large index: "9"',
    ]);
  });
});

describe('cron jobs', () => {
  const jobTemplate = { spec: { template } };
  const cases: [name: string, spec: object, errors: string[]][] = [
    ['zone in the schedule', { schedule: 'TZ=UTC 0 * * * *' }, ['spec.schedule Invalid']],
    [
      'unknown zone in the schedule',
      { schedule: 'TZ=Odd 0 * * * *' },
      ['spec.schedule Invalid', 'spec.schedule Invalid'],
    ],
    ['zone', { schedule: '@daily', timeZone: 'Europe/Kyiv' }, []],
    ['zone in lower case', { schedule: '@daily', timeZone: 'europe/kyiv' }, ['spec.timeZone Invalid']],
    ['local zone', { schedule: '@daily', timeZone: 'LOCAL' }, ['spec.timeZone Invalid', 'spec.timeZone Invalid']],
    ['zone with odd characters', { schedule: '@daily', timeZone: 'a b' }, ['spec.timeZone Invalid']],
    [
      'selector of the job',
      { schedule: '@daily', jobTemplate: { spec: { template, selector: {}, manualSelector: true } } },
      ['spec.jobTemplate.spec.selector Invalid', 'spec.jobTemplate.spec.manualSelector NotSupported'],
    ],
  ];

  it.each(cases)('%s', (_name, spec, errors) => {
    expect(create('batch/CronJob', { spec: { jobTemplate, ...spec } }).errors).toEqual(errors);
  });

  it('keep a zone in the schedule that was there', () => {
    const { errors } = update('batch/CronJob', { spec: { jobTemplate, schedule: 'TZ=UTC 0 * * * *' } }, (cron) => {
      (cron.spec as { schedule: string }).schedule = 'TZ=UTC 1 * * * *';
    });
    expect(errors).toEqual([]);
  });
});
