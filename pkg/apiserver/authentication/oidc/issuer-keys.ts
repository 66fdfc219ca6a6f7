import { Agent, fetch } from 'undici';
import { linkedController } from '../../../base/abort.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import { verifyingConnector } from '../../trust/index.ts';
import type { IssuerSettings } from './settings.ts';

export interface IssuerKeysDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A JSON Web Key Set, as it came. */
export interface KeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

const TIMEOUT_MS = 5000;
const RETRY_MS = 10_000;
const MAX_BYTES = 1024 * 1024;

/** The keys of one issuer, by its discovery document. An issuer is asked at most every ten seconds, for everybody at once. */
export class IssuerKeys {
  readonly #settings: Pick<IssuerSettings, 'url' | 'discoveryURL'>;
  readonly #deps: IssuerKeysDeps;
  readonly #agent: Agent;
  readonly #stopped = new AbortController();
  #keys: KeySet | undefined;
  #loading: Promise<void> | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #problem = 'the keys of the issuer are not there yet';

  constructor(settings: IssuerSettings, deps: IssuerKeysDeps) {
    const { url, discoveryURL, certificateAuthority } = settings;
    this.#settings = { url, discoveryURL };
    this.#deps = deps;
    this.#agent = new Agent({
      connections: 2,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      connect: verifyingConnector(
        certificateAuthority === undefined ? {} : { authorities: certificateAuthority },
        TIMEOUT_MS,
        deps.clock,
      ),
    });
  }

  /** The keys that are known; asks the issuer when there are none, or `isStale`. Throws an Error without any. */
  async get(isStale: boolean): Promise<KeySet> {
    if (this.#keys === undefined || isStale) await this.#load();
    if (this.#keys === undefined) throw new Error(this.#problem);
    return this.#keys;
  }

  close(): void {
    this.#stopped.abort();
    void this.#agent.destroy();
  }

  #load(): Promise<void> {
    if (this.#loading !== undefined) return this.#loading;
    const now = this.#deps.clock.monotonic();
    if (now - this.#askedAtMs < RETRY_MS || this.#stopped.signal.aborted) return Promise.resolve();
    this.#askedAtMs = now;
    this.#loading = this.#ask().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #ask(): Promise<void> {
    const { url, discoveryURL } = this.#settings;
    const { controller, unlink } = linkedController(this.#stopped.signal);
    const cancel = this.#deps.clock.after(TIMEOUT_MS, () => controller.abort(new Error('the issuer does not answer')));
    try {
      const place = discoveryURL ?? `${url.replace(/\/$/, '')}/.well-known/openid-configuration`;
      const document = await this.#json(place, controller.signal);
      const { issuer, jwks_uri: keysURL } = document;
      if (issuer !== url) throw new Error(`the discovery document is of another issuer: ${JSON.stringify(issuer)}`);
      if (typeof keysURL !== 'string') throw new Error('the discovery document has no jwks_uri');
      const { keys } = await this.#json(keysURL, controller.signal);
      if (!Array.isArray(keys)) throw new Error('the key set has no keys');
      this.#keys = {
        keys: keys.filter((key): key is KeySet['keys'][number] => typeof key === 'object' && key !== null),
      };
    } catch (error) {
      const cause = controller.signal.aborted ? (controller.signal.reason as Error) : error;
      this.#problem = `the keys of the issuer cannot be had: ${cause instanceof Error ? cause.message : String(cause)}`;
      if (!this.#stopped.signal.aborted)
        this.#deps.logger.warn({ issuer: url, err: cause }, 'keys of a token issuer cannot be had');
    } finally {
      cancel();
      unlink();
    }
  }

  async #json(url: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const answer = await fetch(url, { dispatcher: this.#agent, signal, headers: { accept: 'application/json' } });
    if (!answer.ok) throw new Error(`${url} answered with status ${answer.status}`);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of answer.body ?? []) {
      size += (chunk as Uint8Array).length;
      if (size > MAX_BYTES) throw new Error(`${url} answered with more than ${MAX_BYTES} bytes`);
      chunks.push(chunk as Uint8Array);
    }
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (typeof value !== 'object' || value === null) throw new Error(`${url} answered with no object`);
    return value as Readonly<Record<string, unknown>>;
  }
}
