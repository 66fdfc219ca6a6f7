import { quantityValue } from '../../api/quantity.ts';

/** What is measured on the node; upstream's eviction signals. */
export const SIGNALS = [
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'pid.available',
] as const;
export type Signal = (typeof SIGNALS)[number];

export type PressureType = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';

interface SignalFacts {
  readonly condition: PressureType;
  /** The resource as messages call it. */
  readonly resource: 'memory' | 'ephemeral-storage' | 'inodes' | 'pids';
}

export const SIGNAL_FACTS: Readonly<Record<Signal, SignalFacts>> = {
  'memory.available': { condition: 'MemoryPressure', resource: 'memory' },
  'nodefs.available': { condition: 'DiskPressure', resource: 'ephemeral-storage' },
  'nodefs.inodesFree': { condition: 'DiskPressure', resource: 'inodes' },
  'imagefs.available': { condition: 'DiskPressure', resource: 'ephemeral-storage' },
  'imagefs.inodesFree': { condition: 'DiskPressure', resource: 'inodes' },
  'pid.available': { condition: 'PIDPressure', resource: 'pids' },
};

/** An amount of the signal's unit (bytes, inodes, processes), or a part of its capacity. */
export type ThresholdValue = { readonly quantity: string } | { readonly fraction: number };

export interface Threshold {
  readonly signal: Signal;
  readonly value: ThresholdValue;
  /** 0: hard, pods end at once. */
  readonly gracePeriodMs: number;
  readonly minReclaim: ThresholdValue | undefined;
}

export interface Observation {
  readonly available: number;
  readonly capacity: number;
}

export type Observations = ReadonlyMap<Signal, Observation>;

export class ThresholdError extends Error {
  override readonly name = 'ThresholdError';
}

/** `100Mi` or `10%`. Throws a ThresholdError. */
export function parseThresholdValue(text: string): ThresholdValue {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (percent !== null) {
    const fraction = Number(percent[1]) / 100;
    if (fraction <= 0 || fraction >= 1) throw new ThresholdError(`${text} is not between 0% and 100%`);
    return { fraction };
  }
  try {
    if (quantityValue(text) < 0) throw new ThresholdError(`${text} is negative`);
  } catch (error) {
    if (error instanceof ThresholdError) throw error;
    throw new ThresholdError(`${text} is neither a quantity nor a percentage`, { cause: error });
  }
  return { quantity: text };
}

export function isSignal(name: string): name is Signal {
  return SIGNALS.some((signal) => signal === name);
}

/** What a value is of a capacity. */
export function amountOf(value: ThresholdValue, capacity: number): number {
  return 'fraction' in value ? Math.trunc(value.fraction * capacity) : quantityValue(value.quantity);
}

/** The thresholds that are crossed. `reclaiming`: those that were before count until their minimum is reclaimed as well. Pure. */
export function metThresholds(
  thresholds: readonly Threshold[],
  observations: Observations,
  reclaiming: ReadonlySet<Threshold> = new Set(),
): Threshold[] {
  return thresholds.filter((threshold) => {
    const seen = observations.get(threshold.signal);
    if (seen === undefined) return false;
    const extra = reclaiming.has(threshold) && threshold.minReclaim !== undefined ? threshold.minReclaim : undefined;
    const wanted = amountOf(threshold.value, seen.capacity) + (extra ? amountOf(extra, seen.capacity) : 0);
    return seen.available < wanted;
  });
}

/** Memory first, then disks, then processes: the order in which pressure is dealt with. */
export function byUrgency(a: Threshold, b: Threshold): number {
  return SIGNALS.indexOf(a.signal) - SIGNALS.indexOf(b.signal);
}
