import { describe, expect, test } from 'vitest';
import { formatCPUSet, parseCPUSet } from './cpu-set.ts';
import { CPUTopology, type LogicalCPU } from './cpu-topology.ts';
import { takeDistributed } from './take-distributed.ts';
import { takePacked } from './take-packed.ts';

function topology(
  count: number,
  place: (id: number) => Omit<LogicalCPU, 'id' | 'uncoreCache'>,
  perCache?: number,
): CPUTopology {
  return new CPUTopology(
    Array.from({ length: count }, (_, id) => {
      const { core, socket, numaNode } = place(id);
      return { id, core, socket, numaNode, uncoreCache: perCache === undefined ? socket : Math.floor(core / perCache) };
    }),
  );
}

/** 8 CPUs: four cores of two threads. */
const oneSocketHT = topology(8, (id) => ({ core: id % 4, socket: 0, numaNode: 0 }));
/** 12 CPUs: even ones on socket 0, odd ones on socket 1, 6 is the sibling of 0. */
const twoSocketsHT = topology(12, (id) => ({ core: id % 6, socket: id % 2, numaNode: id % 2 }));
/** 80 CPUs: two sockets of two NUMA nodes of ten cores of two threads. */
const fourNodesHT = topology(80, (id) => ({
  core: id % 40,
  socket: Math.floor((id % 40) / 20),
  numaNode: Math.floor((id % 40) / 10),
}));
/** The same with two sockets per NUMA node. */
const fourSocketsHT = topology(80, (id) => ({
  core: id % 40,
  socket: Math.floor((id % 40) / 10),
  numaNode: Math.floor((id % 40) / 20),
}));
/** 256 CPUs: two sockets of four NUMA nodes of 16 cores of two threads. */
const eightNodesHT = topology(256, (id) => ({
  core: id % 128,
  socket: Math.floor((id % 128) / 64),
  numaNode: Math.floor((id % 128) / 16),
}));
const caches = topology(16, (id) => ({ core: id, socket: 0, numaNode: 0 }), 4);
const cachesHT = topology(16, (id) => ({ core: id % 8, socket: 0, numaNode: 0 }), 4);

describe('packed', () => {
  test.each<[string, CPUTopology, string, number, string]>([
    ['nothing', oneSocketHT, '0-7', 0, ''],
    ['one CPU', oneSocketHT, '0-7', 1, '0'],
    ['the free half of a core before a whole one', oneSocketHT, '1,3,5-7', 1, '6'],
    ['a whole core', oneSocketHT, '0-7', 2, '0,4'],
    ['the only core that is wholly free', oneSocketHT, '0-3,6', 2, '2,6'],
    ['everything', oneSocketHT, '0-7', 8, '0-7'],
    ['a socket', twoSocketsHT, '0-11', 6, '0,2,4,6,8,10'],
    ['the socket with fewer free CPUs first', twoSocketsHT, '1-5,7-11', 1, '2'],
    ['a socket and a core of the next', twoSocketsHT, '0-11', 8, '0-2,4,6-8,10'],
    ['a socket of two nodes', fourNodesHT, '0-79', 40, '0-19,40-59'],
    ['one node', fourNodesHT, '0-79', 20, '0-9,40-49'],
    ['the node beside one that is taken', fourNodesHT, '10-39,50-79', 20, '10-19,50-59'],
    ['a socket and a node', fourNodesHT, '0-79', 60, '0-29,40-69'],
    ['whole units before parts', fourNodesHT, '1-39,41-79', 60, '10-39,50-79'],
    ['three nodes and two cores', fourNodesHT, '0-79', 64, '0-31,40-71'],
    ['a node of two sockets', fourSocketsHT, '0-79', 40, '0-19,40-59'],
    ['a socket of a node', fourSocketsHT, '1-79', 20, '10-19,50-59'],
  ])('%s', (_, machine, available, count, expected) => {
    const taken = takePacked(machine, parseCPUSet(available), count, { preferUncoreCache: false });
    expect(formatCPUSet(taken)).toBe(expected);
  });

  test.each<[string, CPUTopology, string, number, string]>([
    ['whole caches and a part of one', caches, '1-15', 10, '1-2,4-11'],
    ['one cache', caches, '2-15', 4, '4-7'],
    ['the cache that all fits in', cachesHT, '2-7,10-15', 6, '4-6,12-14'],
    ['a whole cache and a core', cachesHT, '1-7,9-15', 10, '1,4-7,9,12-15'],
    ['an odd number', cachesHT, '0-15', 3, '0-1,8'],
    ['no cache is large enough', caches, '0-1,4-5,8-9', 3, '0-1,4'],
  ])('by caches: %s', (_, machine, available, count, expected) => {
    const taken = takePacked(machine, parseCPUSet(available), count, { preferUncoreCache: true });
    expect(formatCPUSet(taken)).toBe(expected);
  });

  test('too few', () => {
    expect(() => takePacked(oneSocketHT, parseCPUSet('0,2,4,6'), 5, { preferUncoreCache: false })).toThrow(
      'not enough cpus available to satisfy request: requested=5, available=4',
    );
  });
});

describe('distributed', () => {
  test.each<[string, CPUTopology, string, number, number, string]>([
    ['one node is enough', fourNodesHT, '0-79', 20, 1, '0-9,40-49'],
    ['two cores of each socket', twoSocketsHT, '0-11', 8, 1, '0-3,6-9'],
    ['eight cores of each node', fourNodesHT, '0-79', 64, 1, '0-7,10-17,20-27,30-37,40-47,50-57,60-67,70-77'],
    ['eight cores of three nodes', fourNodesHT, '0-79', 48, 1, '0-7,10-17,20-27,40-47,50-57,60-67'],
    ['a node that has just enough', fourNodesHT, '1-29,32-39,41-69,72-79', 48, 1, '1-8,10-17,20-27,41-48,50-57,60-67'],
    [
      'what leaves the machine most even',
      fourNodesHT,
      '2-29,31-39,42-69,71-79',
      48,
      1,
      '10-17,20-27,31-38,50-57,60-67,71-78',
    ],
    ['an odd number per node', fourNodesHT, '0-79', 26, 1, '0-6,10-16,40-45,50-55'],
    ['whole cores only', fourNodesHT, '0-79', 26, 2, '0-6,10-15,40-46,50-55'],
    ['one more on two nodes', fourNodesHT, '0-79', 62, 1, '0-7,10-17,20-27,30-37,40-47,50-57,60-66,70-76'],
    ['a core more on three nodes', fourNodesHT, '0-79', 62, 2, '0-7,10-17,20-27,30-36,40-47,50-57,60-67,70-76'],
    [
      'more from the nodes with more',
      fourNodesHT,
      '0-8,10-18,20-39,40-48,50-58,60-79',
      62,
      1,
      '0-7,10-17,20-27,30-37,40-46,50-56,60-67,70-77',
    ],
    [
      'the rest from the node that has it',
      fourNodesHT,
      '0-3,10-13,20-23,30-36,40-43,50-53,60-63,70-76',
      34,
      1,
      '0-3,10-13,20-23,30-34,40-43,50-53,60-63,70-74',
    ],
    [
      'few free ones on many nodes',
      eightNodesHT,
      '0,128,30,31,158,159,43-47,171-175,62,63,190,191,75-79,203-207,94,96,222,223,101-111,229-239,126,127,254,255',
      28,
      1,
      '43-47,75-79,96,101-105,171-174,203-206,229-232',
    ],
    ['what does not go in groups is packed', twoSocketsHT, '1-5,7-11', 1, 2, '2'],
    ['the node with more first', twoSocketsHT, '1-5,7-11', 1, 1, '1'],
  ])('%s', (_, machine, available, count, group, expected) => {
    expect(formatCPUSet(takeDistributed(machine, parseCPUSet(available), count, group))).toBe(expected);
  });
});

test.each(['0', '0-3', '0-3,5,7-8', ''])('the list %j', (text) => {
  expect(formatCPUSet(parseCPUSet(text))).toBe(text);
});

test.each(['a', '3-1', '0,,1', '-1', '0-70000'])('no list: %j', (text) => {
  expect(() => parseCPUSet(text)).toThrow('is not a list of CPUs');
});
