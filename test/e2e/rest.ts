/** JSON requests to a cluster's API server as its admin, over one kept connection. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { type Cluster, eventually } from './cluster.ts';

/** An object, a list or a Status, as far as tests look at it. */
export interface Obj {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly object[];
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: unknown;
  readonly items?: readonly Obj[];
  readonly [field: string]: unknown;
}

export interface Answer {
  readonly code: number;
  readonly body: Obj;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: Obj;
}

/** Events of a watch in the order of their arrival. */
export class Watching {
  readonly events: WatchEvent[] = [];
  readonly #request: ClientRequest;

  constructor(outgoing: ClientRequest, incoming: IncomingMessage) {
    this.#request = outgoing;
    let rest = '';
    incoming.setEncoding('utf8').on('error', () => {});
    incoming.on('data', (chunk: string) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      this.events.push(...lines.map((line) => JSON.parse(line) as WatchEvent));
    });
  }

  /** The events that have come, as `TYPE name`, as soon as there are `count` of them. */
  async seen(count: number): Promise<string[]> {
    await eventually(`${count} events`, async () => this.events.length >= count);
    return this.events.map(({ type, object }) => `${type} ${object.metadata.name}`);
  }

  close(): void {
    this.#request.destroy();
  }
}

export class Rest {
  readonly #options: object;

  private constructor(options: object) {
    this.#options = options;
  }

  static async of(cluster: Cluster): Promise<Rest> {
    const tls = (name: string): Promise<string> => readFile(join(cluster.dataDir, 'server/tls', name), 'utf8');
    return new Rest({
      host: '127.0.0.1',
      port: cluster.port,
      agent: new Agent({ keepAlive: true }),
      ca: await tls('server-ca.crt'),
      cert: await tls('admin.crt'),
      key: await tls('admin.key'),
    });
  }

  async #open(
    method: string,
    path: string,
    body?: unknown,
    headers: object = {},
  ): Promise<[ClientRequest, IncomingMessage]> {
    const content = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const described = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content ?? '') };
    const outgoing = request({
      ...this.#options,
      method,
      path,
      headers: { ...(content === undefined ? {} : described), ...headers },
    });
    outgoing.on('error', () => {});
    outgoing.end(content);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    return [outgoing, incoming];
  }

  /** A body that is a string is sent as it is. */
  async send(method: string, path: string, body?: unknown, headers: object = {}): Promise<Answer> {
    const [, incoming] = await this.#open(method, path, body, headers);
    const content = await text(incoming);
    const isJSON = incoming.headers['content-type']?.startsWith('application/json') === true;
    return { code: incoming.statusCode ?? 0, body: (isJSON ? JSON.parse(content) : { message: content }) as Obj };
  }

  /** The body of an answer that must be a success. */
  async #ok(method: string, path: string, body?: unknown, headers?: object): Promise<Obj> {
    const answer = await this.send(method, path, body, headers);
    expect(answer.code, `${method} ${path}: ${answer.body['message']}`).toBeLessThan(300);
    return answer.body;
  }

  get(path: string): Promise<Obj> {
    return this.#ok('GET', path);
  }

  create(path: string, object: object): Promise<Obj> {
    return this.#ok('POST', path, object);
  }

  replace(path: string, object: object): Promise<Obj> {
    return this.#ok('PUT', path, object);
  }

  patch(path: string, patch: unknown, type: 'merge' | 'strategic-merge' | 'json' = 'merge'): Promise<Obj> {
    return this.#ok('PATCH', path, patch, { 'content-type': `application/${type}-patch+json` });
  }

  remove(path: string, options?: object): Promise<Obj> {
    return this.#ok('DELETE', path, options);
  }

  /** Reads, changes and writes an object, again while others write it too. */
  async update(path: string, change: (object: Obj) => object, at = path): Promise<Obj> {
    for (;;) {
      const answer = await this.send('PUT', at, change(await this.get(path)));
      if (answer.code === 409) continue;
      expect(answer.code, `${answer.body['message']}`).toBe(200);
      return answer.body;
    }
  }

  /** How many objects a list has. */
  async count(path: string): Promise<number> {
    return (await this.get(path)).items?.length ?? 0;
  }

  async watch(path: string): Promise<Watching> {
    const [outgoing, incoming] = await this.#open('GET', path);
    expect(incoming.statusCode).toBe(200);
    return new Watching(outgoing, incoming);
  }

  /** Makes a namespace whose name begins so, and returns its path. */
  async namespace(prefix: string): Promise<string> {
    const { metadata } = await this.create('/api/v1/namespaces', { metadata: { generateName: `${prefix}-` } });
    return `/api/v1/namespaces/${metadata.name}`;
  }
}
