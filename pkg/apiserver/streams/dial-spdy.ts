import { request as httpRequest, type IncomingMessage } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { dialText, type ProxyTarget } from '../proxy/pass-request.ts';

export interface SpdyConnection {
  readonly socket: Duplex;
  /** What came behind the answer. */
  readonly head: Buffer;
  /** Which of the protocols the server has chosen. */
  readonly protocol: string;
}

const PROTOCOL_HEADER = 'x-stream-protocol-version';
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_REFUSAL_BYTES = 4096;

/** Asks a streaming server for SPDY/3.1 with one of `protocols`. Rejects with an Error whose message is for the client. */
export function dialSPDY(target: ProxyTarget, protocols: readonly string[], agent: Agent): Promise<SpdyConnection> {
  const { scheme, host, port, path } = target;
  const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', [PROTOCOL_HEADER]: [...protocols] };
  const options = { host, port, path, method: 'POST', headers };
  return new Promise((resolve, reject) => {
    const outgoing =
      scheme === 'https' ? httpsRequest({ ...options, agent }) : httpRequest({ ...options, agent: false });
    const timer = setTimeout(() => outgoing.destroy(new Error('i/o timeout')), CONNECT_TIMEOUT_MS);
    outgoing.once('close', () => clearTimeout(timer));
    outgoing.on('error', (error) => reject(new Error(dialText(error, target), { cause: error })));
    outgoing.once('response', (incoming) => {
      refusalText(incoming).then(
        (text) => reject(new Error(`unable to upgrade connection: ${text}`)),
        (error: unknown) => reject(error),
      );
    });
    outgoing.once('upgrade', (incoming, socket: Socket, head) => {
      clearTimeout(timer);
      socket.setNoDelay(true);
      resolve({ socket, head, protocol: String(incoming.headers[PROTOCOL_HEADER] ?? '') });
    });
    outgoing.end();
  });
}

async function refusalText(incoming: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of incoming) {
    text += String(chunk);
    if (text.length > MAX_REFUSAL_BYTES) break;
  }
  return text.trim() || `the server answered with code ${incoming.statusCode ?? 0}`;
}
