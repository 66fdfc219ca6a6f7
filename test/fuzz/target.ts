import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { parse } from 'yaml';
import type { FuzzRequest } from './request.ts';

export interface Credentials {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The client hung up: a stream that would go on. */
  readonly cut: boolean;
  readonly durationMs: number;
}

/** Reads an administrator's kubeconfig; `url` overrides its server. Only this machine is fuzzed. */
export async function readCredentials(kubeconfig: string, url?: string): Promise<Credentials> {
  const config = parse(await readFile(kubeconfig, 'utf8')) as {
    clusters: { cluster: Record<string, string> }[];
    users: { user: Record<string, string> }[];
  };
  const cluster = config.clusters[0]?.cluster ?? {};
  const user = config.users[0]?.user ?? {};
  const text = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString();
  const server = new URL(url ?? cluster['server'] ?? '');
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(server.hostname))
    throw new Error(`${server.host} is not this machine`);
  return {
    host: server.hostname.replaceAll(/[[\]]/g, ''),
    port: Number(server.port || 443),
    ca: text(cluster['certificate-authority-data']),
    cert: text(user['client-certificate-data']),
    key: text(user['client-key-data']),
  };
}

const SILENCE_MS = 150;
const LIMIT_MS = 20_000;

/** The server under test, over HTTP/1.1. */
export class Target {
  readonly credentials: Credentials;
  readonly #agent: Agent;

  constructor(credentials: Credentials) {
    this.credentials = credentials;
    const { ca, cert, key } = credentials;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 64, ca, cert, key });
  }

  /**
   * Sends a request and reads the answer. A body that goes silent without its end (a watch) is cut off. Rejects when there is
   * no answer at all.
   */
  send(request: Omit<FuzzRequest, 'area'>): Promise<Reply> {
    const { host, port } = this.credentials;
    const { method, path, headers, body } = request;
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest({
        host,
        port,
        method,
        path,
        agent: this.#agent,
        servername: '',
        headers: {
          ...(headers as Record<string, string | string[]>),
          ...(body === undefined ? {} : { 'Content-Length': body.length }),
        },
      });
      const limit = setTimeout(() => outgoing.destroy(new Error(`no answer within ${LIMIT_MS} ms`)), LIMIT_MS);
      let answered = false;
      outgoing.once('error', (error) => {
        clearTimeout(limit);
        if (!answered) reject(error);
      });
      outgoing.once('upgrade', (response, socket) => {
        answered = true;
        clearTimeout(limit);
        socket.destroy();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.alloc(0),
          cut: true,
          durationMs: performance.now() - started,
        });
      });
      outgoing.once('response', (response) => {
        answered = true;
        const chunks: Buffer[] = [];
        let cut = false;
        let silence = setTimeout(hangUp, SILENCE_MS * 4);
        function hangUp(): void {
          cut = response.headers['content-length'] === undefined;
          if (cut) response.destroy();
        }
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          clearTimeout(silence);
          silence = setTimeout(hangUp, SILENCE_MS);
        });
        response.on('error', () => undefined);
        response.once('close', () => {
          clearTimeout(limit);
          clearTimeout(silence);
          const { statusCode = 0 } = response;
          resolve({
            status: statusCode,
            headers: response.headers,
            body: Buffer.concat(chunks),
            cut,
            durationMs: performance.now() - started,
          });
        });
      });
      outgoing.end(body);
    });
  }

  /** Sends JSON and reads JSON. */
  async json(
    method: string,
    path: string,
    body?: unknown,
    type = 'application/json',
  ): Promise<{ status: number; body: unknown; text: string }> {
    const bytes = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const reply = await this.send({
      method,
      path,
      headers: { 'Content-Type': type, Accept: 'application/json' },
      body: bytes,
    });
    const text = reply.body.toString();
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = undefined;
    }
    return { status: reply.status, body: parsed, text };
  }

  close(): void {
    this.#agent.destroy();
  }
}
