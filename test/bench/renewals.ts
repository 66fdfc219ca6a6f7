/** Leases that are renewed while others hammer the server, as the kubelets of a cluster renew theirs. */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HammerOptions, HammerReport } from './hammer-worker.ts';
import { starvedMs } from './starvation.ts';

export interface RenewalReport {
  /** Durations of all renewals, ascending. */
  readonly renewalsMs: readonly number[];
  /** The same without the time that server and client waited for a CPU, ascending. */
  readonly servedMs: readonly number[];
  readonly failures: readonly string[];
  readonly hammered: HammerReport;
  readonly peakBytes: number;
}

export interface RenewalOptions {
  readonly server: string;
  readonly pid: number;
  /** Of a user in system:nodes. */
  readonly nodeToken: string;
  readonly leases: number;
  readonly seconds: number;
  readonly hammer: HammerOptions;
}

export async function renewUnderLoad(options: RenewalOptions): Promise<RenewalReport> {
  const worker = new Worker(join(import.meta.dirname, 'hammer-worker.ts'), { workerData: options.hammer });
  const renewalsMs: number[] = [];
  const servedMs: number[] = [];
  const failures: string[] = [];
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  const end = performance.now() + options.seconds * 1000;
  try {
    await Promise.all(
      Array.from({ length: options.leases }, async (_, index) => {
        while (performance.now() < end) {
          const begin = performance.now();
          const starved = starvedMs(options.pid) + starvedMs();
          const code = await renew(options, agent, `node-${index}`);
          const took = performance.now() - begin;
          renewalsMs.push(took);
          servedMs.push(took - (starvedMs(options.pid) + starvedMs() - starved));
          if (code !== 200) failures.push(String(code));
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }),
    );
    const peakBytes = await peakMemory(options.pid);
    const report = new Promise<HammerReport>((resolve) => worker.once('message', resolve));
    worker.postMessage('stop');
    const ascending = (a: number, b: number): number => a - b;
    renewalsMs.sort(ascending);
    servedMs.sort(ascending);
    return { renewalsMs, servedMs, failures, hammered: await report, peakBytes };
  } finally {
    agent.destroy();
    await worker.terminate();
  }
}

function renew({ server, nodeToken }: RenewalOptions, agent: Agent, name: string): Promise<number> {
  const body = JSON.stringify({ spec: { renewTime: new Date().toISOString().replace('Z', '000Z') } });
  const headers = {
    authorization: `Bearer ${nodeToken}`,
    'content-type': 'application/merge-patch+json',
    'content-length': body.length,
  };
  const url = `${server}/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`;
  return new Promise((resolve) => {
    const outgoing = request(url, { method: 'PATCH', agent, headers }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.once('error', () => resolve(0));
    outgoing.end(body);
  });
}

/** The most memory that a process ever held, in bytes. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}
