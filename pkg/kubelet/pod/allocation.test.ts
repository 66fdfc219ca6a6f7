import { expect, test } from 'vitest';
import type { Pod } from '../types.ts';
import {
  allocationFromStatus,
  allocationOf,
  changedResources,
  pinnedRefusal,
  resizeRefusal,
  resizeSummary,
  withAllocation,
} from './allocation.ts';

const GiB = 2 ** 30;
const pod = (requests: Record<string, string>, status: object = {}, annotations: object = {}): Pod =>
  ({
    metadata: { name: 'p', uid: 'u', annotations },
    spec: { containers: [{ name: 'main', resources: { requests } }] },
    status,
  }) as unknown as Pod;

test('what was given stands in for what is asked for', () => {
  const given = allocationOf(pod({ cpu: '1' }));
  const running = withAllocation(pod({ cpu: '2' }), given);
  expect(running.spec.containers[0]?.resources).toEqual({ requests: { cpu: '1' } });
});

test('after a restart of the kubelet the status tells what was given', () => {
  const main = {
    name: 'main',
    containerID: 'x://1',
    allocatedResources: { cpu: '1' },
    resources: { limits: { cpu: '3' } },
  };
  expect(allocationFromStatus(pod({ cpu: '2' }, { containerStatuses: [main] })).get('main')).toEqual({
    requests: { cpu: '1' },
    limits: { cpu: '3' },
  });
  expect(allocationFromStatus(pod({ cpu: '2' })).get('main')).toEqual({ requests: { cpu: '2' } });
});

test.each<[string, Pod, Pod[], string | undefined]>([
  ['it fits', pod({ cpu: '1' }), [pod({ cpu: '3' })], undefined],
  [
    'not beside the others',
    pod({ cpu: '2' }),
    [pod({ cpu: '3' })],
    "Deferred: Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000",
  ],
  [
    'never',
    pod({ memory: '9Gi' }),
    [],
    `Infeasible: Node didn't have enough capacity: memory, requested: ${9 * GiB}, capacity: ${8 * GiB}`,
  ],
  [
    'not of a file',
    pod({ cpu: '1' }, {}, { 'kubernetes.io/config.source': 'file' }),
    [],
    'Infeasible: In-place resize of static-pods is not supported',
  ],
])('%s', (_, wanted, others, expected) => {
  const refusal = resizeRefusal(wanted, others, { cpu: '4', memory: '8Gi' });
  expect(refusal && `${refusal.reason}: ${refusal.message}`).toBe(expected);
});

test('only CPU and memory are compared', () => {
  const before = { requests: { cpu: '1', memory: '1Gi' }, limits: { 'example.com/x': '1' } };
  expect(changedResources(before, { requests: { cpu: '1', memory: '2Gi' } })).toEqual(['memory']);
  expect(changedResources(before, { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1' } })).toEqual(['cpu']);
});

test.each<[string, Record<string, string>, { cpus?: object; memory?: object }, boolean, string | undefined]>([
  ['CPUs of its own', { cpu: '2', memory: '1Gi' }, { cpus: {} }, true, 'CPU Manager policy "static"'],
  ['memory of its own', { cpu: '1', memory: '2Gi' }, { cpus: {}, memory: {} }, true, 'Memory Manager policy "Static"'],
  ['memory of any node', { cpu: '1', memory: '2Gi' }, { cpus: {} }, true, undefined],
  ['shared CPUs', { cpu: '2', memory: '1Gi' }, {}, true, undefined],
  ['CPUs of a Burstable pod', { cpu: '2', memory: '1Gi' }, { cpus: {} }, false, undefined],
])('a resize of %s', (_, after, { cpus, memory }, isGuaranteed, policy) => {
  const guaranteed = (amounts: Record<string, string>): Pod => {
    const resources = { requests: amounts, ...(isGuaranteed ? { limits: amounts } : {}) };
    return { ...pod({}), spec: { containers: [{ name: 'main', resources }] } } as unknown as Pod;
  };
  const before = allocationOf(guaranteed({ cpu: '1', memory: '1Gi' }));
  expect(pinnedRefusal(guaranteed(after), before, { cpus, memory })).toEqual(
    policy && { reason: 'Infeasible', message: `Resize is infeasible for Guaranteed Pods alongside ${policy}` },
  );
});

test('events tell of amounts in one order', () => {
  const resources = { requests: { memory: '1Mi', cpu: '1' }, limits: { cpu: '2' } };
  const asked = { ...pod({}), spec: { containers: [{ name: 'main', resources }] } } as unknown as Pod;
  expect(resizeSummary(asked, 3)).toBe(
    '{"containers":[{"name":"main","resources":{"limits":{"cpu":"2"},"requests":{"cpu":"1","memory":"1Mi"}}}],"generation":3}',
  );
});

test('init containers have what they were given too', () => {
  const init = { ...pod({}), spec: { containers: [], initContainers: [{ name: 'i', resources: {} }] } };
  expect([...allocationOf(init as unknown as Pod).keys()]).toEqual(['i']);
});

test('a pod has amounts as a whole, also after a restart of the kubelet', () => {
  const asking = (cpu: string, status: object = {}): Pod => {
    const spec = { containers: [{ name: 'main' }], resources: { requests: { cpu }, limits: { memory: '8Mi' } } };
    return { ...pod({}), spec, status } as unknown as Pod;
  };
  const given = allocationOf(asking('1'));
  expect(withAllocation(asking('2'), given).spec.resources?.requests).toEqual({ cpu: '1' });
  const status = { allocatedResources: { cpu: '1', memory: '9Mi' }, resources: { limits: { memory: '4Mi' } } };
  expect(allocationFromStatus(asking('2', status)).get('')).toEqual({
    requests: { cpu: '1' },
    limits: { memory: '4Mi' },
  });
});
