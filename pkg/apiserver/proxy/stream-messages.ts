import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Response } from '../http/response.ts';
import type { Upgrade } from './upgrades.ts';

/** Upstream's reader protocols: the plain one and `binary.k8s.io` send bytes, the other one base64 as text. */
const BASE64 = 'base64.binary.k8s.io';
const PROTOCOLS: readonly string[] = ['', 'binary.k8s.io', BASE64];

/** Whether the client of an upgrade request wants a WebSocket. */
export function wantsWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Answers a WebSocket request with a stream of bytes, each piece a message, after an empty one that says that the stream is
 * open. Resolves when either side is done.
 */
export function streamMessages(
  request: IncomingMessage,
  response: Response,
  upgrade: Upgrade,
  bytes: Readable,
): Promise<void> {
  response.detachSocket(upgrade.socket as Socket);
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    handleProtocols: (offered) => PROTOCOLS.find((name) => offered.has(name)) ?? false,
  });
  return new Promise((resolve) => {
    const done = (): void => {
      bytes.destroy();
      resolve();
    };
    upgrade.socket.once('close', done);
    server.handleUpgrade(request, upgrade.socket, upgrade.head, (client) => {
      client.on('error', () => client.terminate());
      send(client, bytes).catch(() => client.terminate());
    });
  });
}

async function send(client: WebSocket, bytes: Readable): Promise<void> {
  const message = (data: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      const payload = client.protocol === BASE64 ? data.toString('base64') : data;
      client.send(payload, (error) => (error ? reject(error) : resolve()));
    });
  await message(Buffer.alloc(0));
  for await (const chunk of bytes) await message(chunk as Buffer);
  client.close(1000);
}
