import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { plainAddress } from '../../base/socket-address.ts';

export type ProxyHeaders = Record<string, string | string[]>;

/** RFC 9110, 7.6.1, and what older clients send. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Credentials of the API server's clients, which are not the backend's business, and what Node answers by itself. */
const NOT_PASSED: ReadonlySet<string> = new Set([
  'authorization',
  'expect',
  'host',
  'x-remote-group',
  'x-remote-uid',
  'x-remote-user',
]);
const NOT_PASSED_PREFIXES = [':', 'impersonate-', 'x-remote-extra-'];

/** A page of a backend must not open the API server to other sites. */
const CROSS_ORIGIN_PREFIX = 'access-control-';

/** The headers of a request as its backend gets them. */
export function requestHeaders(request: IncomingMessage, isUpgrade: boolean): ProxyHeaders {
  const passed: ProxyHeaders = {};
  const dropped = namedByConnection(request.headers);
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || HOP_BY_HOP.has(name) || NOT_PASSED.has(name) || dropped.has(name)) continue;
    if (NOT_PASSED_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    passed[name] = value;
  }
  const { remoteAddress } = request.socket;
  if (remoteAddress !== undefined) {
    const via = plainAddress(remoteAddress);
    const before = passed['x-forwarded-for'];
    passed['x-forwarded-for'] = before === undefined ? via : `${String(before)}, ${via}`;
  }
  if (isUpgrade) {
    passed['connection'] = 'Upgrade';
    passed['upgrade'] = request.headers.upgrade ?? '';
  }
  return passed;
}

/** The headers of a backend's answer as the client gets them. `isPage`: it may be shown by a browser. */
export function responseHeaders(incoming: IncomingMessage, isPage: boolean): ProxyHeaders {
  const passed: ProxyHeaders = {};
  const dropped = namedByConnection(incoming.headers);
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value === undefined || HOP_BY_HOP.has(name) || dropped.has(name)) continue;
    if (isPage && name.startsWith(CROSS_ORIGIN_PREFIX)) continue;
    passed[name] = value;
  }
  return passed;
}

/** Whether a body follows the headers of a request. */
export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request;
  if (headers['transfer-encoding'] !== undefined) return true;
  if (headers['content-length'] !== undefined) return headers['content-length'] !== '0';
  const stream = (request as unknown as { stream?: { endAfterHeaders?: boolean } }).stream;
  return stream !== undefined && stream.endAfterHeaders === false;
}

function namedByConnection(headers: IncomingHttpHeaders): ReadonlySet<string> {
  const { connection } = headers;
  if (connection === undefined) return new Set();
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}
