import { framingOf } from './framing.ts';
import { type HeaderFields, parseFields } from './header-fields.ts';

export interface RequestHead {
  readonly method: string;
  /** As it came: a path with its query, or the absolute form. */
  readonly url: string;
  /** HTTP/1.`minor` */
  readonly minor: 0 | 1;
  readonly fields: HeaderFields;
  readonly host: string | undefined;
  /** Of the body: bytes, or chunks. */
  readonly framing: number | 'chunked';
  /** The client wants to send more requests on this connection. */
  readonly keepAlive: boolean;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly waits: boolean;
  /** A WebSocket is asked for. */
  readonly upgrade: boolean;
}

/** The status that tells a client why its request is none. */
export type Refusal = 400 | 408 | 417 | 431;

export const MAX_HEAD_BYTES = 32 * 1024;
const MAX_FIELDS = 200;

const REQUEST_LINE = /^([\w!#$%&'*+.^`|~-]+) ([!-~]+) HTTP\/1\.([01])$/;

/** Reads a request's head, in Latin-1 and without the empty line at its end. */
export function parseRequestHead(text: string): RequestHead | Refusal {
  const end = text.indexOf('\r\n');
  const line = REQUEST_LINE.exec(end < 0 ? text : text.slice(0, end));
  const fields = parseFields(text, end < 0 ? text.length : end + 2);
  if (line === null || fields === undefined) return 400;
  if (fields.names.length > MAX_FIELDS) return 431;
  const [, method = '', url = '', digit] = line;
  const minor = digit === '1' ? 1 : 0;
  const framing = framingOf(fields);
  // Proxies of HTTP/1.0 pass chunks on without knowing them.
  if (framing === 'ambiguous' || (framing === 'chunked' && minor === 0) || method === 'CONNECT') return 400;
  const hosts = fields.names.filter((name) => name === 'host').length;
  if (hosts > 1 || (hosts === 0 && minor === 1)) return 400;
  const expect = fields.get('expect');
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') return 417;
  const connection = optionsOf(fields.get('connection'));
  const upgrade = minor === 1 && method === 'GET' && (framing ?? 0) === 0 && connection.includes('upgrade');
  return {
    ...{ method, url, minor, fields, host: fields.get('host'), framing: framing ?? 0 },
    keepAlive: minor === 1 ? !connection.includes('close') : connection.includes('keep-alive'),
    waits: expect !== undefined && minor === 1,
    upgrade: upgrade && fields.get('upgrade')?.toLowerCase() === 'websocket',
  };
}

const NONE: readonly string[] = [];

/** The options of a Connection field, in lower case. */
export function optionsOf(connection: string | undefined): readonly string[] {
  return connection === undefined ? NONE : connection.split(',').map((option) => option.trim().toLowerCase());
}
