import type { ResourceDefinition } from '../../api/definition.ts';
import { isStatusError } from '../../api/errors.ts';
import { aborted } from '../../base/abort.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { AsyncQueue } from '../../base/queue.ts';
import type { Client } from '../../client/client.ts';
import type { ObjectReader } from '../contract.ts';
import type { Definitions } from '../definitions.ts';
import { cleanUp } from './cleanup.ts';
import { isTrue } from './conditions.ts';
import type { ConversionDeps } from './conversion-webhook.ts';
import { definitionsOf } from './definition.ts';
import { ruleLoader } from './rule-loader.ts';
import { nextStatus } from './status.ts';
import { CLEANUP_FINALIZER, type CRD, CRDS, storageVersionOf } from './types.ts';

/** The part of the API server that definitions come from and go to. */
export interface ResourceServer {
  readonly reader: ObjectReader;
  readonly definitions: Definitions;
  addDefinition(definition: ResourceDefinition): Promise<void>;
  removeDefinition(definition: ResourceDefinition): void;
}

/** The rest of ConversionDeps is for versions that a webhook converts. */
export interface CustomResourcesDeps extends ConversionDeps {
  readonly server: ResourceServer;
  readonly client: Client;
  readonly logger: Logger;
}

interface Served {
  readonly group: string;
  /** What the definitions were made from; the same object parts make the same definitions. */
  readonly from: unknown;
  readonly definitions: readonly ResourceDefinition[];
}

const RETRY_MS = 1000;

/**
 * Serves what CustomResourceDefinitions define. For each definition that changed: decides about its names and conditions, writes
 * them down, adds or replaces the resources of its served versions, and ends the instances of one that is being deleted.
 */
export class CustomResources implements Component {
  readonly name = 'custom-resources';
  readonly #deps: CustomResourcesDeps;
  readonly #served = new Map<string, Served>();
  readonly #groups = new Map<string, string>();
  readonly #waiting = new Set<string>();
  readonly #cleanups = new Map<string, Promise<void>>();
  readonly #queue = new AsyncQueue<string>();
  readonly #loadRules = ruleLoader();

  #isReady = false;

  constructor(deps: CustomResourcesDeps) {
    this.#deps = deps;
  }

  /** Everything that was defined before the start is served. */
  get isReady(): boolean {
    return this.#isReady;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { reader } = this.#deps.server;
    const stop = reader.onChange(CRDS, ({ metadata }) => this.#enqueue(metadata.name));
    const end = (): void => this.#queue.end();
    signal.addEventListener('abort', end, { once: true });
    try {
      for (const { metadata } of reader.list(CRDS)) await this.#attempt(metadata.name, signal);
      this.#isReady = true;
      ready();
      if (signal.aborted) return;
      for await (const name of this.#queue) {
        this.#waiting.delete(name);
        await this.#attempt(name, signal);
        if (signal.aborted) break;
      }
      await aborted(signal);
    } finally {
      stop();
      signal.removeEventListener('abort', end);
      await Promise.all(this.#cleanups.values());
    }
  }

  #enqueue(name: string): void {
    if (this.#waiting.has(name)) return;
    this.#waiting.add(name);
    this.#queue.push(name);
  }

  async #attempt(name: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#reconcile(name, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!isStatusError(error, 'Conflict')) {
        this.#deps.logger.warn(
          { definition: name, err: error },
          'custom resource definition is not served as it should be',
        );
      }
      this.#deps.clock.after(isStatusError(error, 'Conflict') ? 1 : RETRY_MS, () => this.#enqueue(name));
    }
  }

  async #reconcile(name: string, signal: AbortSignal): Promise<void> {
    const { server, client, clock } = this.#deps;
    let crd: CRD | undefined = server.reader.get(CRDS, { name });
    if (crd === undefined) return this.#forget(name);
    const { group } = crd.spec;
    this.#groups.set(name, group);
    const status = nextStatus(crd, this.#inGroup(group), clock.now());
    if (!equalJSON(status, crd.status)) {
      const namesChanged = !equalJSON(status.acceptedNames, crd.status?.acceptedNames ?? null);
      crd = await client.updateStatus(CRDS, { ...crd, status }, signal);
      if (namesChanged) this.#enqueueGroup(group, name);
    }
    if (isTrue(crd.status.conditions, 'Established')) await this.#serve(name, crd);
    if (crd.metadata.deletionTimestamp !== undefined && crd.metadata.finalizers?.includes(CLEANUP_FINALIZER)) {
      this.#cleanUp(name, crd, signal);
    }
  }

  *#inGroup(group: string): Generator<CRD> {
    for (const crd of this.#deps.server.reader.list(CRDS)) if (crd.spec.group === group) yield crd;
  }

  /** Names that others could not have may be free now. */
  #enqueueGroup(group: string, except: string): void {
    for (const { metadata } of this.#inGroup(group)) if (metadata.name !== except) this.#enqueue(metadata.name);
  }

  async #serve(name: string, crd: CRD): Promise<void> {
    const terminating = isTrue(crd.status.conditions, 'Terminating');
    const from = [crd.metadata.uid, crd.spec, crd.status.acceptedNames, terminating];
    const before = this.#served.get(name);
    if (before !== undefined && equalJSON(before.from, from)) return;
    const { server } = this.#deps;
    const definitions = (await definitionsOf(crd, this.#loadRules, this.#deps)).filter(
      (definition) => !this.#isBuiltin(definition),
    );
    this.#served.set(name, { group: crd.spec.group, from, definitions });
    for (const definition of definitions) await server.addDefinition(definition);
    const versions = new Set(definitions.map(({ type }) => type.version));
    for (const old of before?.definitions ?? []) if (!versions.has(old.type.version)) server.removeDefinition(old);
    this.#deps.logger.info({ definition: name, versions: [...versions] }, 'custom resource is served');
  }

  /** What the server has by itself cannot be redefined: neither a resource nor anything in a version of a built-in group. */
  #isBuiltin({ type }: ResourceDefinition): boolean {
    for (const known of this.#deps.server.definitions.all()) {
      if (known.custom === true || known.type.group !== type.group) continue;
      if (known.type.version === type.version || known.type.resource === type.resource) return true;
    }
    return false;
  }

  #forget(name: string): void {
    const group = this.#groups.get(name);
    this.#groups.delete(name);
    const served = this.#served.get(name);
    this.#served.delete(name);
    for (const definition of served?.definitions ?? []) this.#deps.server.removeDefinition(definition);
    if (group !== undefined) this.#enqueueGroup(group, name);
  }

  #cleanUp(name: string, crd: CRD, signal: AbortSignal): void {
    if (this.#cleanups.has(name)) return;
    const { server, client, clock, logger } = this.#deps;
    const served = this.#served.get(name)?.definitions.map(({ type }) => type.version) ?? [];
    // In the storage version most objects need no conversion, which may not work any more.
    const stored = storageVersionOf(crd)?.name;
    const version = served.find((one) => one === stored) ?? served[0];
    const work = cleanUp({ client, reader: server.reader, clock }, crd, version, signal)
      .catch((error: unknown) => {
        if (signal.aborted) return;
        logger.warn({ definition: name, err: error }, 'instances of a definition cannot be deleted');
        clock.after(RETRY_MS, () => this.#enqueue(name));
      })
      .finally(() => this.#cleanups.delete(name));
    this.#cleanups.set(name, work);
  }
}
