import { badRequest } from '../../api/errors.ts';
import type { Exchange } from '../http/request-handler.ts';
import type { Upgrade } from '../proxy/upgrades.ts';
import type { SpdyConnection } from './dial-spdy.ts';
import { acceptWebSocket, offeredProtocols, sendHolding } from './web-socket.ts';

/** Subprotocols of WebSockets that carry the bytes of a SPDY connection, by what is spoken in it. */
const PREFIX = 'SPDY/3.1+';
const SUFFIX = '.k8s.io';

/** What a client of portforward wants to speak through a tunnel; empty: it wants no tunnel. */
export function tunneledProtocols({ request }: Exchange): string[] {
  return offeredProtocols(request)
    .filter((name) => name.startsWith(PREFIX) && name.endsWith(SUFFIX))
    .map((name) => name.slice(PREFIX.length));
}

/**
 * Carries a client's SPDY connection with a streaming server in a WebSocket (upstream's stream tunnel). Rejects when the
 * server cannot be reached; resolves when either side is done.
 */
export async function tunnel(
  { request, response }: Exchange,
  upgrade: Upgrade,
  dial: () => Promise<SpdyConnection>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => upgrade.socket.once('close', () => resolve()));
  const { socket, head, protocol } = await dial().catch((error: Error) => {
    throw badRequest(error.message);
  });
  void closed.then(() => socket.destroy());
  const client = await Promise.race([acceptWebSocket(request, response, upgrade, `${PREFIX}${protocol}`), closed]);
  if (client === undefined) return;
  if (head.length > 0) sendHolding(client, head, socket);
  socket.on('data', (data: Buffer) => sendHolding(client, data, socket));
  socket.on('error', () => socket.destroy());
  socket.once('close', () => {
    client.resume();
    client.close(1000);
  });
  client.on('message', (data: Buffer) => {
    if (socket.write(data)) return;
    client.pause();
    socket.once('drain', () => client.resume());
  });
  client.resume();
  await closed;
}
