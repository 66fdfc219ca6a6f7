import { parseQuantity, QuantityError, quantityValue } from '../../api/quantity.ts';
import { type CPUSet, NO_CPUS, parseCPUSet } from '../cpus/cpu-set.ts';
import type { CPUPolicy } from '../cpus/cpu-state.ts';
import type { StaticCPUOptions } from '../cpus/static-cpus.ts';
import type { MemoryPolicy } from '../memory/memory-state.ts';
import type { ReservedMemory } from '../memory/static-memory.ts';
import type { TopologyPolicy } from './merge.ts';

/** The fields of upstream's KubeletConfiguration that tell who gets CPUs and memory to himself; absent: upstream's default. */
export interface ManagersConfiguration {
  readonly cpuManagerPolicy?: string;
  readonly cpuManagerPolicyOptions?: Readonly<Record<string, string>>;
  readonly reservedSystemCPUs?: string;
  readonly memoryManagerPolicy?: string;
  readonly reservedMemory?: readonly {
    readonly numaNode: number;
    readonly limits: Readonly<Record<string, string>>;
  }[];
  readonly topologyManagerPolicy?: string;
  readonly topologyManagerScope?: string;
  readonly topologyManagerPolicyOptions?: Readonly<Record<string, string>>;
}

/** What they mean. */
export interface ManagerSettings {
  readonly cpuPolicy: CPUPolicy;
  readonly cpuOptions: StaticCPUOptions;
  /** Empty: as many as are reserved. */
  readonly reservedCPUs: CPUSet;
  readonly memoryPolicy: MemoryPolicy;
  readonly reservedMemory: ReservedMemory;
  readonly topologyPolicy: TopologyPolicy;
  readonly topologyScope: 'container' | 'pod';
  readonly preferClosestNUMA: boolean;
  readonly maxNUMANodes: number;
}

/** A field with a value that cannot be used. The message is one line. */
export class ManagersConfigurationError extends Error {
  readonly field: keyof ManagersConfiguration;

  constructor(field: keyof ManagersConfiguration, message: string) {
    super(message);
    this.name = 'ManagersConfigurationError';
    this.field = field;
  }
}

/** More make too many sets of nodes. */
const MAX_NUMA_NODES = 8;
/** Upstream has them, behind a feature gate that is off. */
const ALPHA_CPU_OPTIONS = ['align-by-socket', 'distribute-cpus-across-cores'];

/** Throws a ManagersConfigurationError. */
export function managerSettings(configuration: ManagersConfiguration): ManagerSettings {
  return {
    cpuPolicy: oneOf(configuration, 'cpuManagerPolicy', ['none', 'static']),
    cpuOptions: cpuOptions(configuration),
    reservedCPUs: reservedCPUs(configuration.reservedSystemCPUs),
    memoryPolicy: oneOf(configuration, 'memoryManagerPolicy', ['None', 'Static']),
    reservedMemory: reservedMemory(configuration),
    topologyPolicy: oneOf(configuration, 'topologyManagerPolicy', [
      'none',
      'best-effort',
      'restricted',
      'single-numa-node',
    ]),
    topologyScope: oneOf(configuration, 'topologyManagerScope', ['container', 'pod']),
    ...topologyOptions(configuration.topologyManagerPolicyOptions ?? {}),
  };
}

/** The first one is the default. */
function oneOf<T extends string>(
  configuration: ManagersConfiguration,
  field: 'cpuManagerPolicy' | 'memoryManagerPolicy' | 'topologyManagerPolicy' | 'topologyManagerScope',
  known: readonly [T, ...T[]],
): T {
  const value = configuration[field] ?? known[0];
  const found = known.find((one) => one === value);
  if (found === undefined) throw new ManagersConfigurationError(field, `"${value}" is not one of ${known.join(', ')}`);
  return found;
}

function cpuOptions({ cpuManagerPolicy, cpuManagerPolicyOptions = {} }: ManagersConfiguration): StaticCPUOptions {
  const field = 'cpuManagerPolicyOptions';
  const names: Readonly<Record<string, keyof StaticCPUOptions>> = {
    'full-pcpus-only': 'fullCores',
    'distribute-cpus-across-numa': 'distribute',
    'strict-cpu-reservation': 'strictReservation',
    'prefer-align-cpus-by-uncorecache': 'preferUncoreCache',
  };
  const options = { fullCores: false, distribute: false, strictReservation: false, preferUncoreCache: false };
  for (const [name, value] of Object.entries(cpuManagerPolicyOptions)) {
    if (ALPHA_CPU_OPTIONS.includes(name)) {
      const message = `CPU Manager Policy Alpha-level Options not enabled, but option "${name}" provided`;
      throw new ManagersConfigurationError(field, message);
    }
    const option = names[name];
    if (option === undefined) {
      throw new ManagersConfigurationError(field, `unknown CPU Manager Policy option: "${name}"`);
    }
    options[option] = bool(field, name, value);
  }
  if (cpuManagerPolicy !== 'static' && Object.keys(cpuManagerPolicyOptions).length > 0) {
    throw new ManagersConfigurationError(field, 'options are for the static policy only');
  }
  if (options.distribute && options.preferUncoreCache) {
    const both = 'prefer-align-cpus-by-uncorecache and distribute-cpus-across-numa';
    throw new ManagersConfigurationError(field, `static policy options ${both} can not be used at the same time`);
  }
  return options;
}

function topologyOptions(
  options: Readonly<Record<string, string>>,
): Pick<ManagerSettings, 'preferClosestNUMA' | 'maxNUMANodes'> {
  const field = 'topologyManagerPolicyOptions';
  let [preferClosestNUMA, maxNUMANodes] = [false, MAX_NUMA_NODES];
  for (const [name, value] of Object.entries(options)) {
    if (name === 'prefer-closest-numa-nodes') preferClosestNUMA = bool(field, name, value);
    else if (name === 'max-allowable-numa-nodes') {
      maxNUMANodes = /^\d{1,3}$/.test(value) ? Number(value) : Number.NaN;
      if (!(maxNUMANodes >= MAX_NUMA_NODES)) {
        throw new ManagersConfigurationError(
          field,
          `the value of "${name}" must be a number of at least ${MAX_NUMA_NODES}`,
        );
      }
    } else throw new ManagersConfigurationError(field, `unknown Topology Manager Policy option: "${name}"`);
  }
  return { preferClosestNUMA, maxNUMANodes };
}

function bool(field: keyof ManagersConfiguration, name: string, value: string): boolean {
  if (value !== 'true' && value !== 'false') {
    throw new ManagersConfigurationError(field, `bad value for option "${name}": "${value}" is not true or false`);
  }
  return value === 'true';
}

function reservedCPUs(text: string | undefined): CPUSet {
  if (text === undefined) return NO_CPUS;
  try {
    return parseCPUSet(text);
  } catch (error) {
    throw new ManagersConfigurationError('reservedSystemCPUs', error instanceof Error ? error.message : String(error));
  }
}

function reservedMemory({ memoryManagerPolicy, reservedMemory: items = [] }: ManagersConfiguration): ReservedMemory {
  const fail = (message: string): Error => new ManagersConfigurationError('reservedMemory', message);
  const nodes = new Map<number, Map<string, number>>();
  for (const { numaNode, limits } of items) {
    const node = nodes.get(numaNode) ?? new Map<string, number>();
    nodes.set(numaNode, node);
    for (const [type, amount] of Object.entries(limits)) {
      if (type !== 'memory' && !type.startsWith('hugepages-')) {
        throw fail(`the limit type "${type}" for NUMA node ${numaNode} is not supported`);
      }
      if (node.has(type))
        throw fail(`the reserved memory has a duplicate value for NUMA node ${numaNode} and resource "${type}"`);
      const bytes = bytesOf(amount);
      if (!(bytes > 0)) throw fail(`the limit "${amount}" of "${type}" for NUMA node ${numaNode} is not an amount`);
      node.set(type, bytes);
    }
  }
  if (nodes.size === 0 && memoryManagerPolicy === 'Static') {
    throw fail('the Static memory manager policy needs the reserved memory of each NUMA node');
  }
  if (nodes.size > 0 && memoryManagerPolicy !== 'Static') {
    throw fail('reserved memory is for the Static memory manager policy only');
  }
  return nodes;
}

/** NaN for what is no quantity. */
function bytesOf(amount: string): number {
  try {
    parseQuantity(amount);
    return quantityValue(amount);
  } catch (error) {
    if (error instanceof QuantityError) return Number.NaN;
    throw error;
  }
}
