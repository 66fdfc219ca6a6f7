import { type Framing, framingOf } from './framing.ts';
import { type HeaderFields, parseFields } from './header-fields.ts';
import { optionsOf } from './request-head.ts';

export interface ResponseHead {
  readonly status: number;
  readonly fields: HeaderFields;
  readonly framing: Framing;
  /** What Content-Length says, which answers to HEAD have without a body. */
  readonly declaredLength: number | undefined;
  /** The backend takes more requests on this connection. */
  readonly keepAlive: boolean;
  /** How long it waits for them; undefined: it does not say. */
  readonly keepAliveMs: number | undefined;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;

/** Reads the head of an answer to `method`, in Latin-1 and without the empty line at its end. undefined: it is none. */
export function parseResponseHead(text: string, method: string): ResponseHead | undefined {
  const end = text.indexOf('\r\n');
  const line = STATUS_LINE.exec(end < 0 ? text : text.slice(0, end));
  const fields = parseFields(text, end < 0 ? text.length : end + 2);
  if (line === null || fields === undefined) return undefined;
  const status = Number(line[2]);
  const declared = framingOf(fields);
  if (declared === 'ambiguous') return undefined;
  const connection = optionsOf(fields.get('connection'));
  const hint = /(?:^|[\s,])timeout=(\d{1,6})/i.exec(fields.get('keep-alive') ?? '')?.[1];
  return {
    status,
    fields,
    framing: hasNoBody(status, method) ? 0 : (declared ?? 'until-close'),
    declaredLength: typeof declared === 'number' ? declared : undefined,
    keepAlive: line[1] === '1' ? !connection.includes('close') : connection.includes('keep-alive'),
    keepAliveMs: hint === undefined ? undefined : Number(hint) * 1000,
  };
}

/** Whether an answer has no body whatever its fields say (RFC 9112, 6.3). */
export function hasNoBody(status: number, method: string): boolean {
  return method === 'HEAD' || status < 200 || status === 204 || status === 304;
}
