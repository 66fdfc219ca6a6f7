import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { UserInfo } from '../../api/user.ts';
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
  /** Default GET. */
  readonly method?: string;
  /** With the query. */
  readonly path: string;
  readonly body?: string;
  /** Who asks; default: the aggregator itself. */
  readonly user?: UserInfo;
  /** Default 5 s. */
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Longer answers are an error; 0: the body is not read. */
  readonly maxBytes: number;
}

const TIMEOUT_MS = 5000;
const AGGREGATOR = { username: 'system:kube-aggregator', groups: ['system:masters'] };

/** A request from inside to an aggregated server, bounded in time and size. Rejects with an Error in Go's words. */
export async function remoteFetch(
  remote: RemoteService,
  request: RemoteRequest,
  deps: RemoteFetchDeps,
  signal: AbortSignal,
): Promise<RemoteAnswer> {
  const { controller, unlink } = linkedController(signal);
  const late = new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
  const cancel = deps.clock.after(request.timeoutMs ?? TIMEOUT_MS, () => controller.abort(late));
  const endpoint = deps.resolve(remote.service);
  try {
    const incoming = await open(remote, endpoint, request, controller.signal);
    return { code: incoming.statusCode ?? 0, headers: incoming.headers, body: await read(incoming, request.maxBytes) };
  } catch (error) {
    throw failure(controller.signal.aborted ? controller.signal.reason : error, endpoint, request);
  } finally {
    cancel();
    unlink();
  }
}

/** The same for an answer that goes on until `signal` aborts; only its beginning is bounded in time. */
export async function remoteStream(
  remote: RemoteService,
  request: Omit<RemoteRequest, 'maxBytes'>,
  deps: RemoteFetchDeps,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { controller, unlink } = linkedController(signal);
  const late = new Error('context deadline exceeded');
  const cancel = deps.clock.after(request.timeoutMs ?? TIMEOUT_MS, () => controller.abort(late));
  const endpoint = deps.resolve(remote.service);
  try {
    const incoming = await open(remote, endpoint, request, controller.signal);
    incoming.once('close', unlink);
    return incoming;
  } catch (error) {
    unlink();
    throw failure(controller.signal.aborted ? controller.signal.reason : error, endpoint, request);
  } finally {
    cancel();
  }
}

function failure(
  cause: unknown,
  { host, port }: ServiceEndpoint,
  { method = 'GET', path }: { method?: string; path: string },
) {
  const text = cause instanceof Error ? dialText(cause, { scheme: 'https', host, port }) : String(cause);
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
  return new Error(`${method === 'GET' ? 'Get' : method} ${JSON.stringify(url)}: ${text}`, { cause });
}

function open(
  remote: RemoteService,
  { host, port }: ServiceEndpoint,
  { method = 'GET', path, headers, body, user = AGGREGATOR }: Omit<RemoteRequest, 'maxBytes'>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host,
      port,
      method,
      path,
      headers: { accept: 'application/json', ...headers, ...frontProxyHeaders(user) },
      servername: remote.serverName,
      agent: remote.agent,
      signal,
    });
    request.once('response', resolve);
    request.on('error', reject);
    request.end(body);
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
