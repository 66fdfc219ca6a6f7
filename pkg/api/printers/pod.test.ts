import { expect, test } from 'vitest';
import type { KubeObject } from '../object.ts';
import { podPrinter } from './pod.ts';
import { renderTable } from './table.ts';

const nowMs = Date.parse('2024-01-01T01:00:00Z');
const options = { includeObject: 'None', nowMs, version: 'v1' } as const;
const running = { startedAt: '2024-01-01T00:00:00Z' };
const failed = { exitCode: 1, finishedAt: '2024-01-01T00:59:30Z' };

function pod(spec: object, status: object, metadata: object = {}): KubeObject {
  const own = { name: 'p', namespace: 'd', uid: 'u', resourceVersion: '1', creationTimestamp: '2024-01-01T00:00:00Z' };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...own, ...metadata }, spec, status };
}

const one = { containers: [{ name: 'main' }] };
const two = { containers: [{ name: 'main' }, { name: 'side' }] };
const withInit = { ...one, initContainers: [{ name: 'i1' }, { name: 'i2' }] };
const withSidecar = { ...one, initContainers: [{ name: 's', restartPolicy: 'Always' }] };
const waiting = { name: 'main', state: { waiting: { reason: 'PodInitializing' } } };
const up = { name: 'main', ready: true, state: { running } };

test.each<[string, object, object, [string, string, string]]>([
  ['pending', one, { phase: 'Pending' }, ['0/1', 'Pending', '0']],
  [
    'gated',
    one,
    { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
    ['0/1', 'SchedulingGated', '0'],
  ],
  ['running', one, { phase: 'Running', containerStatuses: [up] }, ['1/1', 'Running', '0']],
  [
    'crashing',
    two,
    {
      phase: 'Running',
      containerStatuses: [
        up,
        {
          name: 'side',
          restartCount: 4,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: failed },
        },
      ],
    },
    ['1/2', 'CrashLoopBackOff', '4 (30s ago)'],
  ],
  [
    'one of two has ended',
    two,
    {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'side', state: { terminated: { exitCode: 0, reason: 'Completed' } } }, up],
    },
    ['1/2', 'Running', '0'],
  ],
  [
    'one of two has ended, not ready',
    two,
    {
      phase: 'Running',
      containerStatuses: [{ name: 'side', state: { terminated: { exitCode: 0, reason: 'Completed' } } }, up],
    },
    ['1/2', 'NotReady', '0'],
  ],
  ['evicted', one, { phase: 'Failed', reason: 'Evicted' }, ['0/1', 'Evicted', '0']],
  [
    'ended without a reason',
    one,
    { phase: 'Failed', containerStatuses: [{ name: 'main', state: { terminated: { exitCode: 3 } } }] },
    ['0/1', 'ExitCode:3', '0'],
  ],
  [
    'killed by a signal',
    one,
    { phase: 'Failed', containerStatuses: [{ name: 'main', state: { terminated: { exitCode: 137, signal: 9 } } }] },
    ['0/1', 'Signal:9', '0'],
  ],
  [
    'initializing',
    withInit,
    {
      phase: 'Pending',
      initContainerStatuses: [
        { name: 'i1', state: { terminated: { exitCode: 0 } } },
        { name: 'i2', state: { running } },
      ],
      containerStatuses: [waiting],
    },
    ['0/1', 'Init:1/2', '0'],
  ],
  [
    'init failed',
    withInit,
    {
      phase: 'Pending',
      initContainerStatuses: [{ name: 'i1', state: { terminated: { exitCode: 2, reason: 'Error' } } }],
      containerStatuses: [waiting],
    },
    ['0/1', 'Init:Error', '0'],
  ],
  [
    'with a sidecar',
    withSidecar,
    {
      phase: 'Running',
      initContainerStatuses: [{ name: 's', started: true, ready: true, restartCount: 1, state: { running } }],
      containerStatuses: [up],
    },
    ['2/2', 'Running', '1'],
  ],
])('%s', (_name, spec, status, expected) => {
  expect(podPrinter.cells(pod(spec, status), nowMs).slice(1, 4)).toEqual(expected);
});

test('terminating, unless it has ended or its node is lost', () => {
  const deleted = { deletionTimestamp: '2024-01-01T00:59:00Z' };
  const status = (more: object) => podPrinter.cells(pod(one, more, deleted), nowMs)[2];
  expect(status({ phase: 'Running', containerStatuses: [up] })).toBe('Terminating');
  expect(status({ phase: 'Succeeded' })).toBe('Succeeded');
  expect(status({ phase: 'Running', reason: 'NodeLost' })).toBe('Unknown');
});

test('wide columns', () => {
  const spec = { ...one, nodeName: 'n1', readinessGates: [{ conditionType: 'A' }, { conditionType: 'B' }] };
  const status = { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }], conditions: [{ type: 'B', status: 'True' }] };
  expect(podPrinter.cells(pod(spec, status), nowMs).slice(4)).toEqual(['60m', '10.0.0.1', 'n1', '<none>', '1/2']);
  expect(podPrinter.cells(pod(one, {}), nowMs).slice(5)).toEqual(['<none>', '<none>', '<none>', '<none>']);
});

test.each([
  ['Succeeded', [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: expect.any(String) }]],
  ['Failed', [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }]],
  ['Running', undefined],
])('rows of pods that are %s', (phase, conditions) => {
  const { rows } = renderTable({ printer: podPrinter }, [pod(one, { phase })], {}, options);
  expect(rows[0]?.conditions).toEqual(conditions);
});
