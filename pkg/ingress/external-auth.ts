import type { Connections } from './connections.ts';
import type { Exchange } from './exchange.ts';
import type { AnswerHandler, BackendConnection, BackendFailure } from './http1/backend-connection.ts';
import type { HeaderFields } from './http1/header-fields.ts';
import type { ResponseHead } from './http1/response-head.ts';
import type { ExternalAuthSettings } from './settings.ts';
import type { Upstreams } from './upstreams.ts';

/** What the other server says: the request may come in, with more for the backend and the client, or what it is answered. */
export type AuthVerdict =
  | { readonly allowed: true; readonly headers: readonly string[]; readonly cookies: readonly string[] }
  | { readonly allowed: false; readonly status: number; readonly headers: readonly string[] };

export interface ExternalAuthDeps {
  readonly upstreams: Upstreams;
  readonly connections: Connections;
}

/** What of its answer's body is read so that the connection can be used again. */
const MAX_BODY_BYTES = 64 * 1024;
const CONNECT_TIMEOUT_MS = 5000;
const ANSWER_TIMEOUT_MS = 60_000;
const FAILED: AuthVerdict = { allowed: false, status: 500, headers: [] };

/**
 * Asks another server about a request, with its headers (name after value, `Host` first) and without its body. `decided` is
 * called once, unless the client goes first.
 */
export function askExternalAuth(
  exchange: Exchange,
  settings: ExternalAuthSettings,
  headers: readonly string[],
  deps: ExternalAuthDeps,
  decided: (verdict: AuthVerdict) => void,
): void {
  const [, scheme, authority = '', path = ''] = /^(https?):\/\/([^/?#]+)(.*)$/.exec(settings.url(exchange)) ?? [];
  const tried = new Set<string>();
  const ask = (): boolean => {
    const address = addressOf(authority, scheme === 'https', tried, deps.upstreams);
    if (address === undefined || tried.size > 2) return false;
    tried.add(address);
    const pool = deps.connections.pool(address, scheme === 'https' ? 'HTTPS' : 'HTTP', CONNECT_TIMEOUT_MS);
    const connection = pool.take();
    exchange.gone = () => connection.destroy();
    connection.serve(
      new Question(requestText(exchange, settings, headers, authority, path), settings, connection, on),
      ANSWER_TIMEOUT_MS,
    );
    return true;
  };
  const on: QuestionEvents = {
    failed: (failure, wasKept) => {
      const again = failure === 'unreachable' || (failure === 'broken' && wasKept);
      if (failure === 'broken' && wasKept) tried.clear();
      if (!again || !ask()) decided(FAILED);
    },
    decided,
  };
  if (!ask()) decided(FAILED);
}

interface QuestionEvents {
  failed(failure: BackendFailure, wasKept: boolean): void;
  decided(verdict: AuthVerdict): void;
}

class Question implements AnswerHandler {
  readonly method: string;
  readonly #text: string;
  readonly #settings: ExternalAuthSettings;
  readonly #connection: BackendConnection;
  readonly #on: QuestionEvents;
  #isDecided = false;
  #bodyBytes = 0;

  constructor(text: string, settings: ExternalAuthSettings, connection: BackendConnection, on: QuestionEvents) {
    this.method = settings.method;
    this.#text = text;
    this.#settings = settings;
    this.#connection = connection;
    this.#on = on;
  }

  onReady(): void {
    this.#connection.out.addText(this.#text);
    this.#connection.requestSent();
  }

  onDrain(): void {}

  onInformation(): void {}

  onHead(head: ResponseHead): void {
    this.#isDecided = true;
    const { status, fields } = head;
    if (status === 101) this.#connection.destroy();
    if (status >= 200 && status < 300) {
      const wanted = new Set(this.#settings.responseHeaders);
      this.#on.decided({ allowed: true, headers: pick(fields, wanted), cookies: valuesOf(fields, 'set-cookie') });
    } else if (status === 401 || status === 403)
      this.#on.decided({ allowed: false, status, headers: pick(fields, new Set(['www-authenticate'])) });
    else this.#on.decided(FAILED);
  }

  onData(part: Buffer): void {
    this.#bodyBytes += part.length;
    if (this.#bodyBytes > MAX_BODY_BYTES) this.#connection.destroy();
  }

  onPause(): void {}

  onEnd(): void {}

  onFailure(failure: BackendFailure): void {
    if (!this.#isDecided) this.#on.failed(failure, this.#connection.hasServed);
  }
}

/** A Service is asked at its endpoints: this machine need not know the cluster's names. */
function addressOf(
  authority: string,
  secure: boolean,
  tried: ReadonlySet<string>,
  upstreams: Upstreams,
): string | undefined {
  const [, name = '', digits] = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(authority) ?? [];
  if (name === '') return undefined;
  const port = digits === undefined ? (secure ? 443 : 80) : Number(digits);
  const [, service, namespace] = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.|$)/i.exec(name) ?? [];
  if (service === undefined || namespace === undefined) return tried.size > 0 ? undefined : `${name}:${port}`;
  return upstreams.of({ namespace, service, port }).pick(tried)?.authority;
}

function requestText(
  exchange: Exchange,
  settings: ExternalAuthSettings,
  headers: readonly string[],
  authority: string,
  path: string,
): string {
  const { target, request } = exchange;
  const scheme = request.secure ? 'https' : 'http';
  const own = [
    ...['Host', authority, 'X-Original-URL', `${scheme}://${target.authority}${target.rawPath}`],
    ...['X-Original-Method', request.method, 'X-Sent-From', 'nginx-ingress-controller'],
    ...['X-Auth-Request-Redirect', settings.requestRedirect?.(exchange) ?? target.rawPath],
  ];
  const said = new Set(own.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()));
  let text = `${settings.method} ${path.startsWith('/') ? path : `/${path}`} HTTP/1.1\r\n`;
  for (let i = 0; i < own.length; i += 2) text += `${own[i]}: ${own[i + 1]}\r\n`;
  for (let i = 0; i < headers.length; i += 2)
    if (!said.has((headers[i] ?? '').toLowerCase())) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  if (settings.method !== 'GET' && settings.method !== 'HEAD') text += 'Content-Length: 0\r\n';
  return `${text}\r\n`;
}

function pick({ raw, names }: HeaderFields, wanted: ReadonlySet<string>): string[] {
  return names.flatMap((name, index) => (wanted.has(name) ? [raw[2 * index] ?? '', raw[2 * index + 1] ?? ''] : []));
}

function valuesOf({ raw, names }: HeaderFields, wanted: string): string[] {
  return names.flatMap((name, index) => (name === wanted ? [raw[2 * index + 1] ?? ''] : []));
}

/** Where a client is sent that may not come in: the page for it, which is told where the client wanted to go. */
export function signinURL(exchange: Exchange, { signin, signinParameter }: ExternalAuthSettings): string | undefined {
  const url = signin?.(exchange);
  if (url === undefined) return undefined;
  const mark = url.indexOf('?');
  if (mark >= 0 && new URLSearchParams(url.slice(mark)).has(signinParameter)) return url;
  const { target, request } = exchange;
  const back = `${request.secure ? 'https' : 'http'}://${target.authority}${target.rawPath}`;
  return `${url}${mark < 0 ? '?' : '&'}${signinParameter}=${encodeURIComponent(back)}`;
}
