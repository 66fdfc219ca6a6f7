import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { APIService, CustomResourceDefinition } from '../../api/generated/types.ts';
import type { Draft } from '../../api/object.ts';
import { aborted } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { AsyncQueue } from '../../base/queue.ts';
import type { Client } from '../../client/client.ts';
import type { ObjectReader } from '../contract.ts';
import type { ResourceName } from '../definitions.ts';
import { AUTOMANAGED, planService, type WantedService, wantedServices } from './automanaged.ts';

export interface RegistrationDeps {
  readonly reader: ObjectReader;
  readonly client: Client;
  /** What the server has by itself. */
  readonly builtin: readonly ResourceName[];
  readonly clock: Clock;
  readonly logger: Logger;
}

const RETRY_MS = 1000;

/** Keeps the APIServices of what the server serves by itself and of what CustomResourceDefinitions define. */
export class Registration implements Component {
  readonly name = 'apiservice-registration';
  readonly #deps: RegistrationDeps;
  readonly #queue = new AsyncQueue<string>();
  readonly #waiting = new Set<string>();
  /** Not yet as they have to be at the start; undefined before it. */
  #starting: Set<string> | undefined;

  constructor(deps: RegistrationDeps) {
    this.#deps = deps;
  }

  /** Everything that was served at the start is registered. */
  get isComplete(): boolean {
    return this.#starting?.size === 0;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { reader } = this.#deps;
    const stops = [
      reader.onChange(resources.customresourcedefinitions, (crd) => this.#enqueueVersions(crd)),
      reader.onChange(resources.apiservices, ({ metadata }) => this.#enqueue(metadata.name ?? '')),
    ];
    const end = (): void => this.#queue.end();
    signal.addEventListener('abort', end, { once: true });
    ready();
    try {
      const names = new Set(this.#wanted().keys());
      for (const { metadata } of reader.list(resources.apiservices)) names.add(metadata.name ?? '');
      this.#starting = new Set(names);
      await Promise.all([...names].map((name) => this.#attempt(name, signal)));
      if (!signal.aborted) {
        for await (const name of this.#queue) {
          this.#waiting.delete(name);
          await this.#attempt(name, signal);
          if (signal.aborted) break;
        }
      }
      await aborted(signal);
    } finally {
      for (const stop of stops) stop();
      signal.removeEventListener('abort', end);
    }
  }

  #wanted(): ReadonlyMap<string, WantedService> {
    return wantedServices(this.#deps.builtin, this.#deps.reader.list(resources.customresourcedefinitions));
  }

  #enqueueVersions({ spec }: DeepReadonly<CustomResourceDefinition>): void {
    for (const { name } of spec.versions) this.#enqueue(`${name}.${spec.group}`);
    // Of versions that a definition has no more there is nothing but the APIService.
    for (const { metadata, spec: service } of this.#deps.reader.list(resources.apiservices))
      if (service?.group === spec.group) this.#enqueue(metadata.name ?? '');
  }

  #enqueue(name: string): void {
    if (this.#waiting.has(name)) return;
    this.#waiting.add(name);
    this.#queue.push(name);
  }

  async #attempt(name: string, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    try {
      await this.#reconcile(name, this.#starting?.has(name) === true, signal);
      this.#starting?.delete(name);
    } catch (error) {
      if (signal.aborted) return;
      const isRace = isStatusError(error, 'Conflict') || isStatusError(error, 'AlreadyExists');
      if (!isRace) logger.warn({ apiService: name, err: error }, 'APIService is not registered as it should be');
      clock.after(isRace ? 1 : RETRY_MS, () => this.#enqueue(name));
    }
  }

  async #reconcile(name: string, isStart: boolean, signal: AbortSignal): Promise<void> {
    const { reader, client } = this.#deps;
    const type = resources.apiservices;
    const wanted = this.#wanted().get(name);
    const existing = reader.get(type, { name });
    const step = planService(wanted, existing, isStart);
    if (step === 'none') return;
    if (step === 'delete' && existing !== undefined) {
      const { uid } = existing.metadata;
      await client.delete(type, { name }, uid === undefined ? {} : { preconditions: { uid } }, signal);
    } else if (wanted !== undefined && step === 'create') {
      const labels = { [AUTOMANAGED]: wanted.managed };
      await client.create(type, { metadata: { name, labels }, spec: wanted.spec } as Draft<APIService>, {}, signal);
    } else if (wanted !== undefined && existing !== undefined) {
      const labels = { ...existing.metadata.labels, [AUTOMANAGED]: wanted.managed };
      const changed = { ...existing, metadata: { ...existing.metadata, labels }, spec: wanted.spec };
      await client.update(type, changed as Draft<APIService>, {}, signal);
    }
  }
}
