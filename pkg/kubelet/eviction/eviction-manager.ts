import type { Component } from '../../base/lifecycle.ts';
import type { KubeletContext } from '../context.ts';
import type { ImageGC } from '../images/image-gc.ts';
import { isCritical } from '../pod/critical.ts';
import type { PodManager } from '../pod/pod-manager.ts';
import type { PodFailure } from '../pod/pod-status.ts';
import type { Pod } from '../types.ts';
import { limitsLocalStorage, localStorageExcess } from './local-limits.ts';
import { pressureAnnotations, pressureMessage } from './messages.ts';
import { observeNode } from './observe.ts';
import { localStorage, podUsages } from './pod-usage.ts';
import { rankPods } from './ranking.ts';
import {
  byUrgency,
  metThresholds,
  type Observations,
  type PressureType,
  SIGNAL_FACTS,
  type Threshold,
} from './thresholds.ts';

const CHECK_MS = 10_000;
/** A pod that must go at once still hears SIGTERM. */
const IMMEDIATE_GRACE_SECONDS = 1;

export interface EvictionOptions {
  readonly thresholds: readonly Threshold[];
  /** How long a condition is held after its threshold was last met. */
  readonly transitionPeriodMs: number;
  /** What pods get at the most when a soft threshold is met; their own grace period may be shorter. */
  readonly maxPodGraceSeconds: number;
}

export interface EvictionDeps {
  readonly context: KubeletContext;
  readonly pods: Pick<PodManager, 'activePods' | 'evict' | 'discardEnded'>;
  readonly images: Pick<ImageGC, 'directory' | 'removeUnused'>;
}

/**
 * Ends pods that write more than they may, and one pod after the other while the node is short of memory, disk or processes.
 * Upstream's eviction manager.
 */
export class EvictionManager implements Component {
  readonly name = 'eviction';
  readonly #options: EvictionOptions;
  readonly #deps: EvictionDeps;
  /** Thresholds that are met, with the time since when. */
  #metSince = new Map<Threshold, number>();
  /** When each kind of pressure was last there. */
  readonly #pressureSeen = new Map<PressureType, number>();

  constructor(options: EvictionOptions, deps: EvictionDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const { clock, logger } = this.#deps.context.deps;
    while (!signal.aborted) {
      await clock.sleep(CHECK_MS, signal);
      try {
        if (!signal.aborted) await this.check(signal);
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, 'the node could not be measured');
      }
    }
  }

  /** One look at the node and at the pods with limits. */
  async check(signal: AbortSignal): Promise<void> {
    const active = [...this.#deps.pods.activePods()];
    const observations = await this.#observe(signal);
    const due = this.#update(observations);
    if (await this.#enforceLimits(active, signal)) return;
    const [threshold] = due.sort(byUrgency);
    if (threshold !== undefined) await this.#relieve(threshold, observations, active, signal);
  }

  async #observe(signal: AbortSignal): Promise<Observations> {
    if (this.#options.thresholds.length === 0) return new Map();
    return observeNode(this.#deps.context.options.rootDir, await this.#deps.images.directory(signal));
  }

  /** Notes what is met and the pressure that follows; returns the thresholds whose grace period is over. */
  #update(observations: Observations): Threshold[] {
    const { thresholds, transitionPeriodMs } = this.#options;
    const now = this.#deps.context.deps.clock.monotonic();
    const met = metThresholds(thresholds, observations, new Set(this.#metSince.keys()));
    this.#metSince = new Map(met.map((threshold) => [threshold, this.#metSince.get(threshold) ?? now]));
    for (const { signal } of met) this.#pressureSeen.set(SIGNAL_FACTS[signal].condition, now);
    for (const [type, seenAt] of this.#pressureSeen) {
      const holds = met.some(({ signal }) => SIGNAL_FACTS[signal].condition === type);
      if (!holds && now - seenAt >= transitionPeriodMs) this.#pressureSeen.delete(type);
    }
    this.#deps.context.pressure.set(new Set(this.#pressureSeen.keys()));
    return met.filter((threshold) => now - (this.#metSince.get(threshold) ?? now) >= threshold.gracePeriodMs);
  }

  async #enforceLimits(active: readonly Pod[], signal: AbortSignal): Promise<boolean> {
    const { context, pods } = this.#deps;
    const limited = active.filter((pod) => limitsLocalStorage(pod) && !isCritical(pod));
    if (limited.length === 0) return false;
    const usages = await podUsages(limited, context, signal);
    const evicted: Promise<boolean>[] = [];
    for (const pod of limited) {
      const usage = usages.get(pod.metadata.uid);
      const message = usage && localStorageExcess(pod, localStorage(usage));
      if (message === undefined) continue;
      const failure = { reason: 'Evicted', message, graceSeconds: IMMEDIATE_GRACE_SECONDS };
      evicted.push(pods.evict(pod.metadata.uid, failure));
    }
    await Promise.all(evicted);
    return evicted.length > 0;
  }

  /** Frees what can be freed; if that is not enough, ends the first pod in order. */
  async #relieve(
    threshold: Threshold,
    observations: Observations,
    active: readonly Pod[],
    signal: AbortSignal,
  ): Promise<void> {
    const { context, pods, images } = this.#deps;
    const { recorder, logger } = context.deps;
    const { condition, resource } = SIGNAL_FACTS[threshold.signal];
    const { nodeName } = context.options;
    const node = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName };
    recorder.event(node, 'Warning', 'EvictionThresholdMet', `Attempting to reclaim ${resource}`);
    if (condition === 'DiskPressure') {
      for (const free of [() => pods.discardEnded(), () => images.removeUnused(signal)]) {
        await free().catch((error: unknown) => {
          signal.throwIfAborted();
          logger.warn({ err: error, resource }, 'not all that nothing uses could be removed');
        });
      }
      if (metThresholds([threshold], await this.#observe(signal), new Set([threshold])).length === 0) return;
    }
    const usages = await podUsages(active, context, signal);
    const victim = rankPods(active, usages, threshold.signal).find((pod) => !isCritical(pod));
    if (victim === undefined) {
      logger.warn({ signal: threshold.signal }, 'the node is short of a resource, but no pod can be evicted');
      return;
    }
    const { uid } = victim.metadata;
    const usage = usages.get(uid);
    const message = pressureMessage(victim, usage, threshold, observations.get(threshold.signal));
    const annotations = pressureAnnotations(victim, usage, threshold);
    const graceSeconds = threshold.gracePeriodMs === 0 ? IMMEDIATE_GRACE_SECONDS : this.#options.maxPodGraceSeconds;
    context.metrics.evicted(threshold.signal);
    await pods.evict(uid, { reason: 'Evicted', message, annotations, condition: disruption(message), graceSeconds });
  }
}

function disruption(message: string): PodFailure['condition'] {
  return { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message };
}
