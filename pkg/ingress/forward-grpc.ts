import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { answer, type Exchange } from './exchange.ts';
import type { ForwardRequest } from './forward-http1.ts';
import { responseFields } from './headers.ts';
import { HeaderFields } from './http1/header-fields.ts';

/** Sends a request over HTTP/2 and streams the answer back with its trailers, as gRPC needs. */
export function forwardGRPC(request: ForwardRequest, tried: ReadonlySet<string> = new Set()): void {
  const { exchange, upstream, settings, connections, onEndpoint } = request;
  const endpoint = (tried.size === 0 ? request.preferred : undefined) ?? upstream.pick(tried);
  if (endpoint === undefined) {
    if (tried.size > 0) answer(exchange, 502, 'The backend could not be asked.');
    else answer(exchange, 503, 'The Service has no endpoint that is ready.');
    return;
  }
  onEndpoint(endpoint);
  const { hasBody } = exchange.request;
  const session = connections.session(endpoint.authority, settings.backendProtocol);
  const stream = session.request(headersOf(request), { endStream: !hasBody });
  let connected = !session.connecting;
  let over = false;
  stream.setTimeout(settings.readTimeoutMs, () => {
    over = true;
    stream.close(constants.NGHTTP2_CANCEL);
    answer(exchange, 504, 'The backend did not answer in time.');
  });
  exchange.gone = () => {
    over = true;
    stream.close(constants.NGHTTP2_CANCEL);
  };
  exchange.drained = () => stream.resume();
  stream.once('error', () => {
    if (over) return;
    over = true;
    if (exchange.status !== 0) {
      exchange.breakOff();
      return;
    }
    upstream.failed(endpoint);
    // Until the connection stands nothing has been read of the body.
    if (!connected) forwardGRPC(request, new Set([...tried, endpoint.authority]));
    else answer(exchange, 502, 'The backend could not be asked.');
  });
  answerFrom(stream, exchange, () => {
    const isFirst = !over;
    over = true;
    return isFirst;
  });
  const begin = (): void => {
    connected = true;
    if (hasBody) sendBody(stream, exchange);
  };
  if (connected) begin();
  else session.once('connect', begin);
}

function sendBody(stream: ClientHttp2Stream, exchange: Exchange): void {
  stream.on('drain', () => exchange.resumeBody());
  exchange.readBody({ data: (part) => stream.destroyed || stream.write(part), end: () => stream.end() });
}

/** `end`: false when the exchange is over already. */
function answerFrom(stream: ClientHttp2Stream, exchange: Exchange, end: () => boolean): void {
  let trailers = HeaderFields.of([]);
  stream.once('response', (headers: IncomingHttpHeaders & { ':status'?: number }, flags: number) => {
    const fields = responseFields(HeaderFields.of(listOf(headers)), exchange);
    exchange.begin(headers[':status'] ?? 502, fields, undefined);
    // A call that failed is answered by one frame of headers, which clients know by the end of the stream in it.
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) === 0) exchange.flush();
  });
  stream.on('data', (part: Buffer) => {
    exchange.bytesSent += part.length;
    if (!exchange.write(part)) stream.pause();
    exchange.flush();
  });
  stream.once('trailers', (received: IncomingHttpHeaders) => {
    trailers = HeaderFields.of(listOf(received));
  });
  stream.once('end', () => {
    if (exchange.status !== 0 && end()) exchange.end(trailers);
  });
}

function listOf(headers: IncomingHttpHeaders): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(':') ? [] : [value ?? ''].flat().flatMap((one) => [name, one]),
  );
}

function headersOf({ exchange, headers, path, settings }: ForwardRequest): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = {
    ':method': exchange.request.method,
    ':path': path,
    ':scheme': settings.backendProtocol === 'GRPCS' ? 'https' : 'http',
    ':authority': settings.upstreamVhost ?? exchange.target.authority,
    te: 'trailers',
  };
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]?.toLowerCase() ?? '';
    const value = headers[i + 1] ?? '';
    if (name === 'host') continue;
    const before = out[name];
    out[name] = before === undefined ? value : [...[before].flat().map(String), value];
  }
  return out;
}
