import { parseDuration } from '../../api/duration.ts';
import type { EvictionOptions } from './eviction-manager.ts';
import { isSignal, parseThresholdValue, type Signal, type Threshold, ThresholdError } from './thresholds.ts';

/** `SIGNAL<VALUE` or `SIGNAL=VALUE` each, as the kubelet's flags of these names have them; durations as Go writes them. */
export interface EvictionFlags {
  readonly hard: readonly string[];
  readonly soft: readonly string[];
  readonly softGracePeriod: readonly string[];
  readonly minimumReclaim: readonly string[];
}

/** Upstream's hard thresholds on Linux. */
export const DEFAULT_HARD_EVICTION = [
  'memory.available<100Mi',
  'nodefs.available<10%',
  'nodefs.inodesFree<5%',
  'imagefs.available<15%',
  'imagefs.inodesFree<5%',
] as const;

/** The thresholds of a node; 0% and 100% stand for none. Throws a ThresholdError that names what is wrong. */
export function evictionThresholds(flags: EvictionFlags): Threshold[] {
  const graces = pairs(flags.softGracePeriod, '=');
  const minimums = pairs(flags.minimumReclaim, '=');
  const isOff = ([, text]: [Signal, string]): boolean => text === '0%' || text === '100%';
  const make = ([signal, text]: [Signal, string], gracePeriodMs: number): Threshold => {
    const minimum = minimums.get(signal);
    const minReclaim = minimum === undefined ? undefined : parseThresholdValue(minimum);
    return { signal, value: parseThresholdValue(text), gracePeriodMs, minReclaim };
  };
  const soft = [...pairs(flags.soft, '<')]
    .filter((pair) => !isOff(pair))
    .map((pair) => {
      const grace = graces.get(pair[0]);
      if (grace === undefined)
        throw new ThresholdError(`grace period must be specified for the soft threshold ${pair[0]}`);
      return make(pair, duration(grace));
    });
  const hard = [...pairs(flags.hard, '<')].filter((pair) => !isOff(pair)).map((pair) => make(pair, 0));
  return [...hard, ...soft];
}

function pairs(items: readonly string[], operator: '<' | '='): Map<Signal, string> {
  const found = new Map<Signal, string>();
  for (const item of items) {
    const at = item.indexOf(operator);
    const signal = item.slice(0, Math.max(0, at)).trim();
    if (at < 0 || !isSignal(signal)) {
      throw new ThresholdError(`"${item}" is not of the form SIGNAL${operator}VALUE with a signal that is known`);
    }
    if (found.has(signal)) throw new ThresholdError(`${signal} is given twice`);
    found.set(signal, item.slice(at + 1).trim());
  }
  return found;
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new ThresholdError(`"${text}" is not a duration like 1m30s`, { cause: error });
  }
}

/** Upstream's defaults. */
export const DEFAULT_EVICTION: EvictionOptions = {
  thresholds: evictionThresholds({ hard: DEFAULT_HARD_EVICTION, soft: [], softGracePeriod: [], minimumReclaim: [] }),
  transitionPeriodMs: 300_000,
  maxPodGraceSeconds: 0,
};
