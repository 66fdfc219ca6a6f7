/**
 * Service proxy benchmark, as root: `scripts/node test/bench/proxy.ts [services]`. In network namespaces of its own it
 * prints how long the first table and one endpoint's change take, and what connections and messages take to a pod directly
 * and through its Service. 10 endpoints a Service.
 */
import { resources } from '../../pkg/api/generated/resources.ts';
import type { EndpointSlice } from '../../pkg/api/generated/types.ts';
import { systemClock } from '../../pkg/base/clock.ts';
import { createLogger } from '../../pkg/base/logger.ts';
import type { FakeCluster } from '../../pkg/client/testing/fake-cluster.ts';
import { ProxiedNode } from '../../pkg/proxy/testing/proxied-node.ts';

const ENDPOINTS = 10;
const CHANGES = 50;

interface Measured {
  readonly connectionUs: number;
  readonly echoUs: number;
}

/**
 * Takes turns between targets, many short ones there and back, so that what else the machine does hits them alike. Prints for
 * each the median of the turns: the time from a connection's begin to its first answer, and of a message and its echo.
 * Connections are reset: ended ones would take their ports with them for a minute, and what is measured would be the search for
 * one that is free to all targets, which have one address behind them.
 */
const CLIENT = `
const { connect } = require('net');
const WARM_UP = 5, TURNS = 80, CONNECTIONS = 50, ECHOES = 100;
const once = (socket, event) => new Promise((done, fail) => {
  const end = (settle) => (value) => { socket.off('error', failed); settle(value); };
  const failed = end(fail);
  socket.once(event, end(done)).once('error', failed);
});
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
async function turn(target) {
  const [host, port] = target.split(':');
  let start = performance.now();
  let socket;
  for (let i = 0; i < CONNECTIONS; i++) {
    if (socket) socket.resetAndDestroy();
    socket = connect({ host, port: +port, noDelay: true });
    await once(socket, 'data');
  }
  const connectionUs = ((performance.now() - start) * 1000) / CONNECTIONS;
  start = performance.now();
  for (let i = 0; i < ECHOES; i++) {
    socket.write('x');
    await once(socket, 'data');
  }
  const echoUs = ((performance.now() - start) * 1000) / ECHOES;
  socket.resetAndDestroy();
  return { connectionUs, echoUs };
}
(async () => {
  const targets = process.argv.slice(1);
  const turns = targets.map(() => []);
  for (let i = 0; i < WARM_UP + TURNS; i++) {
    const order = i % 2 === 0 ? [...targets.keys()] : [...targets.keys()].reverse();
    for (const at of order) {
      const measured = await turn(targets[at]);
      if (i >= WARM_UP) turns[at].push(measured);
    }
  }
  console.log(JSON.stringify(turns.map((all) => ({
    connectionUs: median(all.map((one) => one.connectionUs)),
    echoUs: median(all.map((one) => one.echoUs)),
  }))));
})();`;

function addService(cluster: FakeCluster, index: number, addresses: readonly string[]): void {
  const ip = `10.43.${1 + (index >> 8)}.${index & 255}`;
  const name = `s${index}`;
  const ports = [{ port: 80, protocol: 'TCP' }];
  const spec = { type: 'ClusterIP', clusterIP: ip, clusterIPs: [ip], ports };
  cluster.add(resources.services, { metadata: { name, namespace: 'bench' }, spec });
  cluster.add(resources.endpointslices, {
    metadata: { name, namespace: 'bench', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ port: 8080, protocol: 'TCP' }],
    endpoints: addresses.map((address) => ({ addresses: [address], nodeName: 'node' })),
  });
}

function podAddress(service: number, endpoint: number): string {
  const index = service * ENDPOINTS + endpoint;
  return `10.${44 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;

function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

async function main(services: number): Promise<void> {
  const node = new ProxiedNode();
  const { network, cluster } = node;
  try {
    await network.open();
    await network.addPod('server', '10.42.0.2');
    await network.addPod('client', '10.42.0.3');
    await network.serve('server', 8080);
    addService(cluster, 0, ['10.42.0.2']);
    const addresses = (index: number): string[] => Array.from({ length: ENDPOINTS }, (_, at) => podAddress(index, at));
    for (let index = 1; index < services; index++) addService(cluster, index, addresses(index));
    const begin = performance.now();
    await node.start({}, createLogger({ level: 'warn' }));
    console.log(`first table, ${services} Services: ${ms(performance.now() - begin)}`);

    const times: number[] = [];
    for (let change = 0; change < CHANGES; change++) {
      const name = `s${1 + (change % (services - 1))}`;
      const start = performance.now();
      cluster.change<EndpointSlice>(resources.endpointslices, { namespace: 'bench', name }, (slice) => {
        slice.endpoints = slice.endpoints?.slice(1) ?? [];
      });
      await node.settle();
      times.push(performance.now() - start);
      await systemClock.sleep(100);
    }
    times.sort((a, b) => a - b);
    console.log(`one endpoint: p50 ${ms(percentile(times, 0.5))}, p99 ${ms(percentile(times, 0.99))}`);

    const measured = await network
      .exec('client')
      .run(process.execPath, ['-e', CLIENT, '10.42.0.2:8080', '10.43.1.0:80', '10.42.0.2:8080']);
    const [direct, service, again] = JSON.parse(measured.stdout) as [Measured, Measured, Measured];
    const more = (name: string, one: number, other: number, unit: string): void =>
      console.log(
        `${name}: direct ${one.toFixed(1)} ${unit}, Service ${other.toFixed(1)} ${unit} (${((other / one - 1) * 100).toFixed(1)} %)`,
      );
    more('connections', 1e6 / direct.connectionUs, 1e6 / service.connectionUs, '/s');
    more('a new connection', direct.connectionUs, service.connectionUs, 'µs');
    more('a message and its echo', direct.echoUs, service.echoUs, 'µs');
    const noise = (again.connectionUs / direct.connectionUs - 1) * 100;
    console.log(`the pod directly, against itself: ${noise.toFixed(1)} %`);
  } finally {
    await node.close();
  }
}

await main(Number(process.argv[2] ?? 5000));
