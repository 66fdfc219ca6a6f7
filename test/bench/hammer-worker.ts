/** A thread with many clients that send the same GET without a pause and throw the answers away. */
import { Agent, request } from 'node:https';
import { parentPort, workerData } from 'node:worker_threads';

export interface HammerOptions {
  readonly url: string;
  readonly token: string;
  readonly clients: number;
}

/** How often each code was answered; 0 stands for broken connections. */
export type HammerReport = Readonly<Record<number, number>>;

const { url, token, clients } = workerData as HammerOptions;
const codes: Record<number, number> = {};
const agent = new Agent({ keepAlive: true, maxSockets: clients, rejectUnauthorized: false });
let stopped = false;

function send(): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = request(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.on('data', () => {});
      response.once('end', () => resolve(response.statusCode ?? 0));
      response.once('error', () => resolve(0));
    });
    outgoing.once('error', () => resolve(0));
    outgoing.end();
  });
}

async function client(): Promise<void> {
  while (!stopped) {
    const code = await send();
    codes[code] = (codes[code] ?? 0) + 1;
  }
}

const all = Promise.all(Array.from({ length: clients }, client));
parentPort?.once('message', () => {
  stopped = true;
  agent.destroy();
  void all.then(() => parentPort?.postMessage(codes));
});
