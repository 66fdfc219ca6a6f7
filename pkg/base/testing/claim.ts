import { createServer } from 'node:net';

/**
 * Whether this process has a name now that no other process of this machine has; it keeps it until it ends, however that is. The
 * name is that of a socket which is no file.
 */
export function claim(name: string): Promise<boolean> {
  const socket = createServer();
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.listen(`\0kube-lite-test-${name}`, () => resolve(true));
    socket.unref();
  });
}
