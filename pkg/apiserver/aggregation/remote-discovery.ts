import { createHash } from 'node:crypto';
import { abortable, aborted } from '../../base/abort.ts';
import { Backoff } from '../../base/backoff.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { unavailable } from '../services/service-endpoint.ts';
import { parseAggregated, parseLegacy, type RemoteResource, type RemoteVersions } from './discovery-documents.ts';
import { convertOpenAPI } from './openapi-convert.ts';
import { type OpenAPIPart, parseOpenAPI } from './openapi-part.ts';
import { type RemoteAnswer, type RemoteFetchDeps, remoteFetch } from './remote-fetch.ts';
import type { RemoteService, RemoteServices } from './remote-services.ts';

export interface RemoteDiscoveryDeps extends RemoteFetchDeps {
  readonly services: RemoteServices;
  readonly logger: Logger;
}

/** What is known of a group and version of another server. */
export interface RemoteDescription {
  readonly resources: readonly RemoteResource[];
  readonly isStale: boolean;
  /** The path of its OpenAPI v3 document, with its hash; absent: it has none. */
  readonly openAPIv3?: string;
  /** That document is not on the other server, but has to be made from the one of version 2. */
  readonly isConverted?: boolean;
  readonly openAPIv2?: OpenAPIPart;
}

const UNKNOWN: RemoteDescription = { resources: [], isStale: true };
const REFRESH_MS = 60_000;
const RETRY = { initialMs: 500, maxMs: 60_000 };
/** Of a document; reading one must not take long, since nothing else goes on meanwhile. */
const MAX_BYTES = 8 * 1024 * 1024;
const AGGREGATED = ['v2', 'v2beta1'].map(
  (version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
);
const ACCEPT = [...AGGREGATED, 'application/json'].join(',');

interface Held {
  description: RemoteDescription;
  readonly backoff: Backoff;
  controller: AbortController | undefined;
}

/** Learns what aggregated servers serve, so that discovery and OpenAPI documents can tell it without asking them. */
export class RemoteDiscovery implements Component {
  readonly name = 'remote-discovery';
  readonly #deps: RemoteDiscoveryDeps;
  readonly #held = new Map<string, Held>();
  #generation = 0;

  constructor(deps: RemoteDiscoveryDeps) {
    this.#deps = deps;
  }

  /** Grows with every change of what is known. */
  get generation(): number {
    return this.#generation + this.#deps.services.generation;
  }

  of({ name }: RemoteService): RemoteDescription {
    return this.#held.get(name)?.description ?? UNKNOWN;
  }

  all(): Iterable<RemoteService> {
    return this.#deps.services.all();
  }

  /**
   * The OpenAPI v3 document of `apis/GROUP/VERSION`, from the server that has it; undefined: nobody else has it. Throws
   * ServiceUnavailable when that server does not give it.
   */
  async openAPIv3Document(path: string, signal: AbortSignal): Promise<RemoteAnswer | undefined> {
    const [root, group = '', version = ''] = path.split('/');
    const remote = root === 'apis' ? this.#deps.services.find(group, version) : undefined;
    if (remote === undefined) return undefined;
    const { openAPIv3: url, isConverted, openAPIv2 } = this.of(remote);
    if (url === undefined) return undefined;
    if (isConverted === true && openAPIv2 !== undefined)
      return { code: 200, headers: {}, body: Buffer.from(JSON.stringify(convertOpenAPI(openAPIv2))) };
    try {
      return await this.#get(remote, url, signal);
    } catch (error) {
      throw unavailable(error instanceof Error ? error.message : String(error));
    }
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { services } = this.#deps;
    const stop = services.onChange((name) => this.#restart(name, signal));
    for (const { name } of services.all()) this.#restart(name, signal);
    ready();
    await aborted(signal);
    stop();
    for (const { controller } of this.#held.values()) controller?.abort();
  }

  /** Follows a server anew, as its APIService is now. */
  #restart(name: string, signal: AbortSignal): void {
    const remote = [...this.#deps.services.all()].find((one) => one.name === name);
    const held = this.#held.get(name);
    held?.controller?.abort();
    if (remote === undefined || signal.aborted) {
      this.#held.delete(name);
      return;
    }
    const controller = new AbortController();
    const next = held ?? { description: UNKNOWN, backoff: new Backoff(RETRY), controller };
    next.controller = controller;
    this.#held.set(name, next);
    void this.#follow(remote, next, controller.signal);
  }

  async #follow(remote: RemoteService, held: Held, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    if (!remote.isAvailable) {
      this.#set(held, { ...held.description, isStale: true });
      return;
    }
    while (!signal.aborted) {
      let waitMs = REFRESH_MS;
      try {
        const description = await abortable(this.#describe(remote, held.description, signal), signal);
        held.backoff.reset();
        this.#set(held, description);
      } catch (error) {
        if (signal.aborted) return;
        waitMs = held.backoff.next();
        logger.warn({ apiService: remote.name, err: error }, 'discovery of an aggregated server failed');
        this.#set(held, { ...held.description, isStale: true });
      }
      await clock.sleep(waitMs, signal);
    }
  }

  #set(held: Held, description: RemoteDescription): void {
    const before = held.description;
    held.description = description;
    const isSame =
      before.isStale === description.isStale &&
      before.openAPIv3 === description.openAPIv3 &&
      before.openAPIv2?.etag === description.openAPIv2?.etag &&
      equalJSON(before.resources, description.resources);
    if (!isSame) this.#generation++;
  }

  async #describe(remote: RemoteService, before: RemoteDescription, signal: AbortSignal): Promise<RemoteDescription> {
    const { group, version } = remote;
    const resources = await this.#resources(remote, signal);
    const [openAPIv3, openAPIv2] = await Promise.all([
      this.#openAPIv3(remote, signal),
      this.#openAPIv2(remote, before.openAPIv2, signal),
    ]);
    return {
      resources: resources.get(`${group}/${version}`) ?? [],
      isStale: false,
      ...(openAPIv3 !== undefined
        ? { openAPIv3 }
        : openAPIv2 === undefined
          ? {}
          : { openAPIv3: `/openapi/v3/apis/${group}/${version}?hash=${hashOf(openAPIv2)}`, isConverted: true }),
      ...(openAPIv2 === undefined ? {} : { openAPIv2 }),
    };
  }

  async #resources(remote: RemoteService, signal: AbortSignal): Promise<RemoteVersions> {
    const all = await this.#get(remote, '/apis', signal, { accept: ACCEPT });
    if (all.code === 200) {
      const versions = parseAggregated(all.body);
      if (versions !== undefined) return versions;
    }
    const path = `/apis/${remote.group}/${remote.version}`;
    const one = await this.#get(remote, path, signal);
    if (one.code !== 200) throw new Error(`failed to download discovery for ${path}: status ${one.code}`);
    return new Map([[`${remote.group}/${remote.version}`, parseLegacy(one.body)]]);
  }

  async #openAPIv3({ group, version, ...remote }: RemoteService, signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.#get({ group, version, ...remote }, '/openapi/v3', signal);
    if (answer.code !== 200) return undefined;
    const { paths } = JSON.parse(answer.body.toString('utf8')) as {
      paths?: Record<string, { serverRelativeURL?: unknown } | null> | null;
    };
    const url = paths?.[`apis/${group}/${version}`]?.serverRelativeURL;
    return typeof url === 'string' && url.startsWith(`/openapi/v3/apis/${group}/${version}`) ? url : undefined;
  }

  async #openAPIv2(
    remote: RemoteService,
    before: OpenAPIPart | undefined,
    signal: AbortSignal,
  ): Promise<OpenAPIPart | undefined> {
    const headers: Record<string, string> = before === undefined ? {} : { 'if-none-match': before.etag };
    const answer = await this.#get(remote, '/openapi/v2', signal, headers);
    if (answer.code === 304) return before;
    return answer.code === 200 ? parseOpenAPI(answer, remote) : undefined;
  }

  #get(
    remote: RemoteService,
    path: string,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RemoteAnswer> {
    return remoteFetch(remote, { path, headers, maxBytes: MAX_BYTES }, this.#deps, signal);
  }
}

function hashOf({ etag }: OpenAPIPart): string {
  return createHash('sha256').update(etag).digest('hex').toUpperCase();
}
