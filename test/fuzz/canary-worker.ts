/** Asks for /livez again and again on a connection of its own, and posts how long the server took, beyond what it waited for a CPU. */
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { parentPort, workerData } from 'node:worker_threads';
import type { Credentials } from './target.ts';

const PAUSE_MS = 10;
const { credentials, pid } = workerData as { credentials: Credentials; pid: number };
const { host, port, ca, cert, key } = credentials;
const agent = new Agent({ keepAlive: true, maxSockets: 1, ca, cert, key });

/** Milliseconds that the server's main thread was ready to run but another process had the CPU. */
function starvedMs(): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

function ask(): void {
  const starved = starvedMs();
  const own = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1];
  const started = performance.now();
  const startedAt = Date.now();
  const outgoing = get({ host, port, agent, servername: '', path: '/livez' }, (response) => {
    response.resume();
    response.once('end', () => {
      const tookMs = performance.now() - started;
      const ownMs = (Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) - Number(own)) / 1e6;
      const stallMs = tookMs - (starvedMs() - starved) - ownMs;
      parentPort?.postMessage({ startedAt, tookMs, stallMs, status: response.statusCode });
      setTimeout(ask, PAUSE_MS);
    });
  });
  outgoing.once('error', (error) => {
    parentPort?.postMessage({ startedAt, tookMs: 0, stallMs: 0, status: 0, error: String(error) });
    setTimeout(ask, 200);
  });
}

ask();
