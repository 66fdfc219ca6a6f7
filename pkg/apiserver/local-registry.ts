import type { ResourceDefinition } from '../api/definition.ts';
import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Transport } from '../client/client.ts';
import type { Store } from '../storage/contract.ts';
import { createWatchCache } from './api-server.ts';
import type { AdmissionPlugin, Authorizer } from './contract.ts';
import { Definitions } from './definitions.ts';
import { rawReader } from './discovery/paths.ts';
import { InProcessTransport } from './inprocess/transport.ts';
import { AdmissionMetrics } from './registry/admission-metrics.ts';
import { RegistryCore } from './registry/core.ts';
import { SchemaEngine } from './registry/schema-engine.ts';
import { Pipeline } from './request/pipeline.ts';
import { StorageMetrics } from './server-metrics.ts';
import { subresourceVerbs } from './subresources/index.ts';
import type { WatchCache } from './watchcache/watch-cache.ts';

export interface LocalRegistryDeps {
  readonly store: Store;
  /** The kinds that there are. */
  readonly definitions: readonly ResourceDefinition[];
  readonly admission: readonly AdmissionPlugin[];
  readonly clock: Clock;
  readonly metrics: Metrics;
}

const OWNER = { username: 'kube-lite:local', groups: ['system:masters', 'system:authenticated'] };
const everything: Authorizer = { authorize: () => ({ decision: 'allow', reason: '' }) };

/**
 * The registry without a server: objects of some kinds for one process alone, with the validation, defaults and watches that
 * they have in a cluster. Nothing listens, nobody else comes in. Ready when what is stored has been read.
 */
export class LocalRegistry implements Component {
  readonly name = 'local-registry';
  readonly transport: Transport;
  readonly #cache: WatchCache;

  constructor({ store, definitions: kinds, admission, clock, metrics }: LocalRegistryDeps) {
    const definitions = new Definitions(kinds);
    const cache = createWatchCache(store, kinds);
    const core = new RegistryCore({
      store,
      cache,
      definitions,
      engine: new SchemaEngine({ definitions }),
      admission,
      authorizer: everything,
      clock,
      storageMetrics: new StorageMetrics(metrics),
      admissionMetrics: new AdmissionMetrics(metrics),
      hooks: new Map(),
    });
    const pipeline = new Pipeline({
      core,
      definitions,
      authorizer: everything,
      subresources: subresourceVerbs({ tokenIssuer: undefined }),
      virtual: new Map(),
    });
    this.#cache = cache;
    this.transport = new InProcessTransport(OWNER, { pipeline, raw: rawReader({ pipeline, definitions }) });
  }

  run(signal: AbortSignal, ready: () => void): Promise<void> {
    return this.#cache.run(signal, ready);
  }
}
