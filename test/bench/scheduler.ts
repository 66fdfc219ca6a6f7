/**
 * Scheduler benchmark: `scripts/node test/bench/scheduler.ts [nodes] [shape...]`. In the shapes of upstream's scheduler_perf it
 * prints pods per second from the first creation to the last binding (and by CPU time, for machines that are busy): an API server with a durable store, the scheduler and
 * bare Node objects in one process; pods are created by clients in that process, and nothing runs them.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resources } from '../../pkg/api/generated/resources.ts';
import type { Pod } from '../../pkg/api/generated/types.ts';
import { parseYAML } from '../../pkg/api/schema/yaml.ts';
import { systemClock } from '../../pkg/base/clock.ts';
import { Group } from '../../pkg/base/lifecycle.ts';
import { createLogger } from '../../pkg/base/logger.ts';
import { createMetrics } from '../../pkg/base/metrics.ts';
import { freePort } from '../../pkg/base/testing/free-port.ts';
import {
  type Client,
  createEventSeriesRecorder,
  createInformers,
  type Informer,
  RestClientMetrics,
} from '../../pkg/client/index.ts';
import { type OptionValues, serverConfig, serverOptions } from '../../pkg/config/index.ts';
import { createControlPlane, users } from '../../pkg/daemon/control-plane.ts';
import { ensurePKI } from '../../pkg/pki/index.ts';
import { createScheduler } from '../../pkg/scheduler/index.ts';
import { LevelStore } from '../../pkg/storage/index.ts';

const ZONE = 'topology.kubernetes.io/zone';
const WRITERS = 64;

interface Shape {
  readonly zones: number;
  /** Pods that are there before. */
  readonly initial: { readonly count: (nodes: number) => number; readonly pod: PodShape };
  readonly measured: { readonly count: (nodes: number) => number; readonly pod: PodShape };
}

interface PodShape {
  readonly namespace: string;
  readonly labels?: Record<string, string>;
  readonly cpu: string;
  readonly spec?: object;
}

const plain: PodShape = { namespace: 'bench-0', cpu: '100m' };
const term = (topologyKey: string, color: string): object => ({
  topologyKey,
  labelSelector: { matchLabels: { color } },
  namespaces: ['bench-0', 'bench-1'],
});
const required = (kind: string, value: unknown): object => ({
  affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: value } },
});
const spread = {
  maxSkew: 5,
  topologyKey: ZONE,
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: { color: 'blue' } },
};
const inZones = {
  nodeSelectorTerms: [{ matchExpressions: [{ key: ZONE, operator: 'In', values: ['zone-0', 'zone-x'] }] }],
};
const green = { color: 'green' };
const blue = { color: 'blue' };
const anti = required('podAntiAffinity', [term('kubernetes.io/hostname', 'green')]);
const together = required('podAffinity', [term(ZONE, 'blue')]);

const shapes: Readonly<Record<string, Shape>> = {
  basic: { zones: 3, initial: { count: () => 1000, pod: plain }, measured: { count: (n) => 2 * n, pod: plain } },
  'pod-anti-affinity': {
    zones: 3,
    initial: { count: (n) => n / 5, pod: { namespace: 'bench-0', labels: green, cpu: '100m', spec: anti } },
    measured: { count: (n) => n / 5, pod: { namespace: 'bench-1', labels: green, cpu: '100m', spec: anti } },
  },
  'pod-affinity': {
    zones: 1,
    initial: { count: (n) => n, pod: { namespace: 'bench-0', labels: blue, cpu: '100m', spec: together } },
    measured: { count: (n) => n, pod: { namespace: 'bench-1', labels: blue, cpu: '100m', spec: together } },
  },
  'topology-spread': {
    zones: 3,
    initial: { count: (n) => n, pod: plain },
    measured: {
      count: (n) => n,
      pod: { namespace: 'bench-1', labels: blue, cpu: '100m', spec: { topologySpreadConstraints: [spread] } },
    },
  },
  'node-affinity': {
    zones: 1,
    initial: { count: (n) => n, pod: plain },
    measured: {
      count: (n) => 2 * n,
      pod: { namespace: 'bench-1', cpu: '100m', spec: required('nodeAffinity', inZones) },
    },
  },
  preemption: {
    zones: 3,
    initial: {
      count: (n) => 4 * n,
      pod: { namespace: 'bench-0', cpu: '900m', spec: { terminationGracePeriodSeconds: 0 } },
    },
    measured: {
      count: (n) => n,
      pod: { namespace: 'bench-1', cpu: '3000m', spec: { priorityClassName: 'bench-high' } },
    },
  },
};

async function createNodes(client: Client, count: number, zones: number): Promise<void> {
  await inParallel(count, async (i) => {
    await client.create(resources.nodes, {
      metadata: {
        name: `node-${i}`,
        labels: { 'kubernetes.io/hostname': `node-${i}`, [ZONE]: `zone-${i % zones}` },
      },
      spec: {},
      status: {
        allocatable: { cpu: '4', memory: '32Gi', pods: '110' },
        capacity: { cpu: '4', memory: '32Gi', pods: '110' },
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    });
    // Admission taints new nodes as not ready; no controller runs here that would lift it.
    await client.patch(resources.nodes, { name: `node-${i}` }, 'merge', { spec: { taints: null } });
  });
}

async function createPods(client: Client, prefix: string, count: number, pod: PodShape): Promise<void> {
  await inParallel(count, (i) =>
    client.create(resources.pods, {
      metadata: { name: `${prefix}-${i}`, namespace: pod.namespace, labels: pod.labels ?? {} },
      spec: {
        containers: [{ name: 'pause', image: 'pause:1', resources: { requests: { cpu: pod.cpu, memory: '500Mi' } } }],
        ...pod.spec,
      },
    }),
  );
}

async function inParallel(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
}

/** Resolves when so many pods of a prefix have a node. */
function bound(pods: Informer<Pod>, prefix: string, count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen = new Set<string>();
  const look = ({ metadata, spec }: { metadata: { name: string }; spec: { nodeName?: string } }): void => {
    if (spec.nodeName && metadata.name.startsWith(`${prefix}-`)) seen.add(metadata.name);
    if (seen.size === count) resolve();
  };
  const remove = pods.addHandler({ onAdd: look, onUpdate: look });
  return promise.finally(remove);
}

async function measure(name: string, shape: Shape, nodes: number): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'kube-lite-bench-'));
  const clock = systemClock;
  const logger = createLogger({ level: 'error' });
  const metrics = createMetrics();
  const options: Record<string, unknown> = {};
  for (const option of serverOptions) if ('default' in option) options[option.name] = option.default;
  Object.assign(options, { 'data-dir': directory, 'https-listen-port': await freePort(), 'bind-address': '127.0.0.1' });
  const config = serverConfig(options as OptionValues, 'bench');
  const store = await LevelStore.open({ path: join(directory, 'db') }, { clock, logger });
  const controller = new AbortController();
  try {
    const pki = await ensurePKI(directory, {
      clock,
      nodeName: 'bench',
      nodeAddresses: ['127.0.0.1'],
      serverNames: [],
      serviceIPs: [],
      clusterDomain: 'cluster.local',
    });
    const plane = await createControlPlane(config, {
      requests: new RestClientMetrics(metrics),
      readYAML: parseYAML,
      store,
      pki,
      advertiseAddress: '127.0.0.1',
      clock,
      logger,
      metrics,
    });
    const client = plane.clientFor(users.master);
    const informers = createInformers(client, { clock, logger });
    const schedulerClient = plane.clientFor(users.scheduler);
    const recorderFor = (reportingController: string) =>
      createEventSeriesRecorder(
        { reportingController, reportingInstance: 'bench' },
        { client: schedulerClient, clock, logger },
      );
    const scheduler = createScheduler({
      client: schedulerClient,
      informers,
      recorderFor,
      clock,
      logger,
      metrics,
      random: Math.random,
    });
    const group = new Group('bench', [plane.server.component, plane.bootstrap, informers, scheduler], { logger });
    const ready = Promise.withResolvers<void>();
    const running = group.run(controller.signal, ready.resolve);
    await Promise.race([ready.promise, running]);
    return await schedule(name, shape, nodes, client, informers.for(resources.pods)).finally(async () => {
      controller.abort();
      await running;
    });
  } finally {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function schedule(
  name: string,
  shape: Shape,
  nodes: number,
  client: Client,
  pods: Informer<Pod>,
): Promise<string> {
  for (const namespace of ['bench-0', 'bench-1']) {
    await client.create(resources.namespaces, { metadata: { name: namespace } } as never);
    await client.create(resources.serviceaccounts, { metadata: { name: 'default', namespace } } as never);
  }
  await client.create(resources.priorityclasses, { metadata: { name: 'bench-high' }, value: 1000 } as never);
  await createNodes(client, nodes, shape.zones);
  const { initial, measured } = shape;
  const before = bound(pods, 'initial', initial.count(nodes));
  await createPods(client, 'initial', initial.count(nodes), initial.pod);
  await before;
  const count = measured.count(nodes);
  const done = bound(pods, 'measured', count);
  const begin = performance.now();
  const cpu = process.cpuUsage();
  await createPods(client, 'measured', count, measured.pod);
  await done;
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const cpuSeconds = (user + system) / 1e6;
  const rate = Math.round(count / seconds).toLocaleString('en-US');
  const busy = `${cpuSeconds.toFixed(1)} s of CPU time, ${Math.round(count / cpuSeconds).toLocaleString('en-US')} pods for each`;
  return `${name.padEnd(20)}${String(count).padStart(7)} pods in ${seconds.toFixed(1).padStart(5)} s: ${rate.padStart(6)} pods/s (${busy})`;
}

const [nodes = '5000', ...wanted] = process.argv.slice(2);
for (const [name, shape] of Object.entries(shapes)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(await measure(name, shape, Number(nodes)));
}
process.exit(0);
