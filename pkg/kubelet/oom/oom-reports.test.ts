import { expect, test } from 'vitest';
import { parseKernelRecord } from './kernel-log.ts';
import { OOMReports } from './oom-reports.ts';

test.each([
  ['6,45938,42398903074,-;br0: port 3; forwarding', { sequence: 45_938, message: 'br0: port 3; forwarding' }],
  ['4,7,1,-,caller=T12;x', { sequence: 7, message: 'x' }],
  [' SUBSYSTEM=pci', undefined],
  ['', undefined],
])('%j', (line, record) => {
  expect(parseKernelRecord(line)).toEqual(record);
});

const BEGIN =
  'python invoked oom-killer: gfp_mask=0x14280ca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0, oom_score_adj=0';
const killed = (pid: number, name: string): string =>
  `Out of memory: Killed process ${pid} (${name}) total-vm:1kB, anon-rss:1kB, UID:0 pgtables:1kB oom_score_adj:0`;

test.each([
  [
    'a new kernel, the machine',
    [
      'oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/user,task=py,pid=12,uid=0',
      killed(12, 'py thon'),
    ],
    [{ cgroup: '/', process: 'py thon', pid: 12 }],
  ],
  [
    'a new kernel, a limit',
    [
      'oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=ab,mems_allowed=0,oom_memcg=/kubepods/a,task_memcg=/kubepods/a/b,task=py,pid=12,uid=0',
      'Memory cgroup out of memory: Killed process 12 (py) total-vm:1kB',
    ],
    [{ cgroup: '/kubepods/a', process: 'py', pid: 12 }],
  ],
  [
    'an old kernel, a limit',
    ['Task in /kubepods/a/b killed as a result of limit of kubepods/a', 'Killed process 7 (sh) total-vm:1kB'],
    [{ cgroup: '/kubepods/a', process: 'sh', pid: 7 }],
  ],
  ['an old kernel, the machine', ['Mem-Info:', 'Killed process 7 (sh)'], [{ cgroup: '/', process: 'sh', pid: 7 }]],
  [
    'one after the other',
    [killed(1, 'a'), killed(2, 'b'), BEGIN, killed(3, 'c')],
    [1, 3].map((pid) => expect.objectContaining({ pid })),
  ],
])('%s', (_, messages, expected) => {
  const reports = new OOMReports();
  const found = [killed(99, 'nobody asked'), BEGIN, ...messages].map((message) => reports.add(message));
  expect(found.filter((report) => report !== undefined)).toEqual(expected);
});
