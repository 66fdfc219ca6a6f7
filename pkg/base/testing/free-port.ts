import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { claim } from './claim.ts';

/**
 * A TCP port that nothing listens on now, below those that the kernel gives to outgoing connections; never the same twice, also
 * for other processes that ask here while this one lives.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + randomInt(10_000);
    if ((await claim(`port-${port}`)) && (await isFree(port))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listens = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => resolve(true));
  });
  if (listens) await new Promise((resolve) => server.close(resolve));
  return listens;
}
