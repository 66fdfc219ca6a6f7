import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { KubeObject, ResourceType } from '../api/object.ts';
import { parseYAML } from '../api/schema/yaml.ts';
import { FakeClock, systemClock } from '../base/clock.ts';
import { Group } from '../base/lifecycle.ts';
import { silentLogger } from '../base/logger.ts';
import { createMetrics } from '../base/metrics.ts';
import {
  type Client,
  createEventSeriesRecorder,
  createInformers,
  type Informer,
  type Informers,
  RestClientMetrics,
} from '../client/index.ts';
import { loadOptions, serverConfig, serverOptions } from '../config/index.ts';
import { createControllerMetrics } from '../controller/controller-metrics.ts';
import { controllers } from '../controllers/index.ts';
import { ensurePKI } from '../pki/index.ts';
import { createScheduler } from '../scheduler/index.ts';
import { MemoryStore } from '../storage/index.ts';
import { type ControlPlane, createControlPlane, users } from './control-plane.ts';

const clock = new FakeClock(systemClock.now());
let directory: string;
let plane: ControlPlane;
let master: Client;
let running: Promise<void>;
const controller = new AbortController();
const used = new Map<Informer<unknown>, ResourceType<unknown>>();
/** Requests of controllers and scheduler that are no watches: `verb resource`. */
const requests: string[] = [];

/** Notes down which informers are asked for. */
function noting(informers: Informers): Informers {
  return {
    for: (type, options) => {
      const informer = informers.for(type, options);
      used.set(informer as Informer<unknown>, type as ResourceType<unknown>);
      return informer;
    },
    release: (type) => informers.release(type),
  };
}

/** Notes down what is asked of the server. */
function counted(client: Client): Client {
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const [type] = args as [string | ResourceType<unknown>];
        if (name !== 'watch') requests.push(`${String(name)} ${typeof type === 'string' ? type : type.resource}`);
        return Reflect.apply(value, target, args);
      };
    },
  });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shared-objects-'));
  const flags = { 'data-dir': directory, 'bind-address': '127.0.0.1', 'https-listen-port': '0' };
  const config = serverConfig(
    await loadOptions({ specs: serverOptions, flags, file: join(directory, 'absent'), fileRequired: false }),
    'n1',
  );
  const pki = await ensurePKI(directory, {
    clock: systemClock,
    nodeName: 'n1',
    nodeAddresses: ['127.0.0.1'],
    serverNames: [],
    serviceIPs: ['10.43.0.1'],
    clusterDomain: 'cluster.local',
  });
  const deps = { clock, logger: silentLogger, random: () => 0 };
  const metrics = createMetrics();
  plane = await createControlPlane(config, {
    requests: new RestClientMetrics(metrics),
    ...deps,
    readYAML: parseYAML,
    store: new MemoryStore(),
    pki,
    advertiseAddress: '127.0.0.1',
    metrics,
  });
  master = plane.clientFor(users.master);
  const client = counted(plane.clientFor(users.controllerManager));
  const schedulerClient = counted(plane.clientFor(users.scheduler));
  const informers = createInformers(client, deps);
  const shared = { ...deps, informers: noting(informers) };
  const parts = [
    plane.server.component,
    plane.bootstrap,
    informers,
    ...controllers({
      ...shared,
      client,
      metrics: createControllerMetrics(metrics),
      rootCA: pki.serverCA.certificatePEM,
      clusterCIDRs: config.clusterCIDRs,
      legacyTokens: plane.tokenIssuer,
      checkPolicyTypes: async () => [],
      removeDirectory: async () => {},
      removeLocalVolume: async () => {},
      migratesStorageVersions: false,
    }),
    createScheduler({
      ...shared,
      client: schedulerClient,
      metrics,
      recorderFor: (reportingController) =>
        createEventSeriesRecorder(
          { reportingController, reportingInstance: 'n1' },
          { client: schedulerClient, ...deps },
        ),
    }),
  ];
  const ready = Promise.withResolvers<void>();
  running = new Group('test', parts, deps).run(controller.signal, ready.resolve);
  await Promise.race([ready.promise, running]);
});

afterAll(async () => {
  controller.abort();
  await running;
  await rm(directory, { recursive: true });
});

/** Lets timers of the controllers pass until `check` holds. */
async function until(check: () => boolean): Promise<void> {
  await expect
    .poll(
      async () => {
        await clock.advance(100);
        return check();
      },
      { interval: 1 },
    )
    .toBe(true);
}

test('every informer of controllers and scheduler has the very objects of the watch cache', async () => {
  await master.create(resources.nodes, {
    metadata: { name: 'n1' },
    status: {
      allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
      conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: new Date(clock.now()).toISOString() }],
    },
  });
  const labels = { app: 'web' };
  await master.create(resources.deployments, {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
    },
  } as never);
  const { reader } = plane.server;
  const pods = [...used].find(([, type]) => type.resource === 'pods')?.[0] as Informer<{ spec: { nodeName?: string } }>;
  await until(() => [...pods.lister.list()].filter(({ spec }) => spec.nodeName === 'n1').length === 3);
  let compared = 0;
  for (const [informer, type] of used) {
    for (const object of informer.lister.list() as Iterable<KubeObject>) {
      const { namespace = '', name } = object.metadata;
      expect(reader.get(type, { namespace, name }) === object, `${type.resource} ${namespace}/${name}`).toBe(true);
      compared++;
    }
  }
  // Of several kinds: the ClusterRoles alone are many.
  expect(compared).toBeGreaterThan(50);
  expect(new Set([...used.values()].map(({ resource }) => resource)).size).toBeGreaterThan(30);
});

test('nobody asks or writes while nothing happens', async () => {
  // The node sends no heartbeats: what that causes is over by then.
  for (let minute = 0; minute < 20; minute++) await clock.advance(60_000);
  await until(() => true);
  requests.length = 0;
  for (let minute = 0; minute < 20; minute++) await clock.advance(60_000);
  expect([...new Set(requests)]).toEqual([]);
});
