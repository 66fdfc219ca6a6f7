import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Endpoints, Pod, Service } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { isNamespaceTerminating, messageOf } from '../pod-control.ts';
import {
  HEADLESS_LABEL,
  hasEndpoints,
  podsOf,
  type ReadService,
  serviceSources,
  TRIGGER_TIME,
} from '../service-pods.ts';
import { TriggerTimes } from '../trigger-time.ts';
import { subsetsOf } from './subsets.ts';

const TYPE = resources.endpoints;
const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';

export interface EndpointsReconcilerDeps {
  readonly client: Client;
  readonly services: Informer<Service>;
  readonly pods: Informer<Pod>;
  readonly endpoints: Informer<Endpoints>;
  readonly recorder: EventRecorder;
}

/** Keeps the Endpoints of each Service that selects pods. */
export function newEndpointsController(deps: ControllerCommonDeps): Component {
  const services = deps.informers.for(resources.services);
  const pods = deps.informers.for(resources.pods);
  const endpoints = deps.informers.for(TYPE);
  return new Controller(
    {
      name: 'endpoint-controller',
      sources: [...serviceSources(services, pods), fromInformer(endpoints)],
      reconciler: new EndpointsReconciler({
        ...deps,
        services,
        pods,
        endpoints,
        recorder: recorderFor('endpoint-controller', deps),
      }),
    },
    deps,
  );
}

export class EndpointsReconciler implements Reconciler {
  readonly #deps: EndpointsReconcilerDeps;
  readonly #triggers = new TriggerTimes();

  constructor(deps: EndpointsReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { client, services, pods, endpoints } = this.#deps;
    const key = `${namespace}/${name}`;
    const service = services.lister.get(key);
    const current = endpoints.lister.get(key);
    if (service === undefined) {
      this.#triggers.forget(key);
      // Others (leader election by Endpoints) are left alone.
      if (current !== undefined && isOurs(current)) await ignoreNotFound(client.delete(TYPE, { namespace, name }));
      return undefined;
    }
    if (!hasEndpoints(service)) return undefined;
    const selected = podsOf(service, pods);
    const subsets = subsetsOf(service, selected);
    const labels = labelsOf(service);
    if (
      current !== undefined &&
      equalJSON(current.subsets ?? [], subsets) &&
      equalJSON(current.metadata.labels ?? {}, labels)
    ) {
      return undefined;
    }
    const trigger = this.#triggers.next(key, service, selected);
    const { [TRIGGER_TIME]: _, ...annotations } = current?.metadata.annotations ?? {};
    const metadata = {
      ...(current?.metadata ?? { namespace, name }),
      labels,
      annotations: { ...annotations, ...(trigger === undefined ? {} : { [TRIGGER_TIME]: trigger }) },
    };
    try {
      if (current === undefined) await client.create(TYPE, { metadata, subsets });
      else await client.update(TYPE, { ...current, metadata, subsets });
    } catch (error) {
      if (isNamespaceTerminating(error) || isStatusError(error, 'NotFound')) return undefined;
      this.#tellFailure(metadata, current === undefined, error);
      throw error;
    }
    return undefined;
  }

  #tellFailure({ namespace, name }: { namespace: string; name: string }, isNew: boolean, error: unknown): void {
    const key = `${namespace}/${name}`;
    const subject = { apiVersion: 'v1', kind: 'Endpoints', namespace, name };
    const [reason, what] = isNew
      ? ['FailedToCreateEndpoint', `create endpoint for service ${key}`]
      : ['FailedToUpdateEndpoint', `update endpoint ${key}`];
    this.#deps.recorder.event(subject, 'Warning', reason, `Failed to ${what}: ${messageOf(error)}`);
  }
}

function isOurs(endpoints: DeepReadonly<Endpoints>): boolean {
  return endpoints.metadata.labels?.[MANAGED_BY] === 'endpoint-controller';
}

function labelsOf(service: ReadService): Record<string, string> {
  const { [HEADLESS_LABEL]: _, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    [MANAGED_BY]: 'endpoint-controller',
    ...(service.spec.clusterIP === 'None' ? { [HEADLESS_LABEL]: '' } : {}),
  };
}
