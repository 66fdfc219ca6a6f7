import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { errnoCode } from '../../base/errors.ts';

/** By their names in lower case. */
export type HTTPHeaders = Readonly<Record<string, string | string[]>>;

export interface HTTPTarget {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: HTTPHeaders;
}

export interface HTTPAnswer {
  readonly status: number;
  readonly body: string;
}

const MAX_BODY_BYTES = 10 * 1024;
const MAX_REQUESTS = 10;
const TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'read: connection reset by peer',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** TLS was spoken to a server that does not speak it. */
export class PlainAnswerError extends Error {
  override readonly name = 'PlainAnswerError';
}

/**
 * A GET whose certificate is not checked; redirects are followed on the same host. Errors read as Go's client writes them: a
 * PlainAnswerError, or others.
 */
export async function httpGet(target: HTTPTarget, timeoutMs: number): Promise<HTTPAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  let url = new URL(
    `${target.scheme}://${hostPort(target.host, target.port)}${target.path.startsWith('/') ? '' : '/'}${target.path}`,
  );
  for (let requests = 1; ; requests++) {
    const { status, body, location } = await once(url, target.headers, signal);
    if (status < 300 || status >= 400 || location === undefined) return { status, body };
    const next = new URL(location, url);
    // Another host is not this container's business: that it redirects is answer enough.
    if (next.hostname !== url.hostname) return { status, body };
    if (requests >= MAX_REQUESTS) throw new Error(`Get "${next.href}": stopped after ${MAX_REQUESTS} redirects`);
    url = next;
  }
}

function once(
  url: URL,
  headers: HTTPHeaders,
  signal: AbortSignal,
): Promise<HTTPAnswer & { location: string | undefined }> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    // What CGI scripts write is taken as Go takes it: lines may end without a carriage return.
    const options = { headers, agent: false, rejectUnauthorized: false, signal, insecureHTTPParser: true };
    const outgoing = send(url, options, (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const done = (): void => {
        const body = Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString();
        resolve({ status: answer.statusCode ?? 0, body, location: answer.headers.location });
      };
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= MAX_BODY_BYTES) {
          done();
          answer.destroy();
        }
      });
      answer.on('end', done);
      answer.on('error', (error) => reject(goError(url, error, signal)));
    });
    outgoing.on('error', (error) => reject(goError(url, error, signal)));
    outgoing.end();
  });
}

function goError(url: URL, error: unknown, signal: AbortSignal): Error {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (isPlainAnswer(error)) {
    return new PlainAnswerError(`Get "${url.href}": http: server gave HTTP response to HTTPS client`);
  }
  const text = signal.aborted
    ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    : dialText(url.hostname.replace(/^\[|\]$/g, ''), Number(port), error);
  return new Error(`Get "${url.href}": ${text}`);
}

function dialText(host: string, port: number, error: unknown): string {
  const text = TEXTS[errnoCode(error) ?? ''];
  return text === undefined
    ? error instanceof Error
      ? error.message
      : String(error)
    : `dial tcp ${hostPort(host, port)}: ${text}`;
}

function isPlainAnswer(error: unknown): boolean {
  return errnoCode(error) === 'EPROTO' && error instanceof Error && error.message.includes('wrong version number');
}

/** Opens and closes a TCP connection. */
export function tcpConnect(host: string, port: number, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    socket.on('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.on('timeout', () => {
      socket.destroy();
      reject(new Error(`dial tcp ${hostPort(host, port)}: i/o timeout`));
    });
    socket.on('error', (error) => reject(new Error(dialText(host, port, error))));
  });
}
