/**
 * The scheduler: a queue of pods without a node, the state of nodes and what is on them, and a framework of plugins that filter
 * and score. It writes bindings, conditions, evictions of preempted pods, the choice of nodes for volumes, and events.
 * Corresponds to upstream's kube-scheduler.
 */
import type { ObjectKey } from '../api/object.ts';
import type { Component } from '../base/lifecycle.ts';
import { defaultConfiguration, type SchedulerConfiguration } from './config/configuration.ts';
import { type ExplainDeps, explainPod as explain } from './explain/explain-pod.ts';
import type { Explanation } from './explain/explanation.ts';
import { createExtenderTransport } from './extenders/http-transport.ts';
import { Scheduler, type SchedulerDeps } from './scheduler.ts';

export { DEFAULT_SCHEDULER_NAME, defaultConfiguration, type SchedulerConfiguration } from './config/configuration.ts';
export { readConfiguration } from './config/read-configuration.ts';
export { SchedulerConfigError } from './config/reader.ts';
export { formatExplanation } from './explain/explanation.ts';

/** Throws a SchedulerConfigError when the configuration's plugins do not go together. */
export function createScheduler(
  deps: Omit<SchedulerDeps, 'extenderTransport'>,
  configuration: SchedulerConfiguration = defaultConfiguration,
): Component {
  return new Scheduler(configuration, { ...deps, extenderTransport: createExtenderTransport() });
}

/** What every plugin and extender says about every node for one pod. Throws what the API server says. */
export function explainPod(
  key: ObjectKey,
  configuration: SchedulerConfiguration,
  deps: Omit<ExplainDeps, 'extenderTransport'>,
  signal: AbortSignal,
): Promise<Explanation> {
  return explain(key, configuration, { ...deps, extenderTransport: createExtenderTransport() }, signal);
}
