import { expect, test } from 'vitest';
import { ConfigError, type NodeManagers } from '../config/index.ts';
import { kubeletManagers } from './kubelet-managers.ts';

const managers: NodeManagers = {
  cpuManagerPolicy: 'none',
  cpuManagerPolicyOptions: [],
  reservedCPUs: [],
  memoryManagerPolicy: 'None',
  reservedMemory: [],
  topologyManagerPolicy: 'none',
  topologyManagerScope: 'container',
  topologyManagerPolicyOptions: [],
};
const isStatic = { cpuManagerPolicy: 'static' };

test('options become fields of the configuration', () => {
  const configuration = kubeletManagers({
    cpuManagerPolicy: 'static',
    cpuManagerPolicyOptions: ['full-pcpus-only=true', 'distribute-cpus-across-numa=false'],
    reservedCPUs: ['0-1', '4'],
    memoryManagerPolicy: 'Static',
    reservedMemory: ['0:memory=1Gi', 'hugepages-2Mi=4Mi;1:memory=2Gi'],
    topologyManagerPolicy: 'single-numa-node',
    topologyManagerScope: 'pod',
    topologyManagerPolicyOptions: ['max-allowable-numa-nodes=16'],
  });
  expect(configuration).toEqual({
    cpuManagerPolicy: 'static',
    cpuManagerPolicyOptions: { 'full-pcpus-only': 'true', 'distribute-cpus-across-numa': 'false' },
    reservedSystemCPUs: '0-1,4',
    memoryManagerPolicy: 'Static',
    reservedMemory: [
      { numaNode: 0, limits: { memory: '1Gi', 'hugepages-2Mi': '4Mi' } },
      { numaNode: 1, limits: { memory: '2Gi' } },
    ],
    topologyManagerPolicy: 'single-numa-node',
    topologyManagerScope: 'pod',
    topologyManagerPolicyOptions: { 'max-allowable-numa-nodes': '16' },
  });
});

test.each<[Partial<NodeManagers>, string]>([
  [{ cpuManagerPolicy: 'dynamic' }, '--cpu-manager-policy: "dynamic" is not one of none, static'],
  [{ ...isStatic, cpuManagerPolicyOptions: ['full'] }, '--cpu-manager-policy-options: "full" is not NAME=VALUE'],
  [
    { ...isStatic, cpuManagerPolicyOptions: ['fast=true'] },
    '--cpu-manager-policy-options: unknown CPU Manager Policy option: "fast"',
  ],
  [
    { ...isStatic, cpuManagerPolicyOptions: ['align-by-socket=true'] },
    'Alpha-level Options not enabled, but option "align-by-socket" provided',
  ],
  [{ ...isStatic, cpuManagerPolicyOptions: ['full-pcpus-only=1'] }, 'bad value for option "full-pcpus-only": "1"'],
  [
    {
      ...isStatic,
      cpuManagerPolicyOptions: ['distribute-cpus-across-numa=true', 'prefer-align-cpus-by-uncorecache=true'],
    },
    'can not be used at the same time',
  ],
  [{ cpuManagerPolicyOptions: ['full-pcpus-only=true'] }, 'options are for the static policy only'],
  [{ reservedCPUs: ['1-x'] }, '--reserved-cpus: "1-x" is not a list of CPUs like 0-3,7'],
  [{ memoryManagerPolicy: 'static' }, '--memory-manager-policy: "static" is not one of None, Static'],
  [{ memoryManagerPolicy: 'Static' }, '--reserved-memory: the Static memory manager policy needs'],
  [{ reservedMemory: ['0:memory=1Gi'] }, '--reserved-memory: reserved memory is for the Static'],
  [{ reservedMemory: ['memory=1Gi'] }, '--reserved-memory: "memory=1Gi" is not NODE:memory=QUANTITY'],
  [{ reservedMemory: ['0:cpu=1'] }, 'the limit type "cpu" for NUMA node 0 is not supported'],
  [{ reservedMemory: ['0:memory=some'] }, 'the limit "some" of "memory" for NUMA node 0 is not an amount'],
  [{ reservedMemory: ['0:memory=1Gi', '0:memory=2Gi'] }, 'duplicate value for NUMA node 0 and resource "memory"'],
  [{ topologyManagerPolicy: 'strict' }, '--topology-manager-policy: "strict" is not one of none, best-effort'],
  [{ topologyManagerScope: 'node' }, '--topology-manager-scope: "node" is not one of container, pod'],
  [
    { topologyManagerPolicyOptions: ['max-allowable-numa-nodes=4'] },
    '--topology-manager-policy-options: the value of "max-allowable-numa-nodes" must be a number of at least 8',
  ],
  [{ topologyManagerPolicyOptions: ['near=true'] }, 'unknown Topology Manager Policy option: "near"'],
])('%j is refused', (wrong, message) => {
  expect(() => kubeletManagers({ ...managers, ...wrong })).toThrow(ConfigError);
  expect(() => kubeletManagers({ ...managers, ...wrong })).toThrow(message);
});
