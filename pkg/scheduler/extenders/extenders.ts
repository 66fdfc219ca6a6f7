import type { Pod } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Logger } from '../../base/logger.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { MAX_NODE_SCORE, type Rejection } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import type { Candidate } from '../preemption/victims.ts';
import type { Extender } from './extender.ts';

/** Extenders score 0..10. */
const MAX_EXTENDER_SCORE = 10;

/** All extenders, asked one after the other; errors of those that may be ignored are logged, others thrown. */
export class Extenders {
  readonly #extenders: readonly Extender[];
  readonly #logger: Logger;

  constructor(extenders: readonly Extender[], logger: Logger) {
    this.#extenders = extenders;
    this.#logger = logger;
  }

  /** Resources that extenders look after instead of NodeResourcesFit. */
  get ignoredResources(): readonly string[] {
    return this.#extenders.flatMap(({ config }) =>
      config.managedResources.filter(({ ignoredByScheduler }) => ignoredByScheduler).map(({ name }) => name),
    );
  }

  /** Whether any has a say in where a pod goes. */
  areInterested(pod: PodInfo): boolean {
    return this.#extenders.some((extender) => extender.isInterested(pod));
  }

  /** The nodes that all leave; `rejections` hears of the others. */
  async filter(
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    rejections: Map<string, Rejection>,
  ): Promise<readonly NodeInfo[]> {
    let left = nodes;
    for (const extender of this.#interested(pod, 'filterVerb')) {
      if (left.length === 0) break;
      const outcome = await this.#ask(extender, () => extender.filter(pod, left));
      if (outcome === undefined) continue;
      const plugin = extender.config.urlPrefix;
      for (const [node, reason] of outcome.failed)
        rejections.set(node, { plugin, reasons: [reason], resolvable: true });
      for (const [node, reason] of outcome.failedAndUnresolvable) {
        rejections.set(node, { plugin, reasons: [reason], resolvable: false });
      }
      left = outcome.feasible;
    }
    return left;
  }

  /** Adds the weighted scores of all, brought to the scale of plugins. A failing one is left out, as upstream does. */
  async score(pod: PodInfo, nodes: readonly NodeInfo[], totals: Float64Array): Promise<void> {
    for (const extender of this.#interested(pod, 'prioritizeVerb')) {
      let scores: ReadonlyMap<string, number>;
      try {
        scores = await extender.prioritize(pod, nodes);
      } catch (error) {
        this.#logger.warn({ extender: extender.config.urlPrefix, err: error }, 'extender did not score');
        continue;
      }
      const scale = extender.config.weight * (MAX_NODE_SCORE / MAX_EXTENDER_SCORE);
      for (const [i, { name }] of nodes.entries()) totals[i] = (totals[i] ?? 0) + scale * (scores.get(name) ?? 0);
    }
  }

  /** Undefined when none has a say in preemption. */
  narrowPreemption(pod: PodInfo, candidates: readonly Candidate[]): Promise<readonly Candidate[]> | undefined {
    const asked = this.#interested(pod, 'preemptVerb');
    if (asked.length === 0) return undefined;
    return (async () => {
      let left = candidates;
      for (const extender of asked) {
        if (left.length === 0) break;
        left = (await this.#ask(extender, () => extender.narrowPreemption(pod, left))) ?? left;
      }
      return left;
    })();
  }

  /** Binds a pod when an extender does so; false: nobody does. */
  async bind(pod: PodInfo, node: string): Promise<boolean> {
    const [binder] = this.#interested(pod, 'bindVerb');
    if (binder === undefined) return false;
    await binder.bind(pod.pod as DeepReadonly<Pod>, node);
    return true;
  }

  #interested(pod: PodInfo, verb: 'filterVerb' | 'prioritizeVerb' | 'preemptVerb' | 'bindVerb'): readonly Extender[] {
    return this.#extenders.filter((extender) => extender.config[verb] !== undefined && extender.isInterested(pod));
  }

  async #ask<T>(extender: Extender, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      if (!extender.config.ignorable) throw error;
      this.#logger.warn({ extender: extender.config.urlPrefix, err: error }, 'extender failed and is ignored');
      return undefined;
    }
  }
}
