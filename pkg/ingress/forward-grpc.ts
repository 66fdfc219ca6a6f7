import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { answer, breakOff, hasBody, writeBody, writeHead } from './exchange.ts';
import type { ForwardRequest } from './forward-http1.ts';
import { responseHeaders } from './headers.ts';

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
  const session = connections.session(endpoint.authority, settings.backendProtocol);
  const stream = session.request(headersOf(request), { endStream: !hasBody(exchange.request) });
  stream.setTimeout(settings.readTimeoutMs, () => {
    stream.close(constants.NGHTTP2_CANCEL);
    answer(exchange, 504, 'The backend did not answer in time.');
  });
  const { response } = exchange;
  const onClose = (): void => {
    if (!response.writableFinished) stream.close(constants.NGHTTP2_CANCEL);
  };
  response.once('close', onClose);
  stream.once('error', () => {
    response.off('close', onClose);
    if (response.headersSent || response.writableEnded) {
      if (!response.writableFinished) breakOff(response);
      return;
    }
    upstream.failed(endpoint);
    // Until the connection stands nothing has been read of the body.
    if (!connected) {
      forwardGRPC(request, new Set([...tried, endpoint.authority]));
    } else answer(exchange, 502, 'The backend could not be asked.');
  });
  answerWith(stream, request);
  let connected = !session.connecting;
  const begin = (): void => {
    connected = true;
    if (hasBody(exchange.request)) exchange.request.pipe(stream);
  };
  if (connected) begin();
  else session.once('connect', begin);
}

function answerWith(stream: ClientHttp2Stream, { exchange }: ForwardRequest): void {
  const { response } = exchange;
  stream.once('response', (headers: IncomingHttpHeaders & { ':status'?: number }) => {
    writeHead(response, headers[':status'] ?? 502, responseHeaders(headers, exchange.extraHeaders));
  });
  stream.on('data', (chunk: Buffer) => {
    exchange.bytesSent += chunk.length;
    if (writeBody(response, chunk)) return;
    stream.pause();
    response.once('drain', () => stream.resume());
  });
  stream.once('trailers', (trailers: IncomingHttpHeaders) => {
    response.addTrailers(trailers as Record<string, string>);
  });
  stream.once('end', () => {
    if (response.headersSent) response.end();
  });
}

function headersOf({ exchange, headers, path, settings }: ForwardRequest): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = {
    ':method': exchange.request.method ?? 'POST',
    ':path': path,
    ':scheme': settings.backendProtocol === 'GRPCS' ? 'https' : 'http',
    ':authority': settings.upstreamVhost ?? exchange.target.authority,
    te: 'trailers',
  };
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]?.toLowerCase() ?? '';
    const value = headers[i + 1] ?? '';
    if (name === 'host' || name === 'content-length') continue;
    const before = out[name];
    out[name] = before === undefined ? value : [...[before].flat().map(String), value];
  }
  return out;
}
