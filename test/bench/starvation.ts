import { readFileSync } from 'node:fs';

/**
 * Milliseconds that a thread was ready to run while others had the CPU: the main thread of a process, or that which calls. What other
 * work on the machine takes from a measurement is so known.
 */
export function starvedMs(pid?: number): number {
  const path = pid === undefined ? '/proc/thread-self/schedstat' : `/proc/${pid}/task/${pid}/schedstat`;
  try {
    return Number(readFileSync(path, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}
