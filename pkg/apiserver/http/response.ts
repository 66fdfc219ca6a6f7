import type { ServerResponse } from 'node:http';
import { createGzip } from 'node:zlib';
import type { Status } from '../../api/generated/types.ts';
import { jsonText, yamlText } from '../../api/object-text.ts';
import { PROTOBUF_TYPE } from '../../api/protobuf/index.ts';
import type { Negotiated } from '../request/negotiate.ts';
import { protobufBody } from './protobuf.ts';

/** Of HTTP/1.1, or HTTP/2's compatible form of it. */
export type Response = ServerResponse;

/** Answers smaller than this are not worth compressing. */
const GZIP_FROM_BYTES = 128 * 1024;
const GZIP_LEVEL = 1;
const NEWLINE = Buffer.from('\n');

/** What is known of a response before its body. */
export interface ResponseHead {
  readonly auditID: string;
  readonly warnings: readonly string[];
  readonly gzip: boolean;
  readonly pretty: boolean;
  /** HEAD: headers only. */
  readonly headOnly: boolean;
  /** Is told the size of the body before compression. */
  readonly sent?: { bytes: number };
  /** The flow schema and priority level of the request. */
  readonly flow?: { readonly schemaUID: string; readonly levelUID: string } | undefined;
}

export type Headers = Record<string, string | number | string[]>;

export function headers(head: ResponseHead, contentType: string): Headers {
  const fields: Headers = {
    'Audit-Id': head.auditID,
    'Cache-Control': 'no-cache, private',
    'Content-Type': contentType,
  };
  if (head.flow !== undefined) {
    fields['X-Kubernetes-Pf-Flowschema-Uid'] = head.flow.schemaUID;
    fields['X-Kubernetes-Pf-Prioritylevel-Uid'] = head.flow.levelUID;
  }
  if (head.warnings.length > 0) fields['Warning'] = limitWarnings(head.warnings).map(warningHeader);
  return fields;
}

/** Upstream's warning recorder: each text once; more than this many characters in all, and every text is cut, then left out. */
const WARNINGS_MAX_LENGTH = 4 * 1024;
const CUT_WARNING_LENGTH = 256;

export function limitWarnings(warnings: readonly string[]): readonly string[] {
  const texts = [...new Set(warnings)].map((text) => [...text.slice(0, 2 * WARNINGS_MAX_LENGTH)]);
  if (texts.reduce((sum, text) => sum + text.length, 0) <= WARNINGS_MAX_LENGTH)
    return texts.map((text) => text.join(''));
  const kept: string[] = [];
  let length = 0;
  for (const text of texts) {
    const cut = text.slice(0, CUT_WARNING_LENGTH);
    if (length + cut.length > WARNINGS_MAX_LENGTH) break;
    length += cut.length;
    kept.push(cut.join(''));
  }
  return kept;
}

/** RFC 7234 Warning with code 299, as upstream writes it. */
function warningHeader(text: string): string {
  let safe = '';
  // Header values must not contain control characters.
  for (const char of text.replace(/\p{Cc}+/gu, ' ')) {
    if (char === '"' || char === '\\') safe += `\\${char}`;
    else safe += char;
  }
  return `299 - "${Buffer.from(safe).toString('latin1')}"`;
}

/** Writes a body that is there as a whole. */
export function sendBytes(
  response: Response,
  code: number,
  fields: Headers,
  body: readonly Buffer[],
  head: ResponseHead,
): void {
  let length = 0;
  for (const part of body) length += part.length;
  if (head.sent !== undefined) head.sent.bytes = length;
  if (head.gzip && length >= GZIP_FROM_BYTES && !head.headOnly) {
    response.writeHead(code, { ...fields, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' });
    const gzip = createGzip({ level: GZIP_LEVEL });
    gzip.pipe(response);
    for (const part of body) gzip.write(part);
    gzip.end();
    return;
  }
  fields['Content-Length'] = length;
  response.writeHead(code, fields);
  if (head.headOnly) {
    response.end();
    return;
  }
  if (body.length === 1) response.end(body[0]);
  else response.end(Buffer.concat(body, length));
}

export function sendText(response: Response, code: number, text: string, head: ResponseHead): void {
  const fields = headers(head, 'text/plain; charset=utf-8');
  fields['X-Content-Type-Options'] = 'nosniff';
  sendBytes(response, code, fields, [Buffer.from(text)], head);
}

/** Writes any JSON value in the wanted encoding; what has no form in protobuf is written as JSON. */
export function sendObject(
  response: Response,
  code: number,
  value: unknown,
  wanted: Pick<Negotiated, 'encoding'>,
  head: ResponseHead,
): void {
  if (wanted.encoding === 'yaml') {
    sendBytes(response, code, headers(head, 'application/yaml'), [Buffer.from(yamlText(value))], head);
    return;
  }
  if (wanted.encoding === 'protobuf') {
    const body = protobufBody(value as Readonly<Record<string, unknown>>);
    if (body !== undefined) {
      sendBytes(response, code, headers(head, PROTOBUF_TYPE), [body], head);
      return;
    }
  }
  sendBytes(response, code, headers(head, 'application/json'), [Buffer.from(jsonText(value, head.pretty))], head);
}

/** Writes JSON that exists already. */
export function sendJSON(response: Response, code: number, json: Buffer, head: ResponseHead): void {
  sendBytes(response, code, headers(head, 'application/json'), [json, NEWLINE], head);
}

export function sendStatus(
  response: Response,
  status: Status,
  wanted: Pick<Negotiated, 'encoding'>,
  head: ResponseHead,
): void {
  const code = status.code ?? 500;
  const seconds = status.details?.retryAfterSeconds;
  if (seconds !== undefined && seconds > 0 && !response.headersSent) response.setHeader('Retry-After', String(seconds));
  sendObject(response, code, status, wanted, head);
}
