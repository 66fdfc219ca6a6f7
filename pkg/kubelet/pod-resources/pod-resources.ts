import { ascending } from '../cpus/cpu-set.ts';
import type { StaticCPUs } from '../cpus/static-cpus.ts';
import type { DeviceManager, PlacedDevice } from '../devices/device-manager.ts';
import type { ClaimManager } from '../dra/claim-manager.ts';
import type { PreparedClaim } from '../dra/prepared-claims.ts';
import type { MemoryBlock } from '../memory/memory-state.ts';
import type { StaticMemory } from '../memory/static-memory.ts';
import { isSidecar, type Pod } from '../types.ts';

interface Topology {
  readonly nodes: readonly { readonly id: number }[];
}

interface DeviceGroup {
  readonly resourceName: string;
  readonly deviceIds: readonly string[];
  readonly topology?: Topology;
}

interface MemoryGroup {
  readonly memoryType: string;
  readonly size: number;
  readonly topology: Topology;
}

interface ClaimGroup {
  readonly claimName: string;
  readonly claimNamespace: string;
  readonly claimResources: readonly {
    readonly cdiDevices: readonly { readonly name: string }[];
    readonly driverName: string;
    readonly poolName: string;
    readonly deviceName: string;
    readonly shareId?: string;
  }[];
}

interface Amounts {
  readonly devices: readonly DeviceGroup[];
  readonly cpuIds: readonly number[];
  readonly memory: readonly MemoryGroup[];
}

export interface ContainerResources extends Amounts {
  readonly name: string;
  readonly dynamicResources: readonly ClaimGroup[];
}

export interface PodResources {
  readonly name: string;
  readonly namespace: string;
  readonly containers: readonly ContainerResources[];
}

export interface Givers {
  readonly devices: DeviceManager;
  readonly claims: ClaimManager;
  readonly cpus: StaticCPUs | undefined;
  readonly memory: StaticMemory | undefined;
}

/** What the containers of a pod have to themselves: sidecars and app containers, as upstream. */
export function podResources(pod: Pod, { devices, claims, cpus, memory }: Givers): PodResources {
  const { metadata, spec } = pod;
  const { uid, name, namespace } = metadata;
  const containers = [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers];
  return {
    name,
    namespace,
    containers: containers.map((container) => ({
      name: container.name,
      devices: devices.devicesOf(uid, container.name).map(deviceGroup),
      cpuIds: ascending(cpus?.exclusive(uid, container.name) ?? []),
      memory: (memory?.blocksOf(uid, container.name) ?? []).map(memoryGroup),
      dynamicResources: claims.claimsOf(pod, container).map(claimGroup),
    })),
  };
}

/** What can be given away, whether it is or not. */
export function allocatableResources({ devices, cpus, memory }: Givers): Amounts {
  return {
    devices: devices.allocatableDevices().map(deviceGroup),
    cpuIds: ascending(cpus?.allocatable ?? []),
    memory: (memory?.allocatable ?? []).map(memoryGroup),
  };
}

function deviceGroup({ resource, id, nodes }: PlacedDevice): DeviceGroup {
  const group = { resourceName: resource, deviceIds: [id] };
  return nodes === undefined ? group : { ...group, topology: topologyOf(nodes) };
}

function memoryGroup({ type, size, numaAffinity }: MemoryBlock): MemoryGroup {
  return { memoryType: type, size, topology: topologyOf(numaAffinity) };
}

function claimGroup({ name, namespace, drivers }: PreparedClaim): ClaimGroup {
  const devices = [...drivers].flatMap(([driver, all]) => all.map((device) => ({ driver, ...device })));
  return {
    claimName: name,
    claimNamespace: namespace,
    claimResources: devices.map(({ driver, poolName, deviceName, cdiDeviceIds, shareId }) => ({
      cdiDevices: cdiDeviceIds.map((id) => ({ name: id })),
      driverName: driver,
      poolName,
      deviceName,
      ...(shareId === '' ? {} : { shareId }),
    })),
  };
}

function topologyOf(nodes: readonly number[]): Topology {
  return { nodes: nodes.map((id) => ({ id })) };
}
