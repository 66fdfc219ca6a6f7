import type { HorizontalPodAutoscalerBehavior, HPAScalingPolicy } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';

export interface Reason {
  readonly reason: string;
  readonly message: string;
}

/** What was recommended, and what was done, at some time: kept in memory, as upstream does. */
export interface History {
  readonly recommendations: readonly { readonly replicas: number; readonly atMs: number }[];
  readonly changes: readonly { readonly up: boolean; readonly replicas: number; readonly atMs: number }[];
}

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

export interface Normalized {
  readonly replicas: number;
  /** For the condition AbleToScale. */
  readonly stabilized: Reason;
  /** For the condition ScalingLimited. */
  readonly limited: Reason & { readonly isLimited: boolean };
}

type Behavior = DeepReadonly<HorizontalPodAutoscalerBehavior>;

/** Recommendations to scale down hold for so long when nothing else is said. */
export const DOWN_WINDOW_MS = 300_000;
const UP_FACTOR = 2;
const UP_MINIMUM = 4;

/** What is to be done about a recommendation, by the behavior of the autoscaler or by upstream's rules where it has none. */
export function normalize(
  behavior: Behavior | undefined,
  history: History,
  current: number,
  recommended: number,
  bounds: Bounds,
  nowMs: number,
): Normalized {
  const stable = stabilize(behavior, history, current, recommended, nowMs);
  const { replicas, ...limit } =
    behavior === undefined
      ? limitByRules(current, stable.replicas, bounds)
      : limitByBehavior(behavior, history, current, stable.replicas, bounds, nowMs);
  return {
    replicas,
    stabilized: stable.replicas === recommended ? READY : stable,
    limited: { ...limit, isLimited: replicas !== stable.replicas },
  };
}

const READY: Reason = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
const WITHIN: Reason = {
  reason: 'DesiredWithinRange',
  message: 'the desired count is within the acceptable range',
};
const TOO_MANY: Reason = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
};
const TOO_FEW: Reason = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
};
const UP_LIMIT: Reason = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
};
const DOWN_LIMIT: Reason = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
};

/** The highest (going down) or lowest (going up) of the recent recommendations. */
function stabilize(
  behavior: Behavior | undefined,
  { recommendations }: History,
  current: number,
  recommended: number,
  nowMs: number,
): Reason & { readonly replicas: number } {
  const up = behavior !== undefined && recommended >= current;
  const recent = recommendations
    .filter(({ atMs }) => nowMs - atMs < windowMs(behavior, up))
    .map(({ replicas }) => replicas);
  return up
    ? {
        replicas: Math.min(recommended, ...recent),
        reason: 'ScaleUpStabilized',
        message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
      }
    : {
        replicas: Math.max(recommended, ...recent),
        reason: 'ScaleDownStabilized',
        message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
      };
}

function windowMs(behavior: Behavior | undefined, up: boolean): number {
  const seconds = (up ? behavior?.scaleUp : behavior?.scaleDown)?.stabilizationWindowSeconds;
  return seconds === undefined ? (up ? 0 : DOWN_WINDOW_MS) : seconds * 1000;
}

function limitByRules(current: number, wanted: number, { min, max }: Bounds): Reason & { replicas: number } {
  const upLimit = Math.max(UP_FACTOR * current, UP_MINIMUM);
  if (wanted < min) return { replicas: min, ...TOO_FEW };
  if (wanted > Math.min(max, upLimit)) {
    return max > upLimit ? { replicas: upLimit, ...UP_LIMIT } : { replicas: max, ...TOO_MANY };
  }
  return { replicas: wanted, ...WITHIN };
}

function limitByBehavior(
  behavior: Behavior,
  history: History,
  current: number,
  wanted: number,
  { min, max }: Bounds,
  nowMs: number,
): Reason & { replicas: number } {
  if (wanted > current) {
    const limit = Math.max(current, upLimit(behavior, history, current, nowMs));
    const allowed = Math.min(max, limit);
    if (wanted > allowed) return { replicas: allowed, ...(max > limit ? UP_LIMIT : TOO_MANY) };
  } else if (wanted < current) {
    const limit = Math.min(current, downLimit(behavior, history, current, nowMs));
    const allowed = Math.max(min, limit);
    if (wanted < allowed) return { replicas: allowed, ...(min < limit ? DOWN_LIMIT : TOO_FEW) };
  }
  return { replicas: wanted, ...WITHIN };
}

function upLimit({ scaleUp }: Behavior, history: History, current: number, nowMs: number): number {
  if (scaleUp?.selectPolicy === 'Disabled') return current;
  const limits = (scaleUp?.policies ?? []).map((policy) => {
    const start = current - netChange(history, policy, nowMs);
    return policy.type === 'Pods' ? start + policy.value : Math.ceil(start * (1 + policy.value / 100));
  });
  if (limits.length === 0) return Number.MAX_SAFE_INTEGER;
  return scaleUp?.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
}

function downLimit({ scaleDown }: Behavior, history: History, current: number, nowMs: number): number {
  if (scaleDown?.selectPolicy === 'Disabled') return current;
  const limits = (scaleDown?.policies ?? []).map((policy) => {
    const start = current - netChange(history, policy, nowMs);
    return policy.type === 'Pods' ? start - policy.value : Math.trunc(start * (1 - policy.value / 100));
  });
  if (limits.length === 0) return 0;
  return scaleDown?.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
}

/** By how much the number has grown within a policy's period. */
function netChange({ changes }: History, { periodSeconds }: DeepReadonly<HPAScalingPolicy>, nowMs: number): number {
  let sum = 0;
  for (const { up, replicas, atMs } of changes) {
    if (nowMs - atMs < periodSeconds * 1000) sum += up ? replicas : -replicas;
  }
  return sum;
}

/** The history with what can still matter, and something new. */
export function remember(
  history: History,
  behavior: Behavior | undefined,
  added: { readonly recommendation?: number; readonly from?: number; readonly to?: number },
  nowMs: number,
): History {
  const keepMs = Math.max(windowMs(behavior, true), windowMs(behavior, false));
  const periods = [...(behavior?.scaleUp?.policies ?? []), ...(behavior?.scaleDown?.policies ?? [])];
  const periodMs = Math.max(0, ...periods.map(({ periodSeconds }) => periodSeconds * 1000));
  const { recommendation, from, to } = added;
  return {
    recommendations: [
      ...history.recommendations.filter(({ atMs }) => nowMs - atMs < keepMs),
      ...(recommendation === undefined ? [] : [{ replicas: recommendation, atMs: nowMs }]),
    ],
    changes: [
      ...history.changes.filter(({ atMs }) => nowMs - atMs < periodMs),
      ...(from === undefined || to === undefined || from === to
        ? []
        : [{ up: to > from, replicas: Math.abs(to - from), atMs: nowMs }]),
    ],
  };
}
