import type { Exchange } from './exchange.ts';
import type { HeaderFields } from './http1/header-fields.ts';
import { optionsOf } from './http1/request-head.ts';
import type { IngressSettings } from './settings.ts';

/** Headers of one connection (RFC 9110, 7.6.1), and those that we say ourselves. */
const NOT_FORWARDED = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
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

const NOT_RETURNED = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'upgrade',
]);

/**
 * A request's headers for the backend, name after value. What clients say of themselves by X-Forwarded-* is replaced, for
 * nothing is known to be in front of us.
 */
export function requestHeaders(exchange: Exchange, settings: IngressSettings, requestID: string): string[] {
  const { target, request } = exchange;
  const { fields, secure, clientAddress } = request;
  const { raw, names } = fields;
  const named = namedByConnection(fields);
  const authority = settings.upstreamVhost ?? target.authority;
  const scheme = secure ? 'https' : 'http';
  const out = authority === '' ? [] : ['Host', authority];
  let cookies = '';
  for (let i = 0; i < names.length; i++) {
    const name = names[i] ?? '';
    // Many backends take `_` for `-`: X_Forwarded_For would pass for ours.
    if (name.startsWith(':') || name.includes('_') || NOT_FORWARDED.has(name) || named.has(name)) continue;
    const value = raw[2 * i + 1] ?? '';
    if (name === 'cookie') cookies = cookies === '' ? value : `${cookies}; ${value}`;
    else if (name !== 'x-request-id' && !(name === 'authorization' && settings.basicAuth !== undefined))
      out.push(raw[2 * i] ?? '', value);
  }
  if (cookies !== '') out.push('Cookie', cookies);
  out.push('X-Request-ID', requestID, 'X-Real-IP', clientAddress, 'X-Forwarded-For', clientAddress);
  out.push('X-Forwarded-Host', target.authority, 'X-Forwarded-Port', portOf(target.authority, secure));
  out.push('X-Forwarded-Proto', scheme, 'X-Forwarded-Scheme', scheme, 'X-Scheme', scheme);
  if (settings.forwardedPrefix !== undefined) out.push('X-Forwarded-Prefix', settings.forwardedPrefix);
  return out;
}

const NOTHING: ReadonlySet<string> = new Set();

function namedByConnection(fields: HeaderFields): ReadonlySet<string> {
  const connection = fields.get('connection');
  if (connection === undefined || /^(?:keep-alive|close|upgrade)$/i.test(connection)) return NOTHING;
  return new Set(optionsOf(connection));
}

function portOf(authority: string, secure: boolean): string {
  return /:(\d+)$/.exec(authority)?.[1] ?? (secure ? '443' : '80');
}

/** A backend's headers for the client, name after value, without those that frame the body, and with those of our own. */
export function responseFields(fields: HeaderFields, { extraHeaders: extra, cookies }: Exchange): string[] {
  const { names } = fields;
  const out = passedFields(fields, extra);
  for (const name in extra) out.push(name, extra[name] ?? '');
  for (const cookie of cookies) out.push('Set-Cookie', cookie);
  // RFC 9110, 6.6.1
  if (!names.includes('date')) out.push('Date', new Date().toUTCString());
  return out;
}

/** What goes through of a backend's headers; those in `instead` do not, cookies apart. */
export function passedFields(fields: HeaderFields, instead: Readonly<Record<string, string>> = {}): string[] {
  const { raw, names } = fields;
  const named = namedByConnection(fields);
  const out: string[] = [];
  for (let i = 0; i < names.length; i++) {
    const name = names[i] ?? '';
    if (NOT_RETURNED.has(name) || named.has(name) || name.startsWith(':')) continue;
    if (name === 'set-cookie' || instead[name] === undefined) out.push(raw[2 * i] ?? '', raw[2 * i + 1] ?? '');
  }
  return out;
}
