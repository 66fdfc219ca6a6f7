/** Asks for /livez again and again on a connection of its own, and posts how long the server took, beyond what it waited for a CPU. */
import { Agent, get } from 'node:https';
import { parentPort, workerData } from 'node:worker_threads';
import { starvedMs } from '../bench/starvation.ts';
import type { Credentials } from './target.ts';

const PAUSE_MS = 10;
const { credentials, pid } = workerData as { credentials: Credentials; pid: number };
const { host, port, ca, cert, key } = credentials;
const agent = new Agent({ keepAlive: true, maxSockets: 1, ca, cert, key });

function ask(): void {
  const starved = starvedMs(pid);
  const own = starvedMs();
  const started = performance.now();
  const startedAt = Date.now();
  const outgoing = get({ host, port, agent, servername: '', path: '/livez' }, (response) => {
    response.resume();
    response.once('end', () => {
      const tookMs = performance.now() - started;
      const stallMs = tookMs - (starvedMs(pid) - starved) - (starvedMs() - own);
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
