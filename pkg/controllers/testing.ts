import { resources } from '../api/generated/resources.ts';
import type { Pod } from '../api/generated/types.ts';
import { FakeClock } from '../base/clock.ts';
import type { Component } from '../base/lifecycle.ts';
import { silentLogger } from '../base/logger.ts';
import { createInformers } from '../client/informers.ts';
import { FakeCluster } from '../client/testing/fake-cluster.ts';
import type { ControllerCommonDeps } from './deps.ts';

/** Runs controllers against a fake cluster with a fake clock. */
export function startControllers(make: (deps: ControllerCommonDeps) => readonly Component[]) {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const informers = createInformers(cluster.client, { clock, logger: silentLogger, random: () => 0 });
  const deps = { client: cluster.client, informers, clock, logger: silentLogger, random: () => 0 };
  const components = [...make(deps), informers];
  const controller = new AbortController();
  const done = Promise.all(components.map((component) => component.run(controller.signal, () => {})));
  return {
    clock,
    cluster,
    deps,
    /** `reason message` of all events, oldest first. */
    events: (kind?: string): string[] =>
      cluster
        .list(resources.events)
        .filter((event) => kind === undefined || event.involvedObject.kind === kind)
        .toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
        .map((event) => `${event.reason} ${event.message}`),
    async stop(): Promise<void> {
      controller.abort();
      await done;
    },
  };
}

/** Does what a kubelet would: marks all pods of the cluster that run on no node yet as running and ready. */
export function runPods(cluster: FakeCluster, clock: FakeClock, isBroken: (pod: Pod) => boolean = () => false): void {
  for (const { metadata, status, spec } of cluster.list(resources.pods)) {
    if (status?.phase === 'Succeeded' || status?.phase === 'Failed') continue;
    if (status?.phase === 'Running' && spec.nodeName) continue;
    cluster.change<Pod>(resources.pods, metadata, (pod) => {
      pod.spec.nodeName ||= 'n1';
      if (isBroken(pod)) return;
      const lastTransitionTime = new Date(clock.now()).toISOString();
      pod.status = {
        ...pod.status,
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }],
      };
    });
  }
}

/** Lets deleted pods go, as a kubelet that has stopped their containers. */
export function finishPods(cluster: FakeCluster): void {
  for (const { metadata } of cluster.list(resources.pods)) {
    if (metadata.deletionTimestamp !== undefined) cluster.remove(resources.pods, metadata);
  }
}
