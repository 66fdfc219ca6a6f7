import { createSecureServer, type Http2Session } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { listenOn } from '../base/socket-address.ts';
import type { Certificates, ServingPair } from './certificates.ts';
import type { Gateway } from './gateway.ts';
import { ClientConnection } from './http1/client-connection.ts';
import { HTTP2Exchange } from './http2-exchange.ts';

/** Against clients that are slow on purpose, or send too much. */
const MAX_CONNECTIONS = 20_000;
const MAX_HEADER_BYTES = 32 * 1024;
const HANDSHAKE_TIMEOUT_MS = 10_000;
const SESSION_TIMEOUT_MS = 75_000;

export interface ListenerDeps {
  readonly gateway: Gateway;
  readonly clock: Clock;
}

export interface Listener {
  readonly port: number;
  connections(): number;
  /** Lets answers under way end, for `graceMs` at the most. */
  close(graceMs: number): Promise<void>;
}

/** What is told of the end of a listener. */
interface Closable {
  shutdown(): void;
}

/** Throws what listening failed with (EADDRINUSE, EACCES). */
export async function listenHTTP(port: number, deps: ListenerDeps): Promise<Listener> {
  const open = new Set<Closable>();
  const server = createServer({ noDelay: true }, (socket) => serveHTTP1(socket, false, open, deps));
  return listen(server, port, open, deps.clock);
}

/** HTTP/1.1 and HTTP/2 over TLS, with the certificate of the name that the client asks for. */
export async function listenHTTPS(
  port: number,
  certificates: Certificates,
  fallback: ServingPair,
  deps: ListenerDeps,
): Promise<Listener> {
  const open = new Set<Closable>();
  const server = createSecureServer(
    {
      cert: fallback.certificatePEM,
      key: fallback.keyPEM,
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      noDelay: true,
      maxSessionMemory: 10,
      settings: { maxConcurrentStreams: 128, maxHeaderListSize: MAX_HEADER_BYTES },
      SNICallback: (name, done) => done(null, certificates.contextFor(name)),
      ALPNCallback: ({ protocols }) => ['h2', 'http/1.1'].find((protocol) => protocols.includes(protocol)),
    },
    (request, response) => {
      const exchange = new HTTP2Exchange(request, response);
      exchange.follow();
      deps.gateway.handle(exchange);
    },
  );
  // What does not choose HTTP/2 comes by here.
  server.on('unknownProtocol', (socket) => serveHTTP1(socket, true, open, deps));
  server.on('session', (session) => followSession(session, open));
  server.on('sessionError', () => {});
  return listen(server, port, open, deps.clock);
}

function serveHTTP1(socket: Socket, secure: boolean, open: Set<Closable>, { clock, gateway }: ListenerDeps): void {
  const connection = new ClientConnection(
    socket,
    { secure },
    { clock, handle: (exchange) => gateway.handle(exchange) },
  );
  open.add(connection);
  socket.once('close', () => open.delete(connection));
  connection.begin();
}

function followSession(session: Http2Session, open: Set<Closable>): void {
  const closable = { shutdown: () => session.close() };
  open.add(closable);
  session.once('close', () => open.delete(closable));
  session.setTimeout(SESSION_TIMEOUT_MS, () => session.close());
}

async function listen(server: Server, port: number, open: ReadonlySet<Closable>, clock: Clock): Promise<Listener> {
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
      for (const closable of open) closable.shutdown();
      const cancel = clock.after(graceMs, () => {
        for (const socket of sockets) socket.destroy();
      });
      await closed;
      cancel();
    },
  };
}

function bind(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...listenOn('::'), port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
