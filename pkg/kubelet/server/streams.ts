import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Headers that concern only the hop to the kubelet. */
const OWN_HEADERS = new Set(['host', 'authorization']);

/**
 * Hands an upgraded connection (SPDY or WebSocket) on to the runtime's streaming server as raw bytes: the runtime answers the
 * upgrade itself. Resolves when either side is done.
 */
export function passThrough(request: IncomingMessage, client: Duplex, head: Buffer, target: string): Promise<void> {
  const url = new URL(target);
  return new Promise((resolve, reject) => {
    const runtime: Socket = connect({ host: url.hostname, port: Number(url.port) });
    runtime.setNoDelay(true);
    let connected = false;
    const close = (): void => {
      runtime.destroy();
      client.destroy();
      resolve();
    };
    runtime.once('connect', () => {
      connected = true;
      runtime.write(requestHead(request, url));
      if (head.length > 0) runtime.write(head);
      client.pipe(runtime);
      runtime.pipe(client);
    });
    // The runtime is done; what the client still sends has no reader.
    runtime.once('end', () => client.unpipe(runtime));
    runtime.once('close', () => client.end(close));
    runtime.on('error', (error) => {
      if (connected) close();
      else reject(error);
    });
    client.once('error', close);
    client.once('close', close);
  });
}

function requestHead(request: IncomingMessage, url: URL): string {
  const lines = [`${request.method} ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`];
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] ?? '';
    if (!OWN_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${request.rawHeaders[at + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}
