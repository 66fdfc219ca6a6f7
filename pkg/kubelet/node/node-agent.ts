import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Node as ApiNode, NodeStatus } from '../../api/generated/types.ts';
import type { Draft } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import { type Client, retryOnConflict } from '../../client/index.ts';
import type { Image, RuntimeStatus, RuntimeVersion } from '../../cri/index.ts';
import type { KubeletContext } from '../context.ts';
import type { Node } from '../types.ts';
import { conditionEvents, nodeLabels, nodeStatus, withoutHeartbeats } from './node-status.ts';

/** Tells the local-storage controller where volumes can be made. */
const LOCAL_STORAGE_DIRECTORY = 'kube-lite.io/local-storage-directory';
const CHECK_MS = 10_000;
/** While the node is not ready it is looked at more often, so that a start does not wait for the next check. */
const NOT_READY_CHECK_MS = 100;
const SLOW_NOT_READY_CHECK_MS = 2_000;
const FAST_CHECKS = 300;
const REPORT_MS = 300_000;
const REGISTER_RETRY_MS = 500;
const IMAGES_MS = 60_000;

/** Registers the node and keeps its status; writes only what changed, or every five minutes. Ready when it is registered. */
export class NodeAgent implements Component {
  readonly name = 'node';
  readonly #context: KubeletContext;
  #node: Node | undefined;
  #version: RuntimeVersion | undefined;
  #images: readonly Image[] = [];
  #imagesAtMs = Number.NEGATIVE_INFINITY;
  #writtenAtMs = Number.NEGATIVE_INFINITY;

  constructor(context: KubeletContext) {
    this.#context = context;
  }

  get #client(): Client {
    return this.#context.deps.heartbeats ?? this.#context.deps.client;
  }

  get node(): Node | undefined {
    return this.#node;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, logger, recorder } = this.#context.deps;
    while (this.#node === undefined && !signal.aborted) {
      try {
        this.#node = await this.#register(signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error }, 'node could not be registered; trying again');
        await clock.sleep(REGISTER_RETRY_MS, signal);
      }
    }
    if (signal.aborted) return;
    recorder.event(this.#subject(), 'Normal', 'Starting', 'Starting kubelet.');
    ready();
    let fast = 0;
    while (!signal.aborted) {
      let isReady = false;
      try {
        isReady = await this.#update(signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error }, 'node status could not be updated');
      }
      if (isReady) fast = 0;
      const wait = isReady ? CHECK_MS : fast++ < FAST_CHECKS ? NOT_READY_CHECK_MS : SLOW_NOT_READY_CHECK_MS;
      await clock.sleep(wait, signal);
    }
  }

  async #register(signal: AbortSignal): Promise<Node> {
    const { deps, options, machine } = this.#context;
    const { nodeName } = options;
    const annotations = {
      'volumes.kubernetes.io/controller-managed-attach-detach': 'true',
      ...(options.localStorageDir === undefined ? {} : { [LOCAL_STORAGE_DIRECTORY]: options.localStorageDir }),
    };
    const labels = nodeLabels({ machine, nodeName, labels: options.nodeLabels ?? {} });
    const status = await this.#status(undefined, signal);
    try {
      const taints = options.nodeTaints ?? [];
      const spec = taints.length === 0 ? {} : { taints };
      const node = { metadata: { name: nodeName, labels, annotations }, spec, status } as Draft<ApiNode>;
      const made = await deps.client.create(resources.nodes, node, {}, signal);
      this.#tellChanges(made, undefined, status);
      return made;
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists')) throw error;
    }
    return retryOnConflict(async () => {
      const present = await deps.client.get(resources.nodes, { name: nodeName }, signal);
      const merged = { ...present.metadata.labels, ...labels };
      const noted = { ...present.metadata.annotations, ...annotations };
      if (equalJSON(merged, present.metadata.labels) && equalJSON(noted, present.metadata.annotations)) return present;
      const metadata = { ...present.metadata, labels: merged, annotations: noted };
      return deps.client.update(resources.nodes, { ...present, metadata }, {}, signal);
    });
  }

  /** Writes what there is to tell now. */
  async report(signal: AbortSignal): Promise<void> {
    await this.#update(signal);
  }

  /** Looks, and writes when there is something to tell; whether the node is ready. */
  async #update(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#context.deps;
    const client = this.#client;
    const key = { name: this.#context.options.nodeName };
    const overdue = clock.monotonic() - this.#writtenAtMs >= REPORT_MS;
    let current = this.#context.node() ?? this.#node;
    let status = await this.#status(current?.status, signal);
    const same = (node: Node | undefined): boolean =>
      node !== undefined && equalJSON(withoutHeartbeats(node.status ?? {}), withoutHeartbeats(status));
    if (overdue || !same(current)) {
      // Controllers write to nodes too, most of all when these have just registered.
      await retryOnConflict(async () => {
        current = await client.get(resources.nodes, key, signal);
        const before = current.status;
        status = await this.#status(before, signal);
        if (!overdue && same(current)) return;
        this.#node = await client.updateStatus(resources.nodes, { ...current, status } as Draft<ApiNode>, signal);
        this.#writtenAtMs = clock.monotonic();
        this.#tellChanges(this.#node, before, status);
      });
    }
    return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
  }

  #tellChanges(node: Node, before: Node['status'] | undefined, after: NodeStatus): void {
    const { name } = node.metadata;
    const { machine, deps } = this.#context;
    const bootID = before?.nodeInfo?.bootID ?? '';
    if (bootID !== '' && bootID !== machine.bootID) {
      const message = `Node ${name} has been rebooted, boot id: ${machine.bootID}`;
      deps.recorder.event(this.#subject(), 'Warning', 'Rebooted', message);
    }
    for (const { reason } of conditionEvents(node, before, after)) {
      deps.recorder.event(this.#subject(), 'Normal', reason, `Node ${name} status is now: ${reason}`);
    }
  }

  async #status(old: Node['status'] | undefined, signal: AbortSignal): Promise<NodeStatus> {
    const { deps, options, machine } = this.#context;
    let runtime: RuntimeStatus | undefined;
    try {
      this.#version ??= await deps.cri.runtime.version({ signal });
      runtime = await deps.cri.runtime.status({ signal });
      if (deps.clock.monotonic() - this.#imagesAtMs > IMAGES_MS) {
        this.#images = await deps.cri.images.listImages({ signal });
        this.#imagesAtMs = deps.clock.monotonic();
      }
    } catch (error) {
      signal.throwIfAborted();
      deps.logger.debug({ err: error }, 'runtime does not answer');
    }
    const { nodeName, nodeIPs, port, maxPods } = options;
    const { allocatable, pressure, shutdown, devices } = this.#context;
    const facts = {
      machine,
      nodeName,
      nodeIPs,
      port,
      maxPods,
      allocatable,
      pressure: pressure.types,
      shuttingDown: shutdown.underWay,
      devices: devices.amounts(),
    };
    const nowMs = deps.clock.now();
    return nodeStatus({ ...facts, version: this.#version, runtime, images: this.#images, nowMs }, old);
  }

  /** Events about a node carry its name as uid, as upstream's kubelet writes them. */
  #subject(): { apiVersion: string; kind: string; name: string; uid: string } {
    const { nodeName } = this.#context.options;
    return { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName };
  }
}
