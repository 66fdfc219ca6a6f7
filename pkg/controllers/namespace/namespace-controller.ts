import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Namespace, Pod } from '../../api/generated/types.ts';
import type { DeepReadonly, KubeList, KubeObject, ResourceType } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';
import { type DiscoveredResource, discover } from '../discover.ts';
import { isPodTerminal } from '../pod-status.ts';
import { type ContentReport, deletionConditions } from './conditions.ts';

const TYPE = resources.namespaces;
const FINALIZER = 'kubernetes';
/** How soon a namespace with content left is looked at again; the end of its pods is noticed at once. */
const RECHECK_MS = 3000;

export interface NamespaceReconcilerDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly namespaces: Informer<Namespace>;
}

/** Empties namespaces that are being deleted. */
export function newNamespaceController(deps: ControllerCommonDeps): Component {
  const namespaces = deps.informers.for(TYPE);
  const isTerminating = (name: string): boolean =>
    namespaces.lister.get(name)?.metadata.deletionTimestamp !== undefined;
  return new Controller(
    {
      name: 'namespace-controller',
      sources: [
        fromInformer(namespaces),
        // The rest of the content goes when the last pod has gone.
        fromInformer(deps.informers.for(resources.pods), {
          map: ({ metadata: { namespace } }) => (isTerminating(namespace) ? [{ namespace: '', name: namespace }] : []),
          updated: () => false,
        }),
      ],
      reconciler: new NamespaceReconciler({ ...deps, namespaces }),
      // As many as upstream has: one may wait for another API server.
      workers: 10,
      rateLimit: { initialMs: 100, maxMs: 60_000 },
    },
    deps,
  );
}

export class NamespaceReconciler implements Reconciler {
  readonly #deps: NamespaceReconcilerDeps;

  constructor(deps: NamespaceReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ name }: Request, signal: AbortSignal): Promise<ReconcileResult> {
    const { client, namespaces, clock } = this.#deps;
    let namespace = namespaces.lister.get(name);
    if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
    if (!(namespace.spec?.finalizers ?? []).includes(FINALIZER)) return undefined;
    try {
      if (namespace.status?.phase !== 'Terminating') {
        const status = { ...namespace.status, phase: 'Terminating' };
        namespace = await client.updateStatus(TYPE, { ...namespace, status });
      }
      const report = await this.#deleteContent(namespace, signal);
      const present = namespace.status?.conditions ?? [];
      const conditions = deletionConditions(report, present, clock.now());
      if (!equalJSON(conditions, present)) {
        const status = { ...namespace.status, phase: 'Terminating', conditions };
        namespace = await client.updateStatus(TYPE, { ...namespace, status });
      }
      const isEmpty = !report.podsLeft && report.remaining.length === 0 && report.deletionErrors.length === 0;
      if (!isEmpty || report.discoveryErrors.length > 0) return { requeueAfterMs: RECHECK_MS };
      await this.#finalize(namespace);
    } catch (error) {
      if (isStatusError(error, 'NotFound')) return undefined;
      throw error;
    }
    return undefined;
  }

  async #finalize(namespace: DeepReadonly<Namespace>): Promise<void> {
    const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
    const spec = { ...namespace.spec, finalizers };
    await this.#deps.client.update(TYPE, { ...namespace, spec }, { subresource: 'finalize' });
  }

  /**
   * Pods go first; everything else when none is left, so that they keep what they run on. What is left is told only when it
   * is no pod's turn any more.
   */
  async #deleteContent(namespace: DeepReadonly<Namespace>, signal: AbortSignal): Promise<ContentReport & PodsLeft> {
    const discovery = await discover(this.#deps.client, signal);
    const report: Report = {
      discoveryErrors: discovery.failures.map(({ groupVersion, error }) => `${groupVersion}: ${describeError(error)}`),
      deletionErrors: [],
      remaining: [],
      finalizers: new Map(),
    };
    const content = discovery.resources.filter(({ type, verbs }) => type.namespaced && verbs.includes('delete'));
    for (const resource of content.filter(isPods)) await this.#deleteAll(resource, namespace, report);
    if (report.remaining.length > 0) return { ...report, remaining: [], finalizers: new Map(), podsLeft: true };
    const others = content.filter((resource) => !isPods(resource));
    await Promise.all(others.map((resource) => this.#deleteAll(resource, namespace, report)));
    return { ...report, podsLeft: false };
  }

  async #deleteAll(
    { type, verbs }: DiscoveredResource,
    { metadata: { name: namespace, deletionTimestamp } }: DeepReadonly<Namespace>,
    report: Report,
  ): Promise<void> {
    const { client, clock } = this.#deps;
    try {
      let list: KubeList<KubeObject> | undefined = await client.list(type, { namespace });
      if (list.items.length === 0) return;
      const graceMs = isPods({ type }) ? graceSeconds(list.items as readonly DeepReadonly<Pod>[]) * 1000 : 0;
      const options = { propagationPolicy: 'Background' };
      if (verbs.includes('deletecollection')) await client.deleteCollection(type, { namespace }, options);
      else for (const { metadata } of list.items) await ignoreNotFound(client.delete(type, metadata, options));
      list = await client.list(type, { namespace });
      if (list.items.length === 0) return;
      report.remaining.push({ type, count: list.items.length });
      const finalizers = list.items.flatMap(({ metadata }) => metadata.finalizers ?? []);
      for (const finalizer of finalizers) {
        report.finalizers.set(finalizer, (report.finalizers.get(finalizer) ?? 0) + 1);
      }
      const isEnding = clock.now() - Date.parse(deletionTimestamp ?? '') < graceMs;
      if (!isEnding && finalizers.length === 0) report.deletionErrors.push(unexpectedItems(namespace, type));
    } catch (error) {
      if (isStatusError(error, 'NotFound') || isStatusError(error, 'MethodNotAllowed')) return;
      report.deletionErrors.push(describeError(error));
    }
  }
}

interface PodsLeft {
  readonly podsLeft: boolean;
}

interface Report extends ContentReport {
  readonly deletionErrors: string[];
  readonly remaining: { type: ResourceType; count: number }[];
  readonly finalizers: Map<string, number>;
}

function isPods({ type }: Pick<DiscoveredResource, 'type'>): boolean {
  return type.group === '' && type.resource === 'pods';
}

/** The longest time that one of the pods may take to end. */
function graceSeconds(pods: readonly DeepReadonly<Pod>[]): number {
  const running = pods.filter((pod) => !isPodTerminal(pod));
  return Math.max(0, ...running.map(({ spec }) => spec.terminationGracePeriodSeconds ?? 0));
}

function unexpectedItems(namespace: string, { group, version, resource }: ResourceType): string {
  return `unexpected items still remain in namespace: ${namespace} for gvr: ${group}/${version}, Resource=${resource}`;
}
