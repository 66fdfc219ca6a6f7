import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer, type Http2Session, type SecureServerOptions } from 'node:http2';
import { type AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { errnoCode } from '../../base/errors.ts';
import { listenOn } from '../../base/socket-address.ts';

export interface TLSMaterial {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** PEM bundle of the authorities whose client certificates are wanted. Verification is authentication's task. */
  readonly clientCA?: string;
}

export interface HTTPSServerOptions {
  readonly bindAddress: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls: TLSMaterial;
}

export interface HTTPSServerDeps {
  request(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** A connection failed before a request. */
  handshakeFailed(): void;
}

const KEEP_ALIVE_MS = 90_000;
const HEADERS_TIMEOUT_MS = 30_000;
/** Upstream's limit of a request's header fields in all. */
const MAX_HEADER_BYTES = 1024 * 1024;
/** Node's own limits are lower: users may be impersonated with more groups than that, each in a field of its own. */
const MAX_HEADER_FIELDS = 10_000;

/** HTTP/1.1 and HTTP/2 over TLS on one port. */
export class HTTPSServer {
  readonly #options: HTTPSServerOptions;
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<Http2Session>();

  constructor(options: HTTPSServerOptions, deps: HTTPSServerDeps) {
    this.#options = options;
    const settings: SecureServerOptions & { maxHeaderSize: number; keepAliveTimeout: number } = {
      ...secureContext(options.tls),
      allowHTTP1: true,
      requestCert: true,
      rejectUnauthorized: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderListPairs: MAX_HEADER_FIELDS,
      settings: { maxConcurrentStreams: 1000, initialWindowSize: 1024 * 1024, maxHeaderListSize: MAX_HEADER_BYTES },
    };
    const server = createSecureServer(settings);
    Object.assign(server, {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: 0,
      maxHeadersCount: MAX_HEADER_FIELDS,
    });
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      // A client that goes away is no error.
      request.on('error', ignore);
      response.on('error', ignore);
      deps.request(request, response);
    };
    server.on('request', serve);
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      const proceed = (): void => {
        response.writeContinue();
        serve(request, response);
      };
      // While the answer before it still has the connection, Node would put `100 Continue` behind the head of this one.
      if (response.socket === null) response.once('socket', proceed);
      else proceed();
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      deps.upgrade(request, socket, head),
    );
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.setLocalWindowSize(8 * 1024 * 1024);
      session.once('close', () => this.#sessions.delete(session));
    });
    server.on('secureConnection', (socket: Socket) => {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // Broken handshakes and resets are the client's affair.
    server.on('tlsClientError', (error, socket) => {
      deps.handshakeFailed();
      if (errnoCode(error) === 'ERR_SSL_HTTP_REQUEST') answerPlain(socket);
      else socket.destroy();
    });
    server.on('clientError', (error: Error, socket: Duplex) => {
      if (socket.writable) socket.end(refusalOf(errnoCode(error)));
      else socket.destroy();
    });
    server.on('sessionError', () => {});
    this.#server = server;
  }

  /** Resolves with the port; rejects with the system error when the address cannot be had. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      const { bindAddress, port } = this.#options;
      this.#server.listen({ ...listenOn(bindAddress), port, backlog: 511 }, () => {
        this.#server.removeListener('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** New connections use the new certificate. */
  reload(tls: TLSMaterial): void {
    this.#server.setSecureContext(secureContext(tls));
  }

  /** Stops accepting and tells clients to go (GOAWAY, `Connection: close`); resolves when all connections are closed. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.close();
    await closed;
  }

  /** Closes what is left. */
  destroyConnections(): void {
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }
}

function ignore(): void {}

/** What cannot be read as a request, by the error of the parser; in the words of Go's net/http. */
function refusalOf(code: string | undefined): string {
  const status = code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  return `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`;
}

/** Tells a client that speaks HTTP without TLS what is wrong, as Go's net/http does. */
function answerPlain(socket: TLSSocket): void {
  // TLS is of no use here: only what is below it reaches the client.
  const { _parent: below } = socket as TLSSocket & { readonly _parent?: unknown };
  if (below instanceof Socket)
    below.end('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n');
  else socket.destroy();
}

function secureContext(tls: TLSMaterial): { cert: string; key: string; ca?: string; minVersion: 'TLSv1.2' } {
  return {
    cert: tls.cert,
    key: tls.key,
    minVersion: 'TLSv1.2',
    ...(tls.clientCA === undefined ? {} : { ca: tls.clientCA }),
  };
}
