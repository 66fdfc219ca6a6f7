import type { NodeCondition, NodeStatus } from '../../api/generated/types.ts';
import { formatQuantity, milliQuantityOf, quantityMilliValue, quantityOf, quantityValue } from '../../api/quantity.ts';
import type { DeclaredFeature } from '../../api/scheduling/declared-features.ts';
import { formatTime } from '../../api/time.ts';
import { KUBERNETES_VERSION } from '../../api/version.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Image, RuntimeStatus, RuntimeVersion } from '../../cri/index.ts';
import { amountOf, type PressureType, type Threshold } from '../eviction/thresholds.ts';
import type { Node } from '../types.ts';
import type { Machine } from './machine.ts';

export interface NodeStatusInput {
  readonly machine: Machine;
  readonly nodeName: string;
  readonly nodeIPs: readonly string[];
  readonly port: number;
  readonly maxPods: number;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly pressure: ReadonlySet<PressureType>;
  readonly shuttingDown?: boolean;
  /** What device plugins offer, by resource. */
  readonly devices?: {
    readonly capacity: Readonly<Record<string, string>>;
    readonly allocatable: Readonly<Record<string, string>>;
  };
  readonly version: RuntimeVersion | undefined;
  /** Undefined: the runtime does not answer. */
  readonly runtime: RuntimeStatus | undefined;
  readonly images: readonly Image[];
  readonly nowMs: number;
}

const KIB = 1024;
const MAX_IMAGES = 50;
const MAX_NAMES = 5;

export function nodeCapacity(machine: Machine, maxPods: number): Record<string, string> {
  return {
    cpu: String(machine.cpus),
    'ephemeral-storage': `${Math.floor(machine.diskBytes / KIB)}Ki`,
    ...Object.fromEntries([...machine.hugepages].map(([size, bytes]) => [`hugepages-${size}`, pagesText(bytes)])),
    memory: `${Math.floor(machine.memoryBytes / KIB)}Ki`,
    pods: String(maxPods),
  };
}

function pagesText(bytes: number): string {
  return formatQuantity(quantityOf(bytes, 'BinarySI'));
}

export interface KeptFromPods {
  readonly milliCPU: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/** What pods never get: what is reserved, and what hard eviction keeps free. Pure. */
export function keptFromPods(
  machine: Machine,
  reserved: Readonly<Record<string, string>>,
  thresholds: readonly Threshold[],
): KeptFromPods {
  const kept = (signal: Threshold['signal'], capacity: number): number => {
    const hard = thresholds.find((threshold) => threshold.signal === signal && threshold.gracePeriodMs === 0);
    return hard === undefined ? 0 : amountOf(hard.value, capacity);
  };
  const reservedBytes = (resource: string): number => quantityValue(reserved[resource] ?? '0');
  return {
    milliCPU: quantityMilliValue(reserved['cpu'] ?? '0'),
    memoryBytes: reservedBytes('memory') + kept('memory.available', machine.memoryBytes),
    diskBytes: reservedBytes('ephemeral-storage') + kept('nodefs.available', machine.diskBytes),
  };
}

/** What pods may have. Pure. */
export function nodeAllocatable(machine: Machine, maxPods: number, kept: KeptFromPods): Record<string, string> {
  const pages = [...machine.hugepages.values()].reduce((sum, bytes) => sum + bytes, 0);
  const milliCPU = machine.cpus * 1000 - kept.milliCPU;
  const memory = machine.memoryBytes - kept.memoryBytes - pages;
  const disk = machine.diskBytes - kept.diskBytes;
  return {
    ...nodeCapacity(machine, maxPods),
    cpu: formatQuantity(milliQuantityOf(Math.max(0, milliCPU))),
    'ephemeral-storage': String(Math.max(0, disk)),
    memory: `${Math.floor(Math.max(0, memory) / KIB)}Ki`,
  };
}

/**
 * The node's status; conditions keep their transition times from `old`. Extended resources are whoever's who wrote their
 * capacity: all of it can be allocated. Pure.
 */
export function nodeStatus(input: NodeStatusInput, old: DeepReadonly<NodeStatus> | undefined): NodeStatus {
  const { machine, version } = input;
  const extended = extendedResources(old?.capacity ?? {});
  const addresses = input.nodeIPs.map((address) => ({ type: 'InternalIP', address }));
  return {
    ...(old as NodeStatus | undefined),
    ...runtimeAbilities(input.runtime),
    addresses: [...addresses, { type: 'Hostname', address: input.nodeName }],
    capacity: { ...extended, ...input.devices?.capacity, ...nodeCapacity(machine, input.maxPods) },
    allocatable: { ...extended, ...input.devices?.allocatable, ...input.allocatable },
    declaredFeatures: [...DECLARED_FEATURES],
    conditions: conditions(input, old?.conditions ?? []),
    daemonEndpoints: { kubeletEndpoint: { Port: input.port } },
    nodeInfo: {
      architecture: machine.architecture,
      bootID: machine.bootID,
      containerRuntimeVersion: version === undefined ? '' : `${version.runtimeName}://${plainVersion(version)}`,
      kernelVersion: machine.kernelVersion,
      kubeProxyVersion: '',
      kubeletVersion: KUBERNETES_VERSION,
      machineID: machine.machineID,
      operatingSystem: 'linux',
      osImage: machine.osImage,
      systemUUID: machine.systemUUID,
    },
    images: [...input.images]
      // Runtimes list them in any order: what is equal must not look like a change.
      .sort((a, b) => b.size - a.size || (a.id < b.id ? -1 : 1))
      .slice(0, MAX_IMAGES)
      .map((image) => ({
        names: [...image.repoDigests, ...image.repoTags].slice(0, MAX_NAMES),
        sizeBytes: image.size,
      })),
  };
}

const SEMANTIC_VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;

/** A semantic version as it is, of any other the numbers that it begins with. */
function plainVersion({ runtimeVersion }: RuntimeVersion): string {
  const version = runtimeVersion.trim().replace(/^v/, '');
  return SEMANTIC_VERSION.test(version) ? version : (/^\d+(\.\d+)*/.exec(version)?.[0] ?? 'Unknown');
}

/** What the runtime said that it can; nothing while it does not answer: what it said before stays. */
function runtimeAbilities(runtime: RuntimeStatus | undefined): Pick<NodeStatus, 'features' | 'runtimeHandlers'> {
  const { features, handlers = [] } = runtime ?? {};
  return {
    ...(features === undefined ? {} : { features }),
    ...(handlers.length === 0
      ? {}
      : {
          runtimeHandlers: handlers.map(({ name, recursiveReadOnlyMounts, userNamespaces }) => ({
            name,
            features: { recursiveReadOnlyMounts, userNamespaces },
          })),
        }),
  };
}

/** Sorted. */
const DECLARED_FEATURES: readonly DeclaredFeature[] = [
  'ExtendWebSocketsToKubelet',
  'InPlacePodLevelResourcesVerticalScaling',
  'InPlacePodVerticalScalingInitContainers',
  'RestartAllContainersOnContainerExits',
];

function extendedResources(capacity: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(capacity).filter(([name]) => name.includes('/')));
}

type NewCondition = Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>;

const PRESSURES = [
  {
    type: 'MemoryPressure',
    yes: { reason: 'KubeletHasInsufficientMemory', message: 'kubelet has insufficient memory available' },
    no: { reason: 'KubeletHasSufficientMemory', message: 'kubelet has sufficient memory available' },
  },
  {
    type: 'DiskPressure',
    yes: { reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' },
    no: { reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
  },
  {
    type: 'PIDPressure',
    yes: { reason: 'KubeletHasInsufficientPID', message: 'kubelet has insufficient PID available' },
    no: { reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
  },
] as const;

function conditions(input: NodeStatusInput, old: readonly DeepReadonly<NodeCondition>[]): NodeCondition[] {
  const now = formatTime(input.nowMs);
  const own: NewCondition[] = [
    ...PRESSURES.map(({ type, yes, no }) =>
      input.pressure.has(type) ? { type, status: 'True', ...yes } : { type, status: 'False', ...no },
    ),
    readyCondition(input.runtime, input.shuttingDown === true),
  ];
  const types = new Set(own.map((condition) => condition.type));
  const stamped = own.map((condition): NodeCondition => {
    const before = old.find((other) => other.type === condition.type);
    const changed = before?.status !== condition.status;
    return {
      ...condition,
      lastHeartbeatTime: now,
      lastTransitionTime: changed ? now : (before.lastTransitionTime ?? now),
    };
  });
  return [...old.filter((condition) => !types.has(condition.type)).map((condition) => ({ ...condition })), ...stamped];
}

function readyCondition(runtime: RuntimeStatus | undefined, shuttingDown: boolean): NewCondition {
  const problems: string[] = [];
  if (runtime === undefined) problems.push('container runtime is down');
  for (const [type, text] of [
    ['RuntimeReady', 'container runtime not ready'],
    ['NetworkReady', 'container runtime network not ready'],
  ] as const) {
    const condition = runtime?.conditions.find((candidate) => candidate.type === type);
    if (runtime === undefined || condition?.status === true) continue;
    problems.push(`${text}: ${type}=false reason:${condition?.reason ?? ''} message:${condition?.message ?? ''}`);
  }
  if (shuttingDown) problems.push('node is shutting down');
  if (problems.length === 0) {
    return { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' };
  }
  const message = problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`;
  return { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message };
}

/** Whether anything but heartbeat times differs. */
export function withoutHeartbeats(status: DeepReadonly<NodeStatus>): DeepReadonly<NodeStatus> {
  return { ...status, conditions: (status.conditions ?? []).map(({ lastHeartbeatTime: _, ...rest }) => rest) };
}

export interface NodeLabelInput {
  readonly machine: Pick<Machine, 'architecture'>;
  readonly nodeName: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The labels that a node has from its kubelet. */
export function nodeLabels({ machine, nodeName, labels }: NodeLabelInput): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': machine.architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': machine.architecture,
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': 'linux',
    ...labels,
  };
}

/** The events of conditions that changed since the last status was written. */
export function conditionEvents(
  node: Node,
  before: DeepReadonly<NodeStatus> | undefined,
  after: NodeStatus,
): { reason: string }[] {
  const reasons: Readonly<Record<string, readonly [yes: string, no: string]>> = {
    MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
    DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
    PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
    Ready: ['NodeReady', 'NodeNotReady'],
  };
  const events: { reason: string }[] = [];
  for (const condition of after.conditions ?? []) {
    const old = before?.conditions?.find((other) => other.type === condition.type);
    const names = reasons[condition.type];
    if (names === undefined || old?.status === condition.status || node.metadata.name === '') continue;
    if (condition.type === 'Ready' && old === undefined && condition.status === 'False') continue;
    events.push({ reason: condition.status === 'True' ? names[0] : names[1] });
  }
  return events;
}
