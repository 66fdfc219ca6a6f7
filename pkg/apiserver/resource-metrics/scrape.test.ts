import { expect, test } from 'vitest';
import { readScrape } from './scrape.ts';
import { goDuration, rateOf } from './usage-rate.ts';

const TEXT = `# HELP container_cpu_usage_seconds_total what was used
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="main",namespace="n",pod="p"} 1.5 1000
container_memory_working_set_bytes{container="main",namespace="n",pod="p"} 4096 1000
container_start_time_seconds{container="main",namespace="n",pod="p"} 12 1000
container_cpu_usage_seconds_total{container="half",namespace="n",pod="p"} 1 1000
container_memory_working_set_bytes{container="",namespace="n",pod="p"} 1 1000
pod_cpu_usage_seconds_total{namespace="n",pod="p"} 3 1000
node_cpu_usage_seconds_total 20.25 1200
node_memory_working_set_bytes 1e+06 1200
scrape_error 0
`;

test('reads what the kubelet has measured', () => {
  const { node, pods } = readScrape(TEXT, 5000);
  expect(node).toEqual({ cpuSeconds: 20.25, memoryBytes: 1_000_000, atMs: 1200 });
  expect([...pods].map(([pod, containers]) => [pod, Object.fromEntries(containers)])).toEqual([
    ['n/p', { main: { cpuSeconds: 1.5, memoryBytes: 4096, atMs: 1000 } }],
  ]);
});

test('samples without time are of now; a node that says half has none', () => {
  expect(readScrape('node_cpu_usage_seconds_total 1\nnode_memory_working_set_bytes 2\n', 7).node?.atMs).toBe(7);
  expect(readScrape('node_memory_working_set_bytes 2\n', 7).node).toBeUndefined();
  expect(readScrape('node_cpu_usage_seconds_total NaN\nnode_memory_working_set_bytes 2\n', 7).node).toBeUndefined();
});

const at = (atMs: number, cpuSeconds: number, memoryBytes = 2048) => ({ atMs, cpuSeconds, memoryBytes });

test.each([
  [
    'half a core',
    at(0, 1),
    at(10_000, 6),
    { usage: { cpu: '500000000n', memory: '2Ki' }, atMs: 10_000, windowMs: 10_000 },
  ],
  ['nothing', at(0, 1), at(1000, 1, 0), { usage: { cpu: '0', memory: '0' }, atMs: 1000, windowMs: 1000 }],
  ['a restart', at(0, 5), at(1000, 1), undefined],
  ['the same look', at(1000, 5), at(1000, 5), undefined],
  ['the first look', undefined, at(1000, 5), undefined],
  ['gone', at(1000, 5), undefined, undefined],
])('%s', (_, before, now, expected) => {
  expect(rateOf(before, now)).toEqual(expected);
});

test.each([
  [250, '250ms'],
  [15_200, '15.2s'],
  [60_500, '1m0.5s'],
])('%d ms is %s', (ms, text) => {
  expect(goDuration(ms)).toBe(text);
});
