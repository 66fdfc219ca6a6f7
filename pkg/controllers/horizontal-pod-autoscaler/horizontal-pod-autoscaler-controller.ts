import { resources } from '../../api/generated/resources.ts';
import type { HorizontalPodAutoscaler, Pod } from '../../api/generated/types.ts';
import type { LabelQuery } from '../../api/label-query.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer, Lister } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { ReconcileResult, Reconciler, Request, Source } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { afterSync, requestOf } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { AutoscalerPass } from './autoscaler-pass.ts';
import type { History } from './behavior.ts';
import { MetricsSource } from './metrics-source.ts';

/** How often each autoscaler is looked at; for the first time so long after it was created or changed. */
const PERIOD_MS = 15_000;

type Autoscaler = DeepReadonly<HorizontalPodAutoscaler>;

/** Scales whatever has a scale by what its pods use, or by other metrics. Costs nothing while there is no autoscaler. */
export function newHorizontalPodAutoscalerController(deps: ControllerCommonDeps): Component {
  const autoscalers = deps.informers.for(resources.horizontalpodautoscalers);
  const pods = deps.informers.for(resources.pods);
  return new Controller(
    {
      name: 'horizontal-pod-autoscaler-controller',
      sources: [afterPeriod(autoscalers), afterSync(pods)],
      reconciler: new HorizontalPodAutoscalerReconciler({
        ...deps,
        autoscalers: autoscalers.lister,
        pods: pods.lister,
        source: new MetricsSource(deps),
        recorder: recorderFor('horizontal-pod-autoscaler', deps),
      }),
    },
    deps,
  );
}

function afterPeriod(autoscalers: Informer<HorizontalPodAutoscaler>): Source {
  return {
    async start(enqueue, signal) {
      const add = (autoscaler: Autoscaler): void => {
        for (const request of requestOf(autoscaler)) enqueue(request, PERIOD_MS);
      };
      const remove = autoscalers.addHandler({
        onAdd: add,
        onDelete: add,
        onUpdate(next, old) {
          if (!equalJSON(next.spec, old.spec)) add(next);
        },
      });
      signal.addEventListener('abort', remove, { once: true });
      await autoscalers.syncedIfServed(signal);
    },
  };
}

export interface HorizontalPodAutoscalerReconcilerDeps {
  readonly client: Client;
  readonly autoscalers: Lister<HorizontalPodAutoscaler>;
  readonly pods: Lister<Pod>;
  readonly source: MetricsSource;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
}

export class HorizontalPodAutoscalerReconciler implements Reconciler {
  readonly #deps: HorizontalPodAutoscalerReconcilerDeps;
  readonly #histories = new Map<string, History>();
  /** Of each autoscaler, whose pods it counts: two must not count the same ones. */
  readonly #selectors = new Map<string, { readonly namespace: string; readonly query: LabelQuery }>();

  constructor(deps: HorizontalPodAutoscalerReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const key = `${namespace}/${name}`;
    const autoscaler = this.#deps.autoscalers.get(key);
    if (autoscaler === undefined) {
      this.#histories.delete(key);
      this.#selectors.delete(key);
      return undefined;
    }
    const memory = { histories: this.#histories, selectors: this.#selectors };
    const status = await new AutoscalerPass(autoscaler, this.#deps, memory).run();
    if (!equalJSON(status, autoscaler.status ?? {})) {
      await this.#deps.client.updateStatus(resources.horizontalpodautoscalers, { ...autoscaler, status });
    }
    return { requeueAfterMs: PERIOD_MS };
  }
}
