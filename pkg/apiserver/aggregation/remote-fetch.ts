import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { linkedController } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { dialText } from '../proxy/pass-request.ts';
import type { ServiceEndpoint, ServiceReference } from '../services/service-endpoint.ts';
import { frontProxyHeaders } from './front-proxy-headers.ts';
import type { RemoteService } from './remote-services.ts';

export interface RemoteFetchDeps {
  readonly clock: Clock;
  /** Throws StatusError. */
  resolve(service: ServiceReference): ServiceEndpoint;
}

export interface RemoteAnswer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface RemoteRequest {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Longer answers are an error; 0: the body is not read. */
  readonly maxBytes: number;
}

const TIMEOUT_MS = 5000;
const AGGREGATOR = { username: 'system:kube-aggregator', groups: ['system:masters'] };

/** A GET of the server's own to an aggregated server, bounded in time and size. Rejects with an Error in Go's words. */
export async function remoteFetch(
  remote: RemoteService,
  request: RemoteRequest,
  deps: RemoteFetchDeps,
  signal: AbortSignal,
): Promise<RemoteAnswer> {
  const { host, port } = deps.resolve(remote.service);
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}${request.path}`;
  const { controller, unlink } = linkedController(signal);
  const late = new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
  const cancel = deps.clock.after(TIMEOUT_MS, () => controller.abort(late));
  try {
    const incoming = await open(remote, { host, port }, request, controller.signal);
    return { code: incoming.statusCode ?? 0, headers: incoming.headers, body: await read(incoming, request.maxBytes) };
  } catch (error) {
    const cause = controller.signal.aborted ? controller.signal.reason : error;
    const text = cause instanceof Error ? dialText(cause, { scheme: 'https', host, port }) : String(cause);
    throw new Error(`Get ${JSON.stringify(url)}: ${text}`, { cause });
  } finally {
    cancel();
    unlink();
  }
}

function open(
  remote: RemoteService,
  { host, port }: ServiceEndpoint,
  { path, headers }: RemoteRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host,
      port,
      path,
      headers: { accept: 'application/json', ...headers, ...frontProxyHeaders(AGGREGATOR) },
      servername: remote.serverName,
      agent: remote.agent,
      signal,
    });
    request.once('response', resolve);
    request.on('error', reject);
    request.end();
  });
}

async function read(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (maxBytes === 0) {
    incoming.on('error', () => {});
    incoming.destroy();
    return Buffer.alloc(0);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
