/** Plain HTTPS requests to a cluster's API server. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Cluster } from './cluster.ts';

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whose certificate of the server's directory is shown; default: the admin's. */
  readonly certificate?: 'admin' | 'front-proxy-client' | { readonly cert: string; readonly key: string };
  /** A bearer token in place of the admin's certificate; '': no credentials. */
  readonly token?: string;
}

export interface CallAnswer {
  readonly code: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** The admin's, as TLS options. */
export async function credentialsOf(cluster: Cluster): Promise<{ ca: string; cert: string; key: string }> {
  const tls = (name: string): Promise<string> => readFile(join(cluster.dataDir, 'server/tls', name), 'utf8');
  return { ca: await tls('server-ca.crt'), cert: await tls('admin.crt'), key: await tls('admin.key') };
}

async function optionsOf(cluster: Cluster, path: string, options: CallOptions): Promise<RequestOptions> {
  const tls = (name: string): Promise<string> => readFile(join(cluster.dataDir, 'server/tls', name), 'utf8');
  const { method = 'GET', headers = {}, body, token, certificate = 'admin' } = options;
  return {
    host: '127.0.0.1',
    port: cluster.port,
    path,
    method,
    ca: await tls('server-ca.crt'),
    agent: false,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      ...headers,
    },
    ...(token !== undefined ? {} : typeof certificate === 'object' ? certificate : await ownPair(tls, certificate)),
  };
}

async function ownPair(tls: (name: string) => Promise<string>, name: string): Promise<{ cert: string; key: string }> {
  return { cert: await tls(`${name}.crt`), key: await tls(`${name}.key`) };
}

export async function call(cluster: Cluster, path: string, options: CallOptions = {}): Promise<CallAnswer> {
  const outgoing = request(await optionsOf(cluster, path, options));
  outgoing.end(options.body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { code: incoming.statusCode ?? 0, headers: incoming.headers, body: await text(incoming) };
}

/** Upgrades to a protocol without a name of its own, sends a line, and returns what comes until `wanted` is in it. */
export async function echo(cluster: Cluster, path: string, line: string, wanted: string): Promise<string> {
  const headers = { connection: 'Upgrade', upgrade: 'echo' };
  const outgoing = request(await optionsOf(cluster, path, { headers }));
  outgoing.end();
  const [, socket, head] = await once(outgoing, 'upgrade');
  let seen = String(head);
  socket.write(line);
  while (!seen.includes(wanted)) seen += String((await once(socket, 'data'))[0]);
  socket.destroy();
  return seen;
}
