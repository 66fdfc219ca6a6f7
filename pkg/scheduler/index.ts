/**
 * The scheduler: a queue of pods without a node, a cache of nodes and what is on them, and a framework of plugins that filter
 * and score. It writes bindings, conditions and events only. Corresponds to upstream's kube-scheduler.
 */
import type { Component } from '../base/lifecycle.ts';
import type { Metrics } from '../base/metrics.ts';
import { createSchedulerMetrics } from './metrics.ts';
import { defaultPlugins } from './plugins/index.ts';
import { Scheduler, type SchedulerDeps } from './scheduler.ts';

export const DEFAULT_SCHEDULER_NAME = 'default-scheduler';

export function createScheduler(deps: Omit<SchedulerDeps, 'metrics'> & { readonly metrics: Metrics }): Component {
  return new Scheduler(
    { schedulerName: DEFAULT_SCHEDULER_NAME, plugins: defaultPlugins },
    { ...deps, metrics: createSchedulerMetrics(deps.metrics) },
  );
}
