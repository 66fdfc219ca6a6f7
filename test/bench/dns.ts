/**
 * Cluster DNS benchmark: `scripts/node test/bench/dns.ts [services]`. Prints queries per second and latency by UDP on
 * loopback, asked by another process, and what that costs the server.
 */
import { spawn } from 'node:child_process';
import { encode } from 'dns-packet';
import { resources } from '../../pkg/api/generated/resources.ts';
import { systemClock } from '../../pkg/base/clock.ts';
import { createLogger } from '../../pkg/base/logger.ts';
import { createInformers } from '../../pkg/client/index.ts';
import { FakeCluster } from '../../pkg/client/testing/fake-cluster.ts';
import { createDNS } from '../../pkg/dns/index.ts';

const PORT = 15_353;
const SECONDS = 3;
const OUTSTANDING = 64;

/** Keeps so many queries outstanding and prints the rate and latencies. */
const CLIENT = `
const [hex, port, seconds, outstanding] = process.argv.slice(1);
const packet = Buffer.from(hex, 'hex');
const socket = require('dgram').createSocket('udp4');
const sent = new Float64Array(65536);
const times = [];
let id = 0;
const ask = () => {
  id = (id + 1) & 65535;
  packet.writeUInt16BE(id, 0);
  sent[id] = performance.now();
  socket.send(packet);
};
socket.on('message', (answer) => { times.push(performance.now() - sent[answer.readUInt16BE(0)]); ask(); });
socket.connect(+port, '127.0.0.1', () => { for (let i = 0; i < +outstanding; i++) ask(); });
setTimeout(() => {
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.floor(times.length * part)].toFixed(3);
  console.log('UDP, ' + outstanding + ' outstanding: ' + Math.round(times.length / +seconds) + ' queries/s, p50 ' + at(0.5) + ' ms, p99 ' + at(0.99) + ' ms');
  process.exit(0);
}, +seconds * 1000);`;

async function main(services: number): Promise<void> {
  const cluster = new FakeCluster();
  cluster.add(resources.namespaces, { metadata: { name: 'bench' } });
  for (let index = 0; index < services; index++) {
    const ip = `10.43.${index >> 8}.${index & 255}`;
    const ports = [{ name: 'http', port: 80, protocol: 'TCP' }];
    cluster.add(resources.services, {
      metadata: { name: `s${index}`, namespace: 'bench' },
      spec: { type: 'ClusterIP', clusterIP: ip, clusterIPs: [ip], ports },
    });
  }
  const deps = { clock: systemClock, logger: createLogger({ level: 'warn' }) };
  const informers = createInformers(cluster.client, deps);
  const dns = createDNS(
    {
      addresses: ['127.0.0.1'],
      port: PORT,
      clusterDomain: 'cluster.local',
      clusterNetworks: ['10.42.0.0/16', '10.43.0.0/16'],
      upstreams: [],
    },
    { ...deps, informers },
  );
  const controller = new AbortController();
  const running = [informers.run(controller.signal, () => {})];
  await new Promise<void>((resolve, reject) => {
    running.push(dns.run(controller.signal, resolve));
    running[1]?.catch(reject);
  });
  for (const [label, name] of [
    ['a Service', `s${services >> 1}.bench.svc.cluster.local`],
    ['no such name', 'example.com.bench.svc.cluster.local'],
  ] as const) {
    console.log(label);
    const packet = encode({ type: 'query', flags: 256, questions: [{ name, type: 'A' }] });
    for (const outstanding of [1, OUTSTANDING]) {
      const args = ['-e', CLIENT, Buffer.from(packet).toString('hex'), PORT, SECONDS, outstanding].map(String);
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
      const before = process.cpuUsage();
      await new Promise((resolve) => child.on('exit', resolve));
      const { user, system } = process.cpuUsage(before);
      console.log(`  server: ${((user + system) / 1e4 / SECONDS).toFixed(0)} % of a core`);
    }
  }
  controller.abort();
  await Promise.all(running);
}

await main(Number(process.argv[2] ?? 5000));
