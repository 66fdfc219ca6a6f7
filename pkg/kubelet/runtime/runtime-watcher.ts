import type { Component } from '../../base/lifecycle.ts';
import { runTogether } from '../../base/lifecycle.ts';
import { isCriError } from '../../cri/index.ts';
import { NODE_LABEL, POD_UID_LABEL } from '../labels.ts';
import type { KubeletDeps } from '../options.ts';
import type { KubeletMetrics } from '../stats/kubelet-metrics.ts';

export interface RuntimeWatcherDeps {
  readonly deps: KubeletDeps;
  readonly metrics: KubeletMetrics;
  readonly nodeName: string;
  /** A container (or sandbox) ended. */
  readonly stopped: (containerID: string) => void;
  /** Something of this pod may have changed. */
  readonly changed: (podUID: string) => void;
  readonly hasPods: () => boolean;
}

/** Between listings while the runtime tells of changes itself, and while it does not (upstream's relist period). */
const SLOW_RELIST_MS = 60_000;
const FAST_RELIST_MS = 1_000;
const RECONNECT_MS = 200;
/** A stream that has lived this long without an error is up. */
const CONNECTED_AFTER_MS = 1_000;
const NO_EVENTS_MS = 300_000;

/** Notices what happens in the runtime: by its event stream, and by listing everything now and then. */
export class RuntimeWatcher implements Component {
  readonly name = 'runtime-watcher';
  readonly #options: RuntimeWatcherDeps;
  /** `id -> state` of the last listing. */
  #known = new Map<string, { state: string; uid: string }>();
  #streaming = false;
  #relist: () => void = () => {};

  constructor(options: RuntimeWatcherDeps) {
    this.#options = options;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    await runTogether(signal, [(child) => this.#follow(child), (child) => this.#list(child)]);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { deps, stopped } = this.#options;
    while (!signal.aborted) {
      let wait = RECONNECT_MS;
      const connected = (): void => {
        if (this.#streaming) return;
        this.#streaming = true;
        this.#relist();
      };
      // Not every source tells when it is connected; one without events fails at once.
      const cancel = deps.clock.after(CONNECTED_AFTER_MS, connected);
      try {
        for await (const event of deps.cri.runtime.containerEvents(signal, connected)) {
          if (event.type === 'stopped' || event.type === 'deleted') stopped(event.containerId);
        }
      } catch (error) {
        deps.logger.debug({ err: error }, 'runtime events broke');
        if (isCriError(error, 'Unimplemented')) wait = NO_EVENTS_MS;
      }
      cancel();
      this.#streaming = false;
      this.#relist();
      await deps.clock.sleep(wait, signal);
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { deps, hasPods, metrics } = this.#options;
    let lastMs: number | undefined;
    while (!signal.aborted) {
      if (hasPods()) {
        try {
          const startedMs = deps.clock.monotonic();
          await this.#compare(signal);
          const nowMs = deps.clock.monotonic();
          const intervalSeconds = lastMs === undefined ? undefined : (nowMs - lastMs) / 1000;
          metrics.relisted((nowMs - startedMs) / 1000, intervalSeconds);
          lastMs = nowMs;
        } catch (error) {
          if (!signal.aborted) deps.logger.debug({ err: error }, 'runtime could not be listed');
        }
      }
      metrics.runtimeSeen(deps.clock.now());
      const skip = new AbortController();
      this.#relist = () => skip.abort();
      await deps.clock.sleep(this.#streaming ? SLOW_RELIST_MS : FAST_RELIST_MS, AbortSignal.any([signal, skip.signal]));
    }
  }

  async #compare(signal: AbortSignal): Promise<void> {
    const { deps, changed, nodeName } = this.#options;
    const labelSelector = { [NODE_LABEL]: nodeName };
    const [sandboxes, containers] = await Promise.all([
      deps.cri.runtime.listPodSandbox({ labelSelector }, { signal }),
      deps.cri.runtime.listContainers({ labelSelector }, { signal }),
    ]);
    const current = new Map<string, { state: string; uid: string }>();
    for (const { id, state, labels } of [...sandboxes, ...containers]) {
      current.set(id, { state, uid: labels[POD_UID_LABEL] ?? '' });
    }
    const uids = new Set<string>();
    for (const [id, { state, uid }] of current) if (this.#known.get(id)?.state !== state) uids.add(uid);
    for (const [id, { uid }] of this.#known) if (!current.has(id)) uids.add(uid);
    this.#known = current;
    for (const uid of uids) changed(uid);
  }
}
