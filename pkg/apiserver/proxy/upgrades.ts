import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Response } from '../http/response.ts';

/** The connection of an upgrade request, and what came on it behind the request. */
export interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** The connections of requests that want another protocol (WebSocket, SPDY), until somebody takes them over. */
export class Upgrades {
  readonly #upgrades = new WeakMap<IncomingMessage, Upgrade>();

  /** Remembers the connection of an upgrade request; the result is for an answer that is no upgrade. */
  expect(request: IncomingMessage, socket: Duplex, head: Buffer): ServerResponse {
    this.#upgrades.set(request, { socket, head });
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.once('finish', () => {
      response.detachSocket(socket as Socket);
      socket.end();
    });
    return response;
  }

  /** undefined: the request wants no upgrade. */
  of(request: IncomingMessage): Upgrade | undefined {
    return this.#upgrades.get(request);
  }
}

/** Answers an upgrade with the backend's answer and joins the two connections; resolves when both have ended. */
export function splice(
  response: Response,
  client: Upgrade,
  incoming: IncomingMessage,
  backend: Duplex,
  head: Buffer,
): Promise<void> {
  const { socket } = client;
  response.detachSocket(socket as Socket);
  let text = `HTTP/1.1 ${incoming.statusCode ?? 101} ${incoming.statusMessage ?? 'Switching Protocols'}\r\n`;
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2)
    text += `${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}\r\n`;
  socket.write(`${text}\r\n`);
  if (head.length > 0) socket.write(head);
  if (client.head.length > 0) backend.write(client.head);
  return new Promise((resolve) => {
    let open = 2;
    const closed = (): void => {
      open--;
      if (open === 0) resolve();
    };
    for (const [from, to] of [
      [socket, backend],
      [backend, socket],
    ] as const) {
      from.pipe(to);
      from.once('error', () => to.destroy());
      from.once('close', () => {
        to.end();
        closed();
      });
    }
  });
}
