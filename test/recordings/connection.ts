import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { parse } from 'yaml';
import { isObject, parsed } from './variables.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rawHeaders: readonly string[];
  readonly text: string;
  /** Of a watch: what came, in order. */
  readonly events?: readonly WatchEvent[];
}

export interface WatchEvent {
  readonly type: string;
  readonly object: Record<string, unknown>;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer | undefined;
  /** undefined: the administrator; null: anonymous; else a bearer token. */
  readonly token?: string | null | undefined;
}

interface Credentials {
  readonly server: string;
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

const TIMEOUT_MS = 40_000;

/** Speaks HTTP/1.1 with one API server. */
export class Connection {
  readonly #server: URL;
  readonly #admin: Agent;
  readonly #plain: Agent;

  constructor({ server, ca, cert, key }: Credentials) {
    this.#server = new URL(server);
    this.#admin = new Agent({ keepAlive: true, maxSockets: 64, ca, cert, key });
    this.#plain = new Agent({ keepAlive: true, maxSockets: 64, ca });
  }

  static async fromKubeconfig(file: string): Promise<Connection> {
    const config = parse(await readFile(file, 'utf8')) as {
      clusters: { cluster: Record<string, string> }[];
      users: { user: Record<string, string> }[];
    };
    const cluster = config.clusters[0]?.cluster ?? {};
    const user = config.users[0]?.user ?? {};
    const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64');
    return new Connection({
      server: cluster['server'] ?? '',
      ca: bytes(cluster['certificate-authority-data']),
      cert: bytes(user['client-certificate-data']),
      key: bytes(user['client-key-data']),
    });
  }

  async call(call: Call): Promise<Reply> {
    const response = await this.open(call);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return reply(response, Buffer.concat(chunks).toString());
  }

  /** Sends JSON; the answer is for the caller to look at. */
  send(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<Reply> {
    const headers = { 'Content-Type': contentType, Accept: 'application/json' };
    return this.call({ method, path, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  }

  /** A watch: ends `settleMs` after `count` events, or after `limitMs`; `during` runs while it is open. */
  async watch(
    call: Call,
    options: { readonly count: number; readonly limitMs: number; readonly settleMs: number },
    during?: (add: (event: WatchEvent) => void) => Promise<void>,
  ): Promise<Reply> {
    const response = await this.open(call);
    const events: WatchEvent[] = [];
    let text = '';
    let rest = '';
    let timer = setTimeout(() => response.destroy(), options.limitMs);
    const add = (event: WatchEvent): void => {
      events.push(event);
      if (events.length < options.count) return;
      clearTimeout(timer);
      timer = setTimeout(() => response.destroy(), options.settleMs);
    };
    const work = response.statusCode === 200 ? during?.(add) : undefined;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const event = parsed(line);
        if (isObject(event) && isObject(event['object'])) {
          add({ type: String(event['type']), object: event['object'] });
        }
      }
    });
    // A watch that is cut off by us ends with an error of the stream.
    response.on('error', () => undefined);
    await new Promise<void>((resolve) => response.once('close', resolve));
    clearTimeout(timer);
    await work;
    return { ...reply(response, text), events };
  }

  close(): void {
    this.#admin.destroy();
    this.#plain.destroy();
  }

  /** Sends a request; what is answered is for the caller to read. */
  open({ method, path, headers = {}, body, token }: Call): Promise<IncomingMessage> {
    const options: RequestOptions = {
      method,
      path,
      hostname: this.#server.hostname,
      port: this.#server.port,
      agent: token === undefined ? this.#admin : this.#plain,
      timeout: TIMEOUT_MS,
      headers: {
        'User-Agent': 'golden/1',
        ...(headers as Record<string, string | string[]>),
        ...(typeof token === 'string' ? { Authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }),
      },
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(options, resolve);
      outgoing.once('timeout', () => outgoing.destroy(new Error(`${method} ${path}: no answer`)));
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }
}

function reply(response: IncomingMessage, text: string): Reply {
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    text,
  };
}
