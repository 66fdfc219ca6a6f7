import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Response } from '../http/response.ts';
import type { Upgrade } from '../proxy/upgrades.ts';

/** Bytes that may wait for a slow client before its source is held back. */
const MAX_WAITING_BYTES = 1 << 20;

/** The subprotocols that a WebSocket request offers. */
export function offeredProtocols(request: IncomingMessage): string[] {
  const offered = String(request.headers['sec-websocket-protocol'] ?? '');
  return offered
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/**
 * Accepts a WebSocket with the subprotocol; resolves when it is open, never when the handshake was wrong and is refused.
 * It is paused: what the client sends waits until somebody listens.
 */
export function acceptWebSocket(
  request: IncomingMessage,
  response: Response,
  { socket, head }: Upgrade,
  protocol: string,
): Promise<WebSocket> {
  response.detachSocket(socket as Socket);
  // The library takes names with a slash for errors (they are, by RFC 6455), so it gets none to see.
  delete request.headers['sec-websocket-protocol'];
  const server = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false });
  server.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${protocol}`));
  return new Promise((resolve) => {
    server.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => client.terminate());
      client.pause();
      resolve(client);
    });
  });
}

/** Something that can be held back. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/** Sends a binary message and holds its source back while the client is slow. */
export function sendHolding(client: WebSocket, data: Uint8Array, source: Pausable): void {
  client.send(data, { binary: true }, () => {
    if (client.bufferedAmount <= MAX_WAITING_BYTES) source.resume();
  });
  if (client.bufferedAmount > MAX_WAITING_BYTES) source.pause();
}
