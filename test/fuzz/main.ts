/**
 * Fuzzes an API server on this machine:
 *   scripts/node test/fuzz/main.ts --kubeconfig FILE --pid PID [--url https://127.0.0.1:6443] [--requests 100000] [--seed N]
 *     [--minutes N] [--only INDEX]
 * Exits with 1 when it found something.
 */
import { parseArgs } from 'node:util';
import { describe, fuzz } from './fuzzer.ts';
import { Generator } from './generate.ts';
import { readCredentials, Target } from './target.ts';

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: '/etc/kube-lite/kube-lite.yaml' },
    url: { type: 'string' },
    pid: { type: 'string' },
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '60' },
    /** Sends one request of the seed again and prints the answer. */
    only: { type: 'string' },
  },
});

const credentials = await readCredentials(values.kubeconfig, values.url);
const seed = Number(values.seed);
console.log(`seed ${seed}`);
if (values.only !== undefined) {
  const request = new Generator(seed).request(Number(values.only));
  console.log(describe(request));
  if (request.body !== undefined) console.log(request.body.subarray(0, 20_000).toString());
  const target = new Target(credentials);
  const reply = await target.send(request);
  console.log(
    reply.status,
    reply.headers,
    `${reply.durationMs.toFixed(0)} ms`,
    reply.body.subarray(0, 4000).toString(),
  );
  target.close();
} else {
  if (values.pid === undefined) throw new Error('--pid: which process is the server?');
  const report = await fuzz({
    credentials,
    seed,
    requests: Number(values.requests),
    pid: Number(values.pid),
    limitMs: Number(values.minutes) * 60_000,
    log: console.log,
  });
  console.log(JSON.stringify({ ...report, findings: report.findings.length }, undefined, 1));
  const failed =
    report.findings.length + report.golden.length + report.stalls.length + report.canaryFailures.length > 0;
  process.exitCode = failed ? 1 : 0;
}
