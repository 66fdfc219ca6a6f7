import { createServer, type IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errnoCode } from '../base/errors.ts';
import type { Certificates, ServingPair } from './certificates.ts';
import type { Gateway } from './gateway.ts';

/** Against clients that are slow on purpose, or send too much. */
const LIMITS = {
  maxHeaderSize: 32 * 1024,
  headersTimeout: 15_000,
  /** Bodies may take as long as the backend's timeouts allow. */
  requestTimeout: 0,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5000,
  requireHostHeader: true,
  insecureHTTPParser: false,
  noDelay: true,
} as const;
const MAX_CONNECTIONS = 20_000;
const MAX_HEADERS = 200;
const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface Listener {
  readonly port: number;
  connections(): number;
  /** Lets answers under way end, for `graceMs` at the most. */
  close(graceMs: number): Promise<void>;
}

/** Throws what listening failed with (EADDRINUSE, EACCES). */
export async function listenHTTP(port: number, gateway: Gateway): Promise<Listener> {
  const server = createServer({ ...LIMITS, shouldUpgradeCallback: isWebSocket }, (request, response) =>
    gateway.handle(request, response, false),
  );
  server.maxHeadersCount = MAX_HEADERS;
  server.on('upgrade', (request, socket, head) => void gateway.upgrade(request, socket, head, false));
  server.on('clientError', refuse);
  return listen(server, port);
}

/** HTTP/1.1 and HTTP/2 over TLS, with the certificate of the name that the client asks for. */
export async function listenHTTPS(
  port: number,
  gateway: Gateway,
  certificates: Certificates,
  fallback: ServingPair,
): Promise<Listener> {
  const server = createSecureServer(
    {
      ...LIMITS,
      allowHTTP1: true,
      cert: fallback.certificatePEM,
      key: fallback.keyPEM,
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxSessionMemory: 10,
      settings: { maxConcurrentStreams: 128, maxHeaderListSize: LIMITS.maxHeaderSize },
      SNICallback: (name, done) => done(null, certificates.contextFor(name)),
      Http1ServerResponse: ServerResponse,
      Http2ServerRequest,
      Http2ServerResponse,
    },
    (request, response) => gateway.handle(request, response, true),
  );
  // The HTTP/1.1 part is no server of its own: it takes its limits from here.
  Object.assign(server, { maxHeadersCount: MAX_HEADERS, shouldUpgradeCallback: isWebSocket });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void gateway.upgrade(request, socket, head, true);
  });
  server.on('session', (session) => session.setTimeout(LIMITS.keepAliveTimeout, () => session.close()));
  server.on('sessionError', () => {});
  server.on('clientError', refuse);
  return listen(server, port);
}

function isWebSocket(request: { readonly headers: { readonly upgrade?: string | undefined } }): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}

const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What is no request gets one line and the end of its connection. */
function refuse(error: Error, socket: Duplex): void {
  if (socket.writable && errnoCode(error) !== 'ECONNRESET')
    socket.write(`HTTP/1.1 ${REFUSALS[errnoCode(error) ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`);
  socket.destroy();
}

async function listen(server: Server, port: number): Promise<Listener> {
  const sockets = new Set<Socket>();
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await bind(server, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    connections: () => sockets.size,
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if ('closeIdleConnections' in server && typeof server.closeIdleConnections === 'function')
        server.closeIdleConnections();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** On all addresses of both families, or of IPv4 where there is no IPv6. */
async function bind(server: Server, port: number): Promise<void> {
  try {
    await bindTo(server, port, '::');
  } catch (error) {
    if (errnoCode(error) !== 'EAFNOSUPPORT' && errnoCode(error) !== 'EADDRNOTAVAIL') throw error;
    await bindTo(server, port, '0.0.0.0');
  }
}

function bindTo(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
