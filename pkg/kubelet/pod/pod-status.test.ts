import { expect, test } from 'vitest';
import type { PodRuntime, RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Pod, PodStatus } from '../types.ts';
import { type PodStatusInput, podStatus, rejectedStatus } from './pod-status.ts';

const NOW = Date.UTC(2026, 0, 1);
type More = Partial<PodStatusInput> & { readonly old?: PodStatus; readonly deletionTimestamp?: string };
type Run = Partial<RuntimeContainer> & { name: string };

function status(spec: object, runs: Run[], more: More = {}): PodStatus {
  const containers = [{ name: 'a', image: 'i' }];
  const pod = {
    metadata: { name: 'p', namespace: 'n', uid: 'u', generation: 2, deletionTimestamp: more.deletionTimestamp },
    spec: { restartPolicy: 'Always', containers, ...spec },
    status: more.old ?? {},
  } as unknown as Pod;
  const runtime: PodRuntime = {
    sandboxes: [{ id: 's', ready: true, attempt: 0, createdAtMs: 0, ips: ['10.0.0.1'] }],
    containers: runs.map((run, index) => ({
      id: `${run.name}${index}`,
      sandboxID: 's',
      state: 'running',
      restartCount: 0,
      exitCode: 0,
      reason: '',
      image: 'i',
      imageID: 'sha256:1',
      startedAtMs: NOW,
      finishedAtMs: NOW,
      ...run,
    })) as RuntimeContainer[],
  };
  return podStatus({
    pod,
    runtime,
    runtimeName: 'containerd',
    waiting: () => undefined,
    health: () => ({ started: true, ready: true }),
    terminationMessage: () => '',
    nowMs: NOW,
    hostIPs: ['192.0.2.1'],
    finished: false,
    ...more,
  });
}

const conditions = ({ conditions: list = [] }: PodStatus): string =>
  list
    .map((condition) => `${condition.type}=${condition.status[0]}${condition.reason ? `/${condition.reason}` : ''}`)
    .join(' ');
const ended = (name: string, exitCode: number): Run => ({ name, state: 'exited', exitCode });

const ruled = (values: number[]): object => ({
  name: 'a',
  restartPolicy: 'Never',
  restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values } }],
});

test('a running pod', () => {
  const result = status({}, [{ name: 'a' }]);
  expect(result).toMatchObject({ phase: 'Running', podIP: '10.0.0.1', hostIP: '192.0.2.1', observedGeneration: 2 });
  expect(conditions(result)).toBe('PodReadyToStartContainers=T Initialized=T Ready=T ContainersReady=T PodScheduled=T');
  expect(result.containerStatuses?.[0]).toMatchObject({ ready: true, started: true, containerID: 'containerd://a0' });
});

test.each<[string, object, Run[], boolean, string]>([
  ['nothing yet', {}, [], false, 'Pending'],
  ['crashed, Always', {}, [ended('a', 1)], false, 'Running'],
  ['succeeded, OnFailure', { restartPolicy: 'OnFailure' }, [ended('a', 0)], true, 'Succeeded'],
  ['failed, Never', { restartPolicy: 'Never' }, [ended('a', 1)], true, 'Failed'],
  ['held back until the pod is stopped', { restartPolicy: 'Never' }, [ended('a', 1)], false, 'Pending'],
  ['stopped by the kubelet', {}, [ended('a', 0)], true, 'Succeeded'],
  ['killed by the kubelet', {}, [ended('a', 137)], true, 'Failed'],
  [
    'its own Always',
    { restartPolicy: 'Never', containers: [{ name: 'a', restartPolicy: 'Always' }] },
    [ended('a', 1)],
    false,
    'Running',
  ],
  ['its own Never', { containers: [{ name: 'a', restartPolicy: 'Never' }] }, [ended('a', 0)], true, 'Succeeded'],
  ['a rule restarts it', { restartPolicy: 'Never', containers: [ruled([42])] }, [ended('a', 42)], false, 'Running'],
  ['no rule restarts it', { restartPolicy: 'Never', containers: [ruled([42])] }, [ended('a', 1)], true, 'Failed'],
  ['init runs', { initContainers: [{ name: 'i' }] }, [{ name: 'i' }], false, 'Pending'],
  ['init failed, Never', { restartPolicy: 'Never', initContainers: [{ name: 'i' }] }, [ended('i', 1)], true, 'Failed'],
])('phase: %s', (_, spec, runs, finished, phase) => {
  expect(status(spec, runs, { finished }).phase).toBe(phase);
});

test('app containers are told of by name, conditions by spec; what the runtime has tells of its resources', () => {
  const requests = { cpu: '1' };
  const containers = [{ name: 'z', image: 'i', resources: { requests } }, { name: 'b', image: 'i' }, { name: 'a' }];
  const result = status({ containers }, [{ name: 'z' }, { name: 'b' }], {
    health: () => ({ started: true, ready: false }),
  });
  expect(
    result.containerStatuses?.map(({ name, resources, allocatedResources }) => [name, resources, allocatedResources]),
  ).toEqual([
    ['a', undefined, undefined],
    ['b', {}, undefined],
    ['z', { requests }, requests],
  ]);
  const ready = result.conditions?.find(({ type }) => type === 'Ready');
  expect(ready?.message).toBe('containers with unready status: [z b a]');
});

test('why a container waits replaces its state, which becomes the last one', () => {
  const result = status({}, [ended('a', 1)], { waiting: () => ({ reason: 'CrashLoopBackOff', message: 'm' }) });
  expect(result.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'CrashLoopBackOff', message: 'm' } });
  expect(result.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({ exitCode: 1, reason: 'Error' });
});

test('what is deleted is not about to start again', () => {
  const waiting = (): { reason: string; message: string } => ({ reason: 'CrashLoopBackOff', message: 'm' });
  const result = status({}, [ended('a', 1)], { waiting, deletionTimestamp: '2026-01-01T00:00:00Z' });
  expect(result.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 1, reason: 'Error' });
});

test('readiness gates and foreign conditions', () => {
  const spec = { readinessGates: [{ conditionType: 'x/y' }] };
  expect(conditions(status(spec, [{ name: 'a' }]))).toContain('Ready=F/ReadinessGatesNotReady');
  const old = { conditions: [{ type: 'x/y', status: 'True' }] };
  expect(conditions(status(spec, [{ name: 'a' }], { old }))).toBe(
    'x/y=T PodReadyToStartContainers=T Initialized=T Ready=T ContainersReady=T PodScheduled=T',
  );
});

test('transition times stay while the status stays', () => {
  const first = status({}, [{ name: 'a' }]);
  const second = status({}, [{ name: 'a' }], { old: first, nowMs: NOW + 60_000 });
  expect(second.conditions).toEqual(first.conditions);
});

test('the kubelet’s own verdict', () => {
  const failure = { reason: 'DeadlineExceeded', message: 'too long' };
  const running = status({}, [{ name: 'a' }], { failure, old: { phase: 'Running' } });
  expect([running.phase, running.reason]).toEqual(['Running', undefined]);
  expect(conditions(running)).toContain('Ready=F/PodFailed');
  expect(status({}, [ended('a', 0)], { failure, finished: true })).toMatchObject({ phase: 'Failed', ...failure });
});

test('a pod that ended before it began: what is taken to have failed is no reason of its conditions', () => {
  const waits = status({}, [], { finished: true });
  expect(waits.phase).toBe('Failed');
  expect(conditions(waits)).toContain('Ready=F/ContainersNotReady ContainersReady=F/ContainersNotReady');
  expect(waits.containerStatuses?.[0]?.state?.terminated?.reason).toBe('ContainerStatusUnknown');
  const spec = { initContainers: [{ name: 'i1' }, { name: 'i2' }, { name: 'i3' }] };
  const runs = [ended('i1', 0), ended('i2', 137)];
  const inInit = status(spec, runs, { finished: true, old: status(spec, [ended('i1', 0), { name: 'i2' }]) });
  const reasons = (list: PodStatus['containerStatuses']): unknown[] =>
    (list ?? []).map(({ state }) => state?.waiting?.reason ?? state?.terminated?.reason);
  expect(reasons(inInit.initContainerStatuses)).toEqual(['Completed', 'Error', 'PodInitializing']);
  expect(reasons(inInit.containerStatuses)).toEqual(['PodInitializing']);
});

test('an end is remembered when the runtime has nothing of it any more', () => {
  const first = status({}, [{ ...ended('a', 42), id: 'first' }]);
  const second = status({}, [{ name: 'a', id: 'second', restartCount: 1 }], { old: first });
  expect(second.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({ exitCode: 42 });
  const later = status({}, [{ name: 'a', id: 'second', restartCount: 1 }], { old: second });
  expect(later.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({ exitCode: 42 });
  const going = { old: second, deletionTimestamp: '2026-01-01T00:00:00Z' };
  expect(status({}, [{ name: 'a', id: 'second' }], going).containerStatuses?.[0]?.lastState).toEqual({});
});

test('a restart of all containers takes their runs away', () => {
  const rules = [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } }];
  const spec = { containers: [{ name: 'a', restartPolicyRules: rules }, { name: 'b' }] };
  const runs = [
    { ...ended('a', 42), createdAtMs: NOW - 9, finishedAtMs: NOW },
    { ...ended('b', 137), createdAtMs: NOW - 9 },
  ];
  const waits = status(spec, runs);
  const why = { reason: 'RestartingAllContainers', message: expect.stringContaining('in place') as string };
  expect(waits.containerStatuses).toMatchObject(
    ['a', 'b'].map((name) => ({ name, restartCount: 1, state: { waiting: why }, lastState: { terminated: why } })),
  );
  const again = status(spec, [{ name: 'a', id: 'x', createdAtMs: NOW + 1, restartCount: 1 }, ...runs], { old: waits });
  expect(again.containerStatuses?.[0]).toMatchObject({ state: { running: {} }, lastState: { terminated: why } });
});

test('termination messages share the room that a pod has for them', () => {
  const containers = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, image: 'i' }));
  const result = status({ containers }, [ended('a', 1)], { terminationMessage: () => 'x'.repeat(4096) });
  expect(result.containerStatuses?.[0]?.state?.terminated?.message).toHaveLength(2457);
});

test('what a pod has as a whole', () => {
  const containers = [
    { name: 'a', image: 'i', resources: { limits: { cpu: '1', 'example.com/x': '2' } } },
    { name: 'b', image: 'i', resources: { requests: { 'ephemeral-storage': '1Mi' } } },
  ];
  const requests = { cpu: '100m', memory: '33Mi' };
  const spec = { containers, resources: { requests } };
  const all = { ...requests, 'ephemeral-storage': '1Mi' };
  expect(status(spec, [])).toMatchObject({
    allocatedResources: all,
    resources: { requests: all, limits: { cpu: '1', 'example.com/x': '2' } },
  });
  expect(status(spec, [{ name: 'a' }, { name: 'b' }]).resources).toEqual({ requests, limits: { cpu: '1' } });
  expect(status({ containers }, [])).not.toHaveProperty('resources');
});

test('the user of a container is told where the runtime tells it', () => {
  const user = { uid: 1, gid: 2, supplementalGroups: [3] };
  expect(status({}, [{ name: 'a', user }]).containerStatuses?.[0]?.user).toEqual({ linux: user });
});

test('a pod that is not taken has nothing of the node', () => {
  const old = status({}, [{ name: 'a' }], { old: { conditions: [{ type: 'x/y', status: 'True' }] } });
  const pod = { metadata: { name: 'p', generation: 2 }, spec: { containers: [{ name: 'a' }] }, status: old };
  const result = rejectedStatus(pod as unknown as Pod, { reason: 'OutOfcpu', message: 'too much' }, NOW);
  expect(result).toEqual({
    observedGeneration: 2,
    phase: 'Failed',
    reason: 'OutOfcpu',
    message: 'Pod was rejected: too much',
    conditions: [expect.objectContaining({ type: 'x/y' })],
    qosClass: 'BestEffort',
    startTime: '2026-01-01T00:00:00Z',
  });
});
