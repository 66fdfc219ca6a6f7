import type { ResourceType } from '../api/object.ts';
import { aborted, linkedController } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Client, Informer, InformerOptions, Informers } from './client.ts';
import { LiveInformer } from './informer.ts';

export interface InformersDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
}

/**
 * A factory of shared informers and the component that runs them. It is ready at once; use `synced` of the informers.
 * Informers that are asked for later start at once.
 */
export function createInformers(client: Client, deps: InformersDeps): Informers & Component {
  return new SharedInformers(client, deps);
}

interface Entry {
  readonly informer: LiveInformer<unknown>;
  controller: AbortController | undefined;
}

class SharedInformers implements Informers, Component {
  readonly name = 'informers';
  readonly #client: Client;
  readonly #deps: Required<InformersDeps>;
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Set<Promise<void>>();
  #signal: AbortSignal | undefined;

  constructor(client: Client, deps: InformersDeps) {
    this.#client = client;
    this.#deps = { random: Math.random, ...deps };
  }

  for<T>(type: ResourceType<T>, options: InformerOptions<T> = {}): Informer<T> {
    const key = entryKey(type, options);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const informer = new LiveInformer<T>(type, options, { client: this.#client, ...this.#deps });
      entry = { informer: informer as unknown as LiveInformer<unknown>, controller: undefined };
      this.#entries.set(key, entry);
      this.#start(entry);
      return informer;
    }
    const informer = entry.informer as unknown as LiveInformer<T>;
    informer.addIndexers(options.indexers);
    return informer;
  }

  release(type: ResourceType<unknown>): void {
    const key = entryKey(type, {});
    this.#entries.get(key)?.controller?.abort();
    this.#entries.delete(key);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    this.#signal = signal;
    for (const entry of this.#entries.values()) this.#start(entry);
    ready();
    await aborted(signal);
    await Promise.all(this.#running);
  }

  #start(entry: Entry): void {
    if (this.#signal === undefined || this.#signal.aborted) return;
    const { controller, unlink } = linkedController(this.#signal);
    entry.controller = controller;
    const done = entry.informer
      .run(controller.signal)
      .catch((error: unknown) => this.#deps.logger.error({ err: error }, 'informer ended'))
      .finally(() => {
        unlink();
        this.#running.delete(done);
      });
    this.#running.add(done);
  }
}

function entryKey(type: ResourceType<unknown>, options: InformerOptions<never>): string {
  const { namespace = '', labelSelector = '', fieldSelector = '' } = options;
  return [type.group, type.version, type.resource, namespace, labelSelector, fieldSelector].join('|');
}
