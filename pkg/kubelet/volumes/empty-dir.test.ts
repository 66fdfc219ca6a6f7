import { expect, test } from 'vitest';
import type { Pod } from '../types.ts';
import { memorySize, pageSize } from './empty-dir.ts';

const pod = (requests: Readonly<Record<string, string>>, limits: Readonly<Record<string, string>> = {}): Pod =>
  ({ spec: { containers: [{ name: 'main', resources: { requests, limits } }] } }) as unknown as Pod;
const MiB = 2 ** 20;

test.each<[string, Readonly<Record<string, string>>, string]>([
  ['HugePages', { 'hugepages-2Mi': '4Mi' }, '2Mi'],
  ['HugePages-2Mi', { 'hugepages-2Mi': '4Mi', 'hugepages-1Gi': '1Gi' }, '2Mi'],
  ['HugePages-1024Mi', { 'hugepages-1Gi': '1Gi' }, '1Gi'],
])('medium %s with requests %j is of pages of %s', (medium, requests, expected) => {
  expect(pageSize(pod(requests), medium)).toBe(expected);
});

test.each<[string, Readonly<Record<string, string>>, string]>([
  ['HugePages', { memory: '4Mi' }, 'there is no resource request for huge pages'],
  ['HugePages-1Gi', { 'hugepages-2Mi': '4Mi' }, 'medium HugePages-1Gi: hugePages storage requested'],
  ['HugePages', { 'hugepages-2Mi': '4Mi', 'hugepages-1Gi': '1Gi' }, "can't be used if container requests multiple"],
])('medium %s with requests %j is refused', (medium, requests, message) => {
  expect(() => pageSize(pod(requests), medium)).toThrow(message);
});

test.each<[string | undefined, string | undefined, string | undefined, number | undefined]>([
  [undefined, undefined, undefined, undefined],
  ['10Mi', undefined, '100Mi', 10 * MiB],
  ['10Mi', '5Mi', '100Mi', 5 * MiB],
  [undefined, undefined, '100Mi', 100 * MiB],
])('size limit %s, memory limit %s, node %s: %s bytes', (sizeLimit, memory, allocatable, expected) => {
  expect(memorySize(pod({}, memory === undefined ? {} : { memory }), sizeLimit, allocatable)).toBe(expected);
});
