import { isStatusError } from '../api/errors.ts';
import type { ReadYAML } from '../api/schema/yaml-reader.ts';
import { aborted } from '../base/abort.ts';
import { Backoff } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';
import { equalJSON } from '../base/json.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Client } from '../client/client.ts';
import { ignoreNotFound } from '../client/retry.ts';
import { type AppliedObject, type AppliedSet, AppliedSetStore, leftovers } from './applied-set.ts';
import { inApplyOrder, type Manifest, type ManifestObject, parseManifest } from './manifest.ts';
import type { ManifestSource } from './manifest-directory.ts';
import { ResourceTypes } from './resource-types.ts';

export const FIELD_MANAGER = 'kube-lite-deploy';
/** An editor writes a file in several steps. */
const SETTLE_MS = 200;

export interface DeployerOptions {
  /** The manifests that come with the executable. Their names begin with `bundled/`. */
  readonly bundled: readonly Manifest[];
}

export interface DeployerDeps {
  readonly client: Client;
  readonly readYAML: ReadYAML;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly source: ManifestSource;
}

interface Pass {
  readonly applied: AppliedSet;
  readonly failures: number;
}

/**
 * Keeps the objects of the bundled manifests and of the user's directory applied, and deletes what is no longer in them.
 * A file that cannot be read or applied keeps what was applied for it and is tried again. Ready after the first pass.
 */
export class Deployer implements Component {
  readonly name = 'deploy';
  readonly #options: DeployerOptions;
  readonly #deps: DeployerDeps;
  readonly #store: AppliedSetStore;
  /** What each manifest was when it was last applied without failures. */
  readonly #done = new Map<string, string>();
  #wake: () => void = () => {};
  #changed = false;

  constructor(options: DeployerOptions, deps: DeployerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#store = new AppliedSetStore(deps.client);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const backoff = new Backoff({ initialMs: 500, maxMs: 60_000 });
    let isReady = false;
    let isWatching = false;
    while (!signal.aborted) {
      this.#changed = false;
      let failures = 1;
      try {
        const manifests = await this.#deps.source.read();
        if (!isWatching) this.#deps.source.watch(() => this.#onChange(), signal);
        isWatching = true;
        failures = await this.#pass([...this.#options.bundled, ...manifests], signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#deps.logger.warn({ err: error }, 'manifests were not applied');
      }
      if (!isReady) ready();
      isReady = true;
      if (failures === 0) backoff.reset();
      await this.#nextPass(failures === 0 ? undefined : backoff.next(), signal);
    }
  }

  #onChange(): void {
    this.#changed = true;
    this.#wake();
  }

  /** Waits for a change, or for `retryMs` after failures. */
  async #nextPass(retryMs: number | undefined, signal: AbortSignal): Promise<void> {
    if (!this.#changed) {
      const change = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const stopped = new AbortController();
      const waits = [change, aborted(signal)];
      if (retryMs !== undefined) waits.push(this.#deps.clock.sleep(retryMs, stopped.signal));
      await Promise.race(waits);
      stopped.abort();
    }
    if (this.#changed) await this.#deps.clock.sleep(SETTLE_MS, signal);
  }

  /** Applies what has changed, deletes what has left; returns the number of manifests that failed. */
  async #pass(manifests: readonly Manifest[], signal: AbortSignal): Promise<number> {
    const before = await this.#store.load(signal);
    const { applied, failures } = await this.#applyAll(manifests, before, signal);
    // Noted before anything is deleted: what is not noted would never be pruned.
    const all = { ...before, ...applied };
    if (!equalJSON(all, before)) await this.#store.save(all, signal);
    const types = new ResourceTypes(this.#deps.client);
    for (const object of leftovers(before, applied)) await this.#prune(object, types, signal);
    if (!equalJSON(applied, all)) await this.#store.save(applied, signal);
    return failures;
  }

  async #applyAll(manifests: readonly Manifest[], before: AppliedSet, signal: AbortSignal): Promise<Pass> {
    const applied: Record<string, readonly AppliedObject[]> = {};
    let failures = 0;
    for (const name of this.#done.keys())
      if (!manifests.some((manifest) => manifest.name === name)) this.#done.delete(name);
    for (const manifest of manifests) {
      const { name, text } = manifest;
      if (this.#done.get(name) === text && before[name] !== undefined) {
        applied[name] = before[name];
        continue;
      }
      try {
        applied[name] = await this.#apply(await parseManifest(manifest, this.#deps.readYAML), signal);
        this.#done.set(name, text);
        this.#deps.logger.info({ manifest: name }, 'manifest applied');
      } catch (error) {
        signal.throwIfAborted();
        failures++;
        this.#done.delete(name);
        if (before[name] !== undefined) applied[name] = before[name];
        const reason = describeError(error);
        this.#deps.logger.warn({ manifest: name, reason }, 'manifest was not applied');
      }
    }
    return { applied, failures };
  }

  async #apply(objects: readonly ManifestObject[], signal: AbortSignal): Promise<AppliedObject[]> {
    const types = new ResourceTypes(this.#deps.client);
    const done: AppliedObject[] = [];
    for (const object of inApplyOrder(objects)) {
      const { apiVersion, kind } = object;
      const type = await types.find(apiVersion, kind, signal);
      if (type === undefined) throw new Error(`no such kind: ${apiVersion} ${kind}`);
      const { name } = object.metadata;
      const namespace = type.namespaced ? (object.metadata.namespace ?? 'default') : undefined;
      const key = { name, ...(namespace === undefined ? {} : { namespace }) };
      const body = { ...object, metadata: { ...object.metadata, ...key } };
      const options = { fieldManager: FIELD_MANAGER, force: true };
      await this.#deps.client.patch(type, key, 'apply', body, options, signal);
      done.push({ apiVersion, kind, ...key });
    }
    return done;
  }

  async #prune(object: AppliedObject, types: ResourceTypes, signal: AbortSignal): Promise<void> {
    const type = await types.find(object.apiVersion, object.kind, signal);
    // With its definition the object has gone as well.
    if (type === undefined) return;
    try {
      const options = { propagationPolicy: 'Background' };
      await ignoreNotFound(this.#deps.client.delete(type, object, options, signal));
      this.#deps.logger.info({ object }, 'object pruned');
    } catch (error) {
      if (!isStatusError(error, 'Forbidden')) throw error;
      this.#deps.logger.warn({ err: error, object }, 'object may not be pruned');
    }
  }
}
