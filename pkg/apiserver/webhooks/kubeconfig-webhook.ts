import { Agent, type Dispatcher } from 'undici';
import type { Clock } from '../../base/clock.ts';
import { errnoCode } from '../../base/errors.ts';
import type { HTTPTransportOptions, RestClientMetrics } from '../../client/index.ts';
import { trustOf, verifyingConnector } from '../trust/index.ts';
import { connectionErrorText, statusErrorText } from './go-errors.ts';
import { WebhookCallError } from './webhook-client.ts';

export interface KubeconfigWebhookDeps {
  readonly clock: Clock;
  readonly requests: RestClientMetrics;
}

const MAX_BYTES = 1024 * 1024;
const MAX_CONNECTIONS = 100;
const KEEP_ALIVE_MS = 30_000;
const RETRY_MS = 500;
const CONNECT_TIMEOUT_MS = 10_000;

/** A webhook that a kubeconfig file names: where it is, how it is verified and what it is shown. Answers are bounded. */
export class KubeconfigWebhook {
  readonly #options: HTTPTransportOptions;
  readonly #deps: KubeconfigWebhookDeps;
  readonly #agent: Agent;
  readonly #url: URL;

  constructor(options: HTTPTransportOptions, deps: KubeconfigWebhookDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#url = new URL(options.server);
    this.#agent = new Agent({
      allowH2: false,
      connections: MAX_CONNECTIONS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: verifyingConnector(trustOf(options), CONNECT_TIMEOUT_MS, deps.clock),
    });
  }

  /** Posts a review and returns the answer's object. Throws WebhookCallError. */
  async post(review: unknown, timeoutMs: number): Promise<Readonly<Record<string, unknown>>> {
    const controller = new AbortController();
    const deadline = new WebhookCallError('context deadline exceeded');
    const cancel = this.#deps.clock.after(timeoutMs, () => controller.abort(deadline));
    try {
      return await this.#exchange(JSON.stringify(review), controller.signal);
    } catch (error) {
      const { signal } = controller;
      if (signal.aborted) throw this.#failure(deadline.message, error);
      if (error instanceof WebhookCallError) throw this.#failure(error.message, error);
      throw this.#failure(connectionErrorText(error, this.#url.host), error);
    } finally {
      cancel();
    }
  }

  /** What is asked is answered yet. */
  async close(): Promise<void> {
    await this.#agent.close();
  }

  #failure(text: string, cause: unknown): WebhookCallError {
    return new WebhookCallError(`Post ${JSON.stringify(this.#url.href)}: ${text}`, { cause });
  }

  async #exchange(body: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const token = await this.#options.token?.();
    const options: Dispatcher.RequestOptions = {
      origin: this.#url.origin,
      path: this.#url.pathname + this.#url.search,
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body,
      signal,
    };
    const send = () => this.#deps.requests.observed('POST', this.#url.host, () => this.#agent.request(options));
    let answer: Dispatcher.ResponseData;
    try {
      answer = await send();
    } catch (error) {
      // It may just start again, or have closed a connection that was kept.
      if (signal.aborted || !RETRIED.has(errnoCode(error) ?? '')) throw error;
      await this.#deps.clock.sleep(RETRY_MS, signal);
      answer = await send();
    }
    const text = await read(answer);
    if (answer.statusCode < 200 || answer.statusCode > 206)
      throw new WebhookCallError(statusErrorText(answer.statusCode, text));
    return parse(text);
  }
}

const RETRIED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET']);

async function read(answer: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new WebhookCallError(`the response is longer than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

function parse(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new WebhookCallError('the response is no JSON', { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new WebhookCallError('the response is no object');
}
