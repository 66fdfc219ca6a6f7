import { STATUS_CODES } from 'node:http';
import { type BodySink, Exchange, type RequestFacts, type TakenConnection } from '../exchange.ts';
import { parseTarget } from '../request-target.ts';
import type { HeaderFields } from './header-fields.ts';
import type { RequestHead } from './request-head.ts';
import { hasNoBody } from './response-head.ts';
import type { WriteBuffer } from './write-buffer.ts';

/** What an exchange needs of the connection that it takes place on. */
export interface ExchangeHost {
  readonly out: WriteBuffer;
  /** Whether more requests may follow on the connection. */
  readonly keepsAlive: boolean;
  /** The request's body has been read to its end. */
  readonly bodyRead: boolean;
  readBody(sink: BodySink): void;
  resumeBody(): void;
  /** The answer is complete; `last`: so is the connection. */
  finished(last: boolean): void;
  destroy(abruptly: boolean): void;
  detach(): TakenConnection;
}

/** One exchange on a connection of HTTP/1. */
export class ClientExchange extends Exchange {
  readonly #head: RequestHead;
  readonly #host: ExchangeHost;
  #framing: 'none' | 'length' | 'chunked' | 'until-close' = 'none';
  #last = false;

  constructor(head: RequestHead, facts: Pick<RequestFacts, 'secure' | 'clientAddress'>, host: ExchangeHost) {
    super({
      ...facts,
      method: head.method,
      httpVersion: `1.${head.minor}`,
      fields: head.fields,
      target: parseTarget(head.url, head.host),
      hasBody: head.framing !== 0,
      contentLength: typeof head.framing === 'number' && head.framing > 0 ? head.framing : undefined,
      wantsUpgrade: head.upgrade,
    });
    this.#head = head;
    this.#host = host;
  }

  readBody(sink: BodySink): void {
    const { out } = this.#host;
    if (this.#head.waits && !this.#host.bodyRead) {
      out.addText('HTTP/1.1 100 Continue\r\n\r\n');
      out.flush();
    }
    this.#host.readBody(sink);
  }

  resumeBody(): void {
    this.#host.resumeBody();
  }

  /** Many clients of HTTP/1 take any head for the answer's, but for 100 (RFC 8297, 3); nginx tells them nothing either. */
  inform(): void {}

  begin(status: number, fields: readonly string[], length: number | undefined): void {
    const { minor, method } = this.#head;
    this.status = status;
    this.#framing = framingFor(hasNoBody(status, method), length, minor);
    // What is left of an unread body, or follows an ambiguous request, is not read.
    this.#last = !this.#host.keepsAlive || !this.#host.bodyRead || status === 400 || this.#framing === 'until-close';
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
    for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
    if (this.#framing === 'chunked') text += 'Transfer-Encoding: chunked\r\n';
    else if (length !== undefined && status !== 204) text += `Content-Length: ${length}\r\n`;
    if (this.#last) text += 'Connection: close\r\n';
    else if (minor === 0) text += 'Connection: keep-alive\r\n';
    this.#host.out.addText(`${text}\r\n`);
  }

  write(part: Buffer): boolean {
    const { out } = this.#host;
    if (this.#framing === 'none') return true;
    if (this.#framing === 'chunked') out.addChunk(part);
    else out.addData(part);
    return !out.needsDrain;
  }

  flush(): void {
    this.#host.out.flush();
  }

  end(trailers?: HeaderFields): void {
    const { out } = this.#host;
    if (this.#framing === 'chunked') out.addText(`0\r\n${linesOf(trailers)}\r\n`);
    out.flush();
    this.#host.finished(this.#last);
  }

  breakOff(): void {
    this.#host.destroy(this.#framing === 'until-close');
  }

  takeOver(status: number): TakenConnection {
    this.status = status;
    return this.#host.detach();
  }
}

function framingFor(
  bodiless: boolean,
  length: number | undefined,
  minor: 0 | 1,
): 'none' | 'length' | 'chunked' | 'until-close' {
  if (bodiless) return 'none';
  if (length !== undefined) return 'length';
  return minor === 1 ? 'chunked' : 'until-close';
}

function linesOf(trailers: HeaderFields | undefined): string {
  let text = '';
  const { raw } = trailers ?? { raw: [] };
  for (let i = 0; i < raw.length; i += 2) text += `${raw[i]}: ${raw[i + 1]}\r\n`;
  return text;
}
