import { resources } from '../../api/generated/resources.ts';
import { apiVersionOf, type KubeObject, type ResourceType } from '../../api/object.ts';
import { describeError } from '../../base/errors.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Request, Source } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { type Discovery, discover } from '../discover.ts';
import { syncedWithin } from '../synced-within.ts';
import { Collector } from './collect.ts';
import { type GraphNode, ObjectGraph, type OwnerRef } from './object-graph.ts';

/** `resource.group` of what is not looked at. */
const IGNORED = new Set([
  // Neither owns nor is owned, and there are many.
  'events.',
  'events.events.k8s.io',
  // The same objects as in apps and networking.k8s.io: they would be watched twice, in copies.
  'deployments.extensions',
  'ingresses.extensions',
]);
/** A new CRD is served a moment after it was written; several come together. */
const REDISCOVER_AFTER_MS = 500;
/** What has not been listed after this time is waited for no longer: other parts of the process start after this one. */
const SYNC_MS = 5000;
/** An API that did not answer is asked for again. */
const RETRY_MS = 30_000;

/** Deletes objects whose owners are gone, for all resources that the server has, custom ones included. */
export function newGarbageCollector(deps: ControllerCommonDeps): Component {
  let enqueue: (request: Request) => void = () => {};
  const touch = (uid: string): void => enqueue({ namespace: '', name: uid });
  const recorder = recorderFor('garbage-collector-controller', deps);
  const graph = new ObjectGraph(touch, (dependent, reference) => tellElsewhere(recorder, dependent, reference));
  const source = new GraphSource(graph, deps);
  const collector = new Collector({
    ...deps,
    graph,
    touch,
    typeOf: (apiVersion, kind) => source.discovery?.typeOf(apiVersion, kind),
  });
  return new Controller(
    {
      name: 'garbage-collector-controller',
      sources: [
        {
          start(add, signal) {
            enqueue = add;
            return source.start(add, signal);
          },
        },
      ],
      reconciler: collector,
      workers: 20,
    },
    deps,
  );
}

function tellElsewhere(recorder: EventRecorder, { type, namespace, name, uid }: GraphNode, owner: OwnerRef): void {
  const identity = `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`;
  recorder.event(
    { apiVersion: apiVersionOf(type), kind: type.kind, name, uid, ...(namespace === '' ? {} : { namespace }) },
    'Warning',
    'OwnerRefInvalidNamespace',
    `ownerRef ${identity} does not exist in namespace "${namespace}"`,
  );
}

interface Watched {
  readonly type: ResourceType;
  readonly stop: () => void;
}

/** Keeps the graph fed from informers of everything that can be listed, watched and deleted. */
class GraphSource implements Source {
  readonly #graph: ObjectGraph;
  readonly #deps: ControllerCommonDeps;
  readonly #watched = new Map<string, Watched>();
  discovery: Discovery | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(graph: ObjectGraph, deps: ControllerCommonDeps) {
    this.#graph = graph;
    this.#deps = deps;
  }

  async start(_: unknown, signal: AbortSignal): Promise<void> {
    const { informers, clock, logger } = this.#deps;
    signal.addEventListener('abort', () => this.#stop(), { once: true });
    await this.#refresh(signal);
    const started = [...this.#watched.values()].map(({ type }) => informers.for(type));
    if (!(await syncedWithin(started, SYNC_MS, clock, signal)))
      logger.warn({}, 'not all objects are known yet, which is not waited for');
    const changed = (): void => this.#refreshAfter(REDISCOVER_AFTER_MS, signal);
    for (const type of [resources.customresourcedefinitions, resources.apiservices] as const) {
      const informer = informers.for(type as unknown as ResourceType);
      let first = true;
      const remove = informer.addHandler({
        onAdd: () => first || changed(),
        onUpdate: changed,
        onDelete: changed,
      });
      first = false;
      signal.addEventListener('abort', remove, { once: true });
    }
  }

  #stop(): void {
    this.#cancelTimer?.();
    for (const { stop } of this.#watched.values()) stop();
  }

  #refreshAfter(ms: number, signal: AbortSignal): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#deps.clock.after(ms, () => {
      this.#refresh(signal).catch((error: unknown) => {
        if (signal.aborted) return;
        this.#deps.logger.warn({ err: error }, 'discovery failed');
        this.#refreshAfter(RETRY_MS, signal);
      });
    });
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const discovery = await discover(this.#deps.client, signal);
    this.discovery = discovery;
    const wanted = new Map<string, ResourceType>();
    for (const { type, verbs } of discovery.resources) {
      const key = `${type.resource}.${type.group}`;
      if (IGNORED.has(key) || !['list', 'watch', 'delete'].every((verb) => verbs.includes(verb))) continue;
      wanted.set(key, type);
    }
    for (const [key, type] of wanted) if (!this.#watched.has(key)) this.#watch(key, type);
    const failed = new Set(discovery.failures.map(({ groupVersion }) => groupVersion.split('/')[0]));
    for (const [key, { type, stop }] of this.#watched) {
      if (wanted.has(key) || failed.has(type.group)) continue;
      stop();
      this.#watched.delete(key);
      this.#deps.informers.release(type);
    }
    if (discovery.failures.length > 0 && !signal.aborted) {
      const failures = discovery.failures.map(({ groupVersion, error }) => `${groupVersion}: ${describeError(error)}`);
      this.#deps.logger.warn({ failures }, 'some APIs did not answer');
      this.#refreshAfter(RETRY_MS, signal);
    }
  }

  #watch(key: string, type: ResourceType): void {
    const uids = new Set<string>();
    const remove = this.#deps.informers.for<KubeObject>(type).addHandler({
      onAdd: (object) => {
        uids.add(object.metadata.uid);
        this.#graph.put(type, object);
      },
      onUpdate: (object) => this.#graph.put(type, object),
      onDelete: (object) => {
        uids.delete(object.metadata.uid);
        this.#graph.remove(object.metadata.uid);
      },
    });
    const stop = (): void => {
      remove();
      for (const uid of uids) this.#graph.remove(uid);
    };
    this.#watched.set(key, { type, stop });
  }
}
