import { expect, test } from 'vitest';
import { containerHash } from '../labels.ts';
import type { PodRuntime, RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Container, Pod } from '../types.ts';
import { type ContainerHealth, planPod } from './plan.ts';

type Run = Partial<RuntimeContainer> & { name: string };
const image = 'i';

function pod(spec: { containers?: Partial<Container>[]; init?: Partial<Container>[]; restartPolicy?: string }): Pod {
  const named = (list: Partial<Container>[]): Container[] => list.map((one) => ({ image, ...one }) as Container);
  return {
    metadata: { name: 'p', namespace: 'n', uid: 'u' },
    spec: {
      restartPolicy: spec.restartPolicy ?? 'Always',
      containers: named(spec.containers ?? [{ name: 'a' }]),
      initContainers: named(spec.init ?? []),
    },
    status: {},
  } as unknown as Pod;
}

function runtime(runs: Run[], sandboxes: { ready: boolean }[] = [{ ready: true }]): PodRuntime {
  return {
    sandboxes: sandboxes.map(({ ready }, index) => ({
      id: `s${sandboxes.length - index - 1}`,
      ready,
      attempt: sandboxes.length - index - 1,
      createdAtMs: 0,
      ips: [],
    })),
    containers: runs.map((run) => ({
      id: run.name,
      sandboxID: `s${sandboxes.length - 1}`,
      state: 'running',
      restartCount: 0,
      hash: containerHash({ name: run.name, image }),
      exitCode: 0,
      ...run,
    })) as RuntimeContainer[],
  };
}

function summary(thePod: Pod, theRuntime: PodRuntime, health: Record<string, Partial<ContainerHealth>> = {}): string {
  const plan = planPod({ pod: thePod, runtime: theRuntime, health: (id) => ({ started: true, ...health[id] }) });
  const parts = [
    plan.killPod ? 'killPod' : '',
    plan.createSandbox === undefined ? '' : `sandbox ${plan.createSandbox.attempt}`,
    ...plan.kill.map(({ container, message }) => `kill ${container.id} (${message})`),
    ...plan.start.map(({ container, restartCount }) => `start ${container.name}#${restartCount}`),
  ];
  return parts.filter((part) => part !== '').join(', ');
}

const exited = (name: string, exitCode: number, more: Partial<RuntimeContainer> = {}): Run => ({
  name,
  state: 'exited',
  exitCode,
  ...more,
});
const ab = { containers: [{ name: 'a' }, { name: 'b' }] };
const init = { init: [{ name: 'i1' }, { name: 'i2' }] };
const side = { init: [{ name: 'side', restartPolicy: 'Always' }, { name: 'i2' }] };

test.each<[string, Pod, PodRuntime, string]>([
  ['a new pod', pod(ab), runtime([], []), 'sandbox 0, start a#0, start b#0'],
  ['a new pod with init containers', pod(init), runtime([], []), 'sandbox 0, start i1#0'],
  ['a lost sandbox', pod({}), runtime([exited('a', 137)], [{ ready: false }]), 'sandbox 1, start a#1'],
  ['a lost sandbox, Never', pod({ restartPolicy: 'Never' }), runtime([exited('a', 1)], [{ ready: false }]), 'killPod'],
  [
    'a lost sandbox, done',
    pod({ restartPolicy: 'OnFailure' }),
    runtime([exited('a', 0)], [{ ready: false }]),
    'killPod',
  ],
  ['all is well', pod(ab), runtime([{ name: 'a' }, { name: 'b' }]), ''],
  ['one ended, Always', pod(ab), runtime([{ name: 'a' }, exited('b', 0, { restartCount: 3 })]), 'start b#4'],
  ['one ended, Never', pod({ ...ab, restartPolicy: 'Never' }), runtime([{ name: 'a' }, exited('b', 1)]), ''],
  ['all ended, Never', pod({ ...ab, restartPolicy: 'Never' }), runtime([exited('a', 0), exited('b', 1)]), 'killPod'],
  ['failed, OnFailure', pod({ restartPolicy: 'OnFailure' }), runtime([exited('a', 1)]), 'start a#1'],
  ['done, OnFailure', pod({ restartPolicy: 'OnFailure' }), runtime([exited('a', 0)]), 'killPod'],
  [
    'image changed',
    pod({}),
    runtime([{ name: 'a', hash: 'old' }]),
    'kill a (Container a definition changed, will be restarted), start a#1',
  ],
  ['first init container runs', pod(init), runtime([{ name: 'i1' }]), ''],
  ['first init container is done', pod(init), runtime([exited('i1', 0)]), 'start i2#0'],
  ['init container failed', pod(init), runtime([exited('i1', 1)]), 'start i1#1'],
  ['init container failed, Never', pod({ ...init, restartPolicy: 'Never' }), runtime([exited('i1', 1)]), 'killPod'],
  ['init containers are done', pod(init), runtime([exited('i2', 0), exited('i1', 0)]), 'start a#0'],
  ['a runs, init containers are forgotten', pod(init), runtime([{ name: 'a' }]), ''],
  ['sidecar first', pod(side), runtime([]), 'start side#0'],
  ['then what follows', pod(side), runtime([{ name: 'side' }]), 'start i2#0'],
  ['sidecar ended while a runs', pod(side), runtime([{ name: 'a' }, exited('side', 0)]), 'start side#1'],
  [
    'sidecar does not keep a finished pod',
    pod({ ...side, restartPolicy: 'Never' }),
    runtime([exited('a', 0), { name: 'side' }]),
    'killPod',
  ],
])('%s', (_, thePod, theRuntime, expected) => {
  expect(summary(thePod, theRuntime)).toBe(expected);
});

test('a sidecar that has not started holds the next container back', () => {
  expect(summary(pod(side), runtime([{ name: 'side' }]), { side: { started: false } })).toBe('');
});

test('failed probes kill, and restart by policy', () => {
  const failed = { a: { livenessFailed: true } };
  expect(summary(pod({}), runtime([{ name: 'a' }]), failed)).toBe(
    'kill a (Container a failed liveness probe, will be restarted), start a#1',
  );
  expect(summary(pod({ restartPolicy: 'Never' }), runtime([{ name: 'a' }]), failed)).toBe('killPod');
  expect(summary(pod({}), runtime([{ name: 'a' }]), { a: { started: false, startupFailed: true } })).toBe(
    'kill a (Container a failed startup probe, will be restarted), start a#1',
  );
  const own = (restartPolicy: string): Pod => pod({ containers: [{ name: 'a', restartPolicy }, { name: 'b' }] });
  const both = runtime([{ name: 'a' }, { name: 'b' }]);
  expect(summary(own('Never'), both, failed)).toBe('kill a (Container a failed liveness probe)');
  expect(summary(pod(side), runtime([{ name: 'side' }]), { side: { started: false, startupFailed: true } })).toBe(
    'kill side (Init container side failed startup probe), start side#1',
  );
});

test('restart rules come before the policy', () => {
  const rules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }];
  const never = pod({ restartPolicy: 'Never', containers: [{ name: 'a', restartPolicyRules: rules }, { name: 'b' }] });
  expect(summary(never, runtime([exited('a', 42), { name: 'b' }]))).toBe('start a#1');
  expect(summary(never, runtime([exited('a', 1), { name: 'b' }]))).toBe('');
});

const all = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } };
const restartsAll = pod({
  restartPolicy: 'Never',
  init: [{ name: 'i' }],
  containers: [{ name: 'a' }, { name: 'b', restartPolicy: 'Never', restartPolicyRules: [all] } as Partial<Container>],
});
const bHash = containerHash({ name: 'b', image, restartPolicy: 'Never', restartPolicyRules: [all] } as Container);
const first = { createdAtMs: 10, finishedAtMs: 50 };
const second = { createdAtMs: 60, finishedAtMs: 70 };

test.each<[string, Run[], string]>([
  [
    'what still runs is stopped first',
    [{ name: 'a', createdAtMs: 10 }, exited('b', 88, first), exited('i', 0, first)],
    'kill a (killing)',
  ],
  [
    'then it begins with the init containers',
    [exited('a', 137, first), exited('b', 88, first), exited('i', 0, first)],
    'start i#1',
  ],
  [
    'which run to their end',
    [
      { name: 'i', id: 'i2', ...second, restartCount: 1 },
      exited('a', 137, first),
      exited('b', 88, first),
      exited('i', 0, first),
    ],
    '',
  ],
  [
    'before all others start, whatever their policy',
    [
      exited('i', 0, { ...second, restartCount: 1 }),
      exited('a', 0, first),
      exited('b', 88, first),
      exited('i', 0, first),
    ],
    'start a#1, start b#1',
  ],
  [
    'once',
    [
      { name: 'b', hash: bHash, createdAtMs: 80, restartCount: 1 },
      exited('a', 0, { createdAtMs: 80, finishedAtMs: 90, restartCount: 1 }),
      exited('i', 0, { ...second, restartCount: 1 }),
      exited('a', 137, first),
      exited('b', 88, first),
    ],
    '',
  ],
  [
    'other ends are not answered with it',
    [exited('a', 0, first), exited('b', 1, first), exited('i', 0, first)],
    'killPod',
  ],
])('a restart of all containers: %s', (_name, runs, expected) => {
  expect(summary(restartsAll, runtime(runs))).toBe(expected);
});

test('back-off counts from the run that had ended before a probe has the next one killed', () => {
  const failed = (): ContainerHealth => ({ started: true, livenessFailed: true });
  const first = planPod({ pod: pod({}), runtime: runtime([{ name: 'a' }]), health: failed });
  expect(first.start).toMatchObject([{ restartCount: 1, ended: undefined }]);
  const runs = [{ name: 'a', id: 'second', restartCount: 1 }, exited('a', 137, { id: 'first' })];
  const second = planPod({ pod: pod({}), runtime: runtime(runs), health: failed });
  expect(second.start).toMatchObject([{ restartCount: 2, ended: { id: 'first' } }]);
});
