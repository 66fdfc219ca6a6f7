import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Endpoint } from './upstreams.ts';

export interface UpgradeRequest {
  readonly request: IncomingMessage;
  /** The client's connection, and what was read from it already. */
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly endpoint: Endpoint;
  readonly path: string;
  /** Name after value. */
  readonly headers: readonly string[];
  readonly secureBackend: boolean;
  readonly connectTimeoutMs: number;
}

/** How the backend answered: 101, or 502 when it could not be asked. */
export type UpgradeResult = number;

/**
 * Asks a backend for a WebSocket. Only after its 101 bytes go both ways; any other answer ends the connection, for what came
 * after the request could be read as another request.
 */
export function forwardUpgrade(upgrade: UpgradeRequest): Promise<UpgradeResult> {
  const { socket, endpoint } = upgrade;
  const send = upgrade.secureBackend ? httpsRequest : httpRequest;
  const outgoing = send(`${upgrade.secureBackend ? 'https' : 'http'}://${endpoint.authority}`, {
    method: 'GET',
    path: upgrade.path,
    headers: [...upgrade.headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
    agent: false,
    timeout: upgrade.connectTimeoutMs,
    rejectUnauthorized: false,
  });
  return new Promise((resolve) => {
    const abandon = (): void => {
      outgoing.destroy();
      resolve(499);
    };
    socket.once('close', abandon);
    outgoing.once('timeout', () => outgoing.destroy(new Error('the backend did not answer in time')));
    outgoing.once('error', () => {
      socket.off('close', abandon);
      resolve(502);
    });
    outgoing.once('upgrade', (response, backend, rest) => {
      socket.off('close', abandon);
      socket.write(headOf(response));
      if (rest.length > 0) socket.write(rest);
      if (upgrade.head.length > 0) backend.write(upgrade.head);
      tunnel(socket, backend);
      resolve(101);
    });
    outgoing.once('response', (response) => {
      socket.off('close', abandon);
      socket.write(headOf(response));
      response.pipe(socket);
      resolve(response.statusCode ?? 502);
    });
    outgoing.end();
  });
}

function headOf(response: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`];
  const { rawHeaders, statusCode } = response;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (statusCode !== 101 && /^(?:connection|keep-alive|transfer-encoding)$/i.test(name)) continue;
    lines.push(`${name}: ${rawHeaders[i + 1]}`);
  }
  if (statusCode !== 101) lines.push('Connection: close');
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function tunnel(client: Duplex, backend: Duplex): void {
  const close = (): void => {
    client.destroy();
    backend.destroy();
  };
  for (const side of [client, backend]) side.once('error', close).once('close', close);
  for (const side of [client, backend])
    if ('setTimeout' in side && typeof side.setTimeout === 'function') side.setTimeout(0);
  client.pipe(backend).pipe(client);
}
