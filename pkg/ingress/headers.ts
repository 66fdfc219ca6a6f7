import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Exchange } from './exchange.ts';
import type { IngressSettings } from './settings.ts';

/** Headers of one connection (RFC 9110, 7.6.1), and those that we say ourselves. */
const NOT_FORWARDED = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'upgrade',
  'expect',
  'host',
  'http2-settings',
  'x-real-ip',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-scheme',
  'x-forwarded-prefix',
  'x-original-forwarded-for',
  'x-scheme',
  'forwarded',
  'proxy',
]);

const NOT_RETURNED = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

/**
 * A request's headers for the backend, name after value. What clients say of themselves by X-Forwarded-* is replaced, for
 * nothing is known to be in front of us.
 */
export function requestHeaders(exchange: Exchange, settings: IngressSettings, requestID: string): string[] {
  const { request, target, secure, clientAddress } = exchange;
  const { rawHeaders } = request;
  const named = namedByConnection(request.headers.connection);
  const authority = settings.upstreamVhost ?? target.authority;
  const scheme = secure ? 'https' : 'http';
  const out = authority === '' ? [] : ['host', authority];
  let cookies = '';
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    const lower = name.toLowerCase();
    // Many backends take `_` for `-`: X_Forwarded_For would pass for ours.
    if (lower.startsWith(':') || lower.includes('_') || NOT_FORWARDED.has(lower) || named.has(lower)) continue;
    if (lower === 'cookie') cookies = cookies === '' ? value : `${cookies}; ${value}`;
    else if (lower !== 'x-request-id') out.push(name, value);
  }
  if (cookies !== '') out.push('cookie', cookies);
  out.push('X-Request-ID', requestID, 'X-Real-IP', clientAddress, 'X-Forwarded-For', clientAddress);
  out.push('X-Forwarded-Host', target.authority, 'X-Forwarded-Port', portOf(target.authority, secure));
  out.push('X-Forwarded-Proto', scheme, 'X-Forwarded-Scheme', scheme, 'X-Scheme', scheme);
  if (settings.forwardedPrefix !== undefined) out.push('X-Forwarded-Prefix', settings.forwardedPrefix);
  return out;
}

const NOTHING: ReadonlySet<string> = new Set();

function namedByConnection(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || /^(?:keep-alive|close|upgrade)$/i.test(connection)) return NOTHING;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}

function portOf(authority: string, secure: boolean): string {
  return /:(\d+)$/.exec(authority)?.[1] ?? (secure ? '443' : '80');
}

/** A backend's headers for the client. */
export function responseHeaders(
  headers: IncomingHttpHeaders,
  extra: Readonly<Record<string, string | string[]>>,
): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = {};
  for (const name in headers) if (!NOT_RETURNED.has(name) && !name.startsWith(':')) out[name] = headers[name];
  for (const [name, value] of Object.entries(extra)) {
    const own = name === 'set-cookie' ? headers[name] : undefined;
    out[name] = own === undefined ? value : [...own, ...[value].flat()];
  }
  return out;
}
