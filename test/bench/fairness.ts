/**
 * Renewals of leases while others list: `scripts/node test/bench/fairness.ts URL PID NODE_TOKEN NOISY_TOKEN [CLIENTS] [SECONDS]`
 * against a running server whose namespace kube-node-lease has the leases node-0 to node-19. Prints how long renewals took, how
 * often each code answered the lists, and the most memory that the server held.
 */
import { renewUnderLoad } from './renewals.ts';

const [server = '', pid = '', nodeToken = '', token = '', clients = '200', seconds = '10'] = process.argv.slice(2);
const { renewalsMs, failures, hammered, peakBytes } = await renewUnderLoad({
  server,
  pid: Number(pid),
  nodeToken,
  leases: 20,
  seconds: Number(seconds),
  hammer: { url: `${server}/api/v1/configmaps`, token, clients: Number(clients) },
});
const at = (part: number): string => (renewalsMs[Math.floor((renewalsMs.length - 1) * part)] ?? 0).toFixed(0);
console.log(
  `${renewalsMs.length} renewals: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms, ${failures.length} failed`,
);
console.log(`lists: ${JSON.stringify(hammered)}; peak memory ${Math.round(peakBytes / 2 ** 20)} MiB`);
