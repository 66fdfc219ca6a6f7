import type { Pod, Service, ServicePort } from '../api/generated/types.ts';
import { type DeepReadonly, keyOf } from '../api/object.ts';
import { matchesLabels } from '../api/selector.ts';
import { equalJSON } from '../base/json.ts';
import type { Informer } from '../client/client.ts';
import type { Request, Source } from '../controller/controller.ts';
import { fromInformer } from '../controller/sources.ts';
import { isPodReady, isPodTerminal, type ReadPod } from './pod-status.ts';

export type ReadService = DeepReadonly<Service>;

export const HEADLESS_LABEL = 'service.kubernetes.io/headless';
export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

/** Services and the pods behind them, as sources of a controller of services. */
export function serviceSources(services: Informer<Service>, pods: Informer<Pod>): Source[] {
  return [
    fromInformer(services),
    fromInformer(pods, {
      map: (pod) => servicesOf(pod, services),
      updated: (pod, old) => !equalJSON(relevant(pod), relevant(old)),
    }),
  ];
}

/** Pods that a Service selects and that have an address, in the order of their keys. */
export function podsOf(service: ReadService, pods: Informer<Pod>): ReadPod[] {
  const selector = service.spec.selector ?? {};
  const selected: ReadPod[] = [];
  for (const pod of pods.lister.list(service.metadata.namespace)) {
    if (pod.status?.podIP && !isPodTerminal(pod) && matchesLabels(selector, pod.metadata.labels)) selected.push(pod);
  }
  return selected.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** Endpoints are made for it: it selects pods and is no mere name. */
export function hasEndpoints(service: ReadService): boolean {
  return service.spec.selector !== undefined && service.spec.type !== 'ExternalName';
}

/** The number of a Service's port on a pod; undefined: the pod has no port of that name. */
export function targetPort(pod: ReadPod, port: DeepReadonly<ServicePort>): number | undefined {
  const wanted = port.targetPort ?? port.port;
  if (typeof wanted === 'number') return wanted;
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  for (const container of [...pod.spec.containers, ...sidecars]) {
    for (const { name, protocol = 'TCP', containerPort } of container.ports ?? []) {
      if (name === wanted && protocol === (port.protocol ?? 'TCP')) return containerPort;
    }
  }
  return undefined;
}

/** The pod's host name inside the Service's domain, where it has one. */
export function hostnameIn(service: ReadService, pod: ReadPod): string | undefined {
  const { hostname, subdomain } = pod.spec;
  return hostname && subdomain === service.metadata.name ? hostname : undefined;
}

function servicesOf(pod: ReadPod, services: Informer<Service>): readonly Request[] {
  const { namespace, labels } = pod.metadata;
  const requests: Request[] = [];
  for (const service of services.lister.list(namespace)) {
    if (hasEndpoints(service) && matchesLabels(service.spec.selector ?? {}, labels)) {
      requests.push({ namespace, name: service.metadata.name });
    }
  }
  return requests;
}

function relevant(pod: ReadPod): unknown {
  const { labels, deletionTimestamp } = pod.metadata;
  const { nodeName, hostname, subdomain } = pod.spec;
  const ips = pod.status?.podIPs;
  return [labels, deletionTimestamp, nodeName, hostname, subdomain, ips, isPodReady(pod), isPodTerminal(pod)];
}
