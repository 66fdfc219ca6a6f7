import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FilesystemUsage } from '../../cri/index.ts';
import type { KubeletContext } from '../context.ts';
import { cadvisorMetrics } from './cadvisor-metrics.ts';
import type { CgroupDetails } from './cgroup-details.ts';
import { CpuRates } from './cpu-rates.ts';
import { Exposition } from './exposition.ts';
import { parseNetworkDevices } from './network-usage.ts';
import { type NodeUsage, parseMeminfo, parseStat } from './node-usage.ts';
import { resourceMetrics } from './resource-metrics.ts';
import { statsSummary } from './summary.ts';
import type { PodUsage } from './usage.ts';

const used = {
  cpu: { usageNanos: 2e9, userNanos: 1e9, systemNanos: 1e9, periods: 0, throttledPeriods: 0, throttledNanos: 0 },
  memory: {
    usageBytes: 200,
    workingSetBytes: 100,
    rssBytes: 50,
    cacheBytes: 20,
    mappedFileBytes: 0,
    activeFileBytes: 11,
    inactiveFileBytes: 12,
    swapBytes: 0,
    peakBytes: 300,
    limitHits: 0,
    pageFaults: 1,
    majorPageFaults: 0,
  },
  threads: 1,
};
const node: NodeUsage = {
  cpuNanos: 5e9,
  memory: { availableBytes: 1, usageBytes: 2, workingSetBytes: 3, rssBytes: 4, swapBytes: 0 },
  totalSwapBytes: 0,
  processes: 1,
  maxProcesses: 2,
  interfaces: [],
  bootedAtMs: 0,
};
const pressure = {
  some: { totalMicros: 2_500_000, avg10: 1.5, avg60: 0, avg300: 0 },
  full: { totalMicros: 500_000, avg10: 0, avg60: 0, avg300: 0 },
};
const details: CgroupDetails = {
  processes: 2,
  maxThreads: 0,
  oomKills: 1,
  kernelBytes: 77,
  devices: [{ device: '/dev/vda', readBytes: 5, reads: 1, writtenBytes: 6, writes: 2 }],
};
const pressures = { cpu: pressure, memory: pressure, io: pressure };
const groups = [{ path: '/kubepods', used, details, pressures }];
const open = { files: 9, sockets: 3 };
const container = { id: 'abc', name: 'main', image: 'i:1', startedAtMs: 500 };
const pods = [
  {
    pod: { metadata: { name: 'p', namespace: 'n', uid: 'u' } },
    path: '/kubepods/podu',
    used,
    interfaces: [{ name: 'eth0', rxBytes: 7, txBytes: 8 }],
    containers: [
      {
        container,
        spec: { resources: { limits: { cpu: '500m' } } },
        path: '/kubepods/podu/abc',
        used,
        details,
        pressures,
        open,
      },
    ],
  },
] as unknown as PodUsage[];

test('resource metrics have what an autoscaler needs, each with the time of its measurement', () => {
  const lines = resourceMetrics(node, pods, 1000).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'node_cpu_usage_seconds_total 5 1000',
      '# TYPE container_cpu_usage_seconds_total counter',
      'container_cpu_usage_seconds_total{container="main",namespace="n",pod="p"} 2 1000',
      'container_memory_working_set_bytes{container="main",namespace="n",pod="p"} 100 1000',
      'container_start_time_seconds{container="main",namespace="n",pod="p"} 0.5',
      'pod_memory_working_set_bytes{namespace="n",pod="p"} 100 1000',
      'resource_scrape_error 0',
    ]),
  );
  expect(lines.filter((line) => line.startsWith('# TYPE container_cpu'))).toHaveLength(1);
});

test('cAdvisor metrics name containers as dashboards expect', () => {
  const layers = new Map([['abc', { usedBytes: { value: 99 } } as FilesystemUsage]]);
  const ids = { machineID: 'm', bootID: 'b', systemUUID: 's' };
  const machine = { cpus: 2, memoryBytes: 10, kernelVersion: '6.1', osImage: 'Linux', ...ids };
  const lines = cadvisorMetrics({ machine, node, groups, pods, layers, nowMs: 1000 }).split('\n');
  const labels = 'container="main",id="/kubepods/podu/abc",image="i:1",name="abc",namespace="n",pod="p"';
  expect(lines).toEqual(
    expect.arrayContaining([
      `container_cpu_usage_seconds_total{${labels},cpu="total"} 2 1000`,
      `container_memory_working_set_bytes{${labels}} 100 1000`,
      `container_fs_usage_bytes{${labels},device=""} 99 1000`,
      `container_spec_cpu_quota{${labels}} 50000`,
      `container_file_descriptors{${labels}} 9 1000`,
      `container_oom_events_total{${labels}} 1 1000`,
      `container_fs_writes_bytes_total{${labels},device="/dev/vda"} 6 1000`,
      `container_pressure_io_waiting_seconds_total{${labels}} 2.5 1000`,
      `container_pressure_cpu_stalled_seconds_total{${labels}} 0.5 1000`,
      'container_memory_working_set_bytes{container="",image="",name="",namespace="",pod="",id="/"} 3 1000',
      'container_processes{container="",image="",name="",namespace="",pod="",id="/kubepods"} 2 1000',
      'container_network_receive_bytes_total{container="",image="",name="",namespace="n",pod="p",id="/kubepods/podu",interface="eth0"} 7 1000',
      'machine_cpu_cores{boot_id="b",machine_id="m",system_uuid="s"} 2',
    ]),
  );
});

test('label values are escaped', () => {
  const out = new Exposition();
  out.add('m', 'gauge', 'help', { a: 'x"y\\z\n' }, 1);
  expect(out.text()).toBe('# HELP m help\n# TYPE m gauge\nm{a="x\\"y\\\\z\\n"} 1\n');
});

test('rates are those between two questions', () => {
  const rates = new CpuRates();
  expect(rates.nanoCores('a', 5e8, 1000, 0)).toBe(5e8);
  expect(rates.nanoCores('a', 9e8, 1500, 0)).toBe(5e8);
  expect(rates.nanoCores('a', 25e8, 3000, 0)).toBe(1e9);
  // Another run of the container counts from its own start.
  expect(rates.nanoCores('a', 1e8, 4000, 3000)).toBe(1e8);
  expect(rates.nanoCores('a', 2e8, 2000, 3000)).toBe(1e8);
  expect(rates.nanoCores('a', 12e8, 4000, 3000)).toBe(5e8);
});

test('tables of the kernel', () => {
  const devices =
    'Inter-|   Receive\n face |bytes\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0:10 2 3 4 0 0 0 0 20 5 6 7 0 0 0 0\n';
  expect(parseNetworkDevices(devices)).toEqual([
    {
      name: 'eth0',
      rxBytes: 10,
      rxPackets: 2,
      rxErrors: 3,
      rxDropped: 4,
      txBytes: 20,
      txPackets: 5,
      txErrors: 6,
      txDropped: 7,
    },
  ]);
  expect(parseStat('cpu  1 2 3 100 50 4 5 6 0 0\nbtime 9\n')).toEqual({ cpuNanos: 21e7, bootedAtMs: 9000 });
  expect(
    parseMeminfo('MemTotal:  100 kB\nMemFree: 40 kB\nInactive(file):   10 kB\nInactive: 99 kB\n').memory,
  ).toMatchObject({
    usageBytes: 60 * 1024,
    workingSetBytes: 50 * 1024,
    availableBytes: 50 * 1024,
  });
});

test('the summary tells what the logs of containers take', async () => {
  const podLogsDir = await mkdtemp(join(tmpdir(), 'summary-'));
  await mkdir(join(podLogsDir, 'n_p_u/main'), { recursive: true });
  await writeFile(join(podLogsDir, 'n_p_u/main/0.log'), 'x'.repeat(5000));
  const options = { nodeName: 'node', nodeIPs: [], rootDir: podLogsDir, podLogsDir };
  const context = { options, deps: { cri: { images: { imageFsInfo: async () => [] } } } } as unknown as KubeletContext;
  const whole = pods.map((one) => ({ ...one, pod: { ...one.pod, status: {} } }));
  const layers = new Map([['abc', { usedBytes: { value: 10 }, inodesUsed: { value: 1 } } as FilesystemUsage]]);
  const input = {
    node: { ...node, pressures },
    groups,
    pods: whole,
    layers,
    volumes: new Map(),
    rates: new CpuRates(),
    nowMs: 1000,
  };
  const summary = (await statsSummary(input as never, context)) as {
    node: { memory: object; cpu: object; io: object; systemContainers: object[] };
    pods: { containers: { logs: { usedBytes: number } }[]; 'ephemeral-storage': { usedBytes: number } }[];
  };
  const [pod] = summary.pods;
  const logged = pod?.containers[0]?.logs.usedBytes ?? 0;
  expect(logged).toBeGreaterThanOrEqual(5000);
  expect(pod?.['ephemeral-storage'].usedBytes).toBe(logged + 10);
  const psi = {
    full: { total: 500_000, avg10: 0, avg60: 0, avg300: 0 },
    some: { total: 2_500_000, avg10: 1.5, avg60: 0, avg300: 0 },
  };
  expect(summary.node).toMatchObject({ cpu: { psi }, memory: { psi }, io: { psi } });
  expect(summary.node.systemContainers).toMatchObject([{ name: 'pods', cpu: { psi } }]);
  expect(pod?.containers[0]).toMatchObject({ cpu: { psi }, io: { psi } });
  expect(summary.node.memory).not.toHaveProperty('swapBytes');
  await rm(podLogsDir, { recursive: true });
});
