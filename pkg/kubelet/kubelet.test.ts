import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import { podStrategy } from '../api/kinds/pod.ts';
import { systemClock } from '../base/clock.ts';
import { systemExec } from '../base/exec.ts';
import { Group } from '../base/lifecycle.ts';
import { silentLogger } from '../base/logger.ts';
import { createMetrics } from '../base/metrics.ts';
import { createEventRecorder, createInformers } from '../client/index.ts';
import { FakeCluster } from '../client/testing/fake-cluster.ts';
import { CriError, type PodSandboxConfig } from '../cri/index.ts';
import { FakeRuntime } from '../cri/testing/fake-runtime.ts';
import { createKubelet } from './kubelet.ts';
import type { KubeletOptions } from './options.ts';
import type { Pod } from './types.ts';

let dir: string;
let cluster: FakeCluster;
let runtime: FakeRuntime;
let stop: () => Promise<void>;
/** By how much the wall clock was set. */
let wallOffsetMs = 0;
/** What the rules for a pod's addresses wait for. */
let admit: (addresses: readonly string[]) => Promise<void>;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubelet-'));
  cluster = new FakeCluster();
  wallOffsetMs = 0;
  runtime = new FakeRuntime({ images: ['i:1'] });
  admit = () => Promise.resolve();
  stop = await startKubelet();
});
afterEach(async () => {
  await stop();
  await rm(dir, { recursive: true });
});

async function startKubelet(more: Partial<KubeletOptions> = {}): Promise<() => Promise<void>> {
  const clock = { ...systemClock, now: () => systemClock.now() + wallOffsetMs };
  const deps = { clock, logger: silentLogger };
  const { client } = cluster;
  const informers = createInformers(client, deps);
  const recorder = createEventRecorder({ component: 'kubelet', host: 'n1' }, { client, ...deps });
  const kubelet = createKubelet(
    {
      nodeName: 'n1',
      nodeIPs: ['192.0.2.1'],
      rootDir: join(dir, 'kubelet'),
      runDir: join(dir, 'run'),
      podLogsDir: join(dir, 'logs'),
      clusterDNS: ['10.43.0.10'],
      clusterDomain: 'cluster.local',
      maxPods: 3,
      cgroupRoot: '/',
      cgroupsPerQOS: false,
      port: 10_250,
      ...more,
    },
    {
      client,
      informers,
      cri: runtime,
      exec: systemExec,
      metrics: createMetrics(),
      recorder,
      admitAddresses: (_, addresses) => admit(addresses),
      ...deps,
    },
  );
  const controller = new AbortController();
  const ready = Promise.withResolvers<void>();
  const done = new Group('test', [informers, ...kubelet], deps).run(controller.signal, ready.resolve);
  await ready.promise;
  return async () => {
    controller.abort();
    await done;
    await recorder.flush();
  };
}

function addPod(name: string, spec: object, metadata: object = {}): Pod {
  const containers = [{ name: 'main', image: 'i:1' }];
  const pod = {
    metadata: { name, namespace: 'ns', ...metadata },
    spec: { nodeName: 'n1', containers, ...spec },
    status: { phase: 'Pending' },
  };
  podStrategy.default?.(pod as never);
  return cluster.add(resources.pods, pod);
}
const get = (name: string): Pod | undefined => cluster.get(resources.pods, { namespace: 'ns', name });
const ready = (name: string): boolean =>
  get(name)?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { interval: 5 }).toBe(true);
}

const events = (): string[] => cluster.list(resources.events).map(({ reason, message }) => `${reason}: ${message}`);

test('registers the node', async () => {
  await until(() => cluster.get(resources.nodes, { name: 'n1' })?.status.conditions?.at(-1)?.status === 'True');
  const node = cluster.get(resources.nodes, { name: 'n1' });
  expect(node?.metadata.labels?.['kubernetes.io/hostname']).toBe('n1');
  expect(node?.status.allocatable?.['pods']).toBe('3');
  expect(node?.status.nodeInfo?.containerRuntimeVersion).toBe('fake://1.0');
});

test('a pod runs, restarts and is deleted', async () => {
  addPod('p', {});
  await until(() => ready('p'));
  expect(get('p')?.status).toMatchObject({ phase: 'Running', hostIP: '192.0.2.1', qosClass: 'BestEffort' });
  expect(get('p')?.status.podIP).toMatch(/^10\.0\./);
  runtime.exit(runtime.find('main')?.id ?? '', 1);
  await until(() => get('p')?.status.containerStatuses?.[0]?.restartCount === 1 && ready('p'));
  expect(get('p')?.status.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({
    exitCode: 1,
    reason: 'Error',
  });
  runtime.exit(runtime.find('main')?.id ?? '', 1);
  await until(() => get('p')?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff');
  await cluster.client.delete(resources.pods, { namespace: 'ns', name: 'p' });
  await until(() => get('p') === undefined && runtime.sandboxes.size === 0 && runtime.containers.size === 0);
  expect(events()).toEqual(
    expect.arrayContaining([
      'Created: Container created',
      'Started: Container started',
      expect.stringContaining('Back-off restarting failed container main'),
    ]),
  );
});

test.each([
  ['has files for', false, ['ns_p_']],
  ['that only pretends has none for', true, []],
])('a node %s its pods', async (_, hollow, logs) => {
  await stop();
  stop = await startKubelet({ hollow });
  const { uid } = addPod('p', {}).metadata;
  await until(() => ready('p'));
  const isThere = await access(join(dir, 'kubelet/pods', uid)).then(
    () => true,
    () => false,
  );
  expect(isThere).toBe(!hollow);
  expect((await readdir(join(dir, 'logs'))).map((name) => name.replace(uid, ''))).toEqual(logs);
  await cluster.client.delete(resources.pods, { namespace: 'ns', name: 'p' });
  await until(() => get('p') === undefined && runtime.containers.size === 0);
});

test('containers that end as soon as they start are noticed', async () => {
  runtime.started = (id) => runtime.exit(id, 1);
  addPod('p', {});
  await until(() => get('p')?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff');
  expect(get('p')?.status.containerStatuses?.[0]?.restartCount).toBe(1);
  runtime.started = (id) => runtime.exit(id, 0);
  addPod('job', { restartPolicy: 'Never' });
  await until(() => get('job')?.status.phase === 'Succeeded');
});

test('a deadline ends a pod that gives no other reason to look at it', async () => {
  addPod('p', { activeDeadlineSeconds: 1 });
  await until(() => get('p')?.status.phase === 'Failed');
  expect(get('p')?.status.reason).toBe('DeadlineExceeded');
});

test('a wall clock that is set ends no deadline', async () => {
  addPod('p', { activeDeadlineSeconds: 3600 });
  await until(() => ready('p'));
  for (const byMs of [7_200_000, -7_200_000]) {
    wallOffsetMs = byMs;
    runtime.exit(runtime.find('main')?.id ?? '', 1);
    addPod(`other${byMs}`, {});
    await until(() => ready(`other${byMs}`));
    expect(get('p')?.status.phase).toBe('Running');
  }
});

test('a pod that completes succeeds, and keeps its container until it is deleted', async () => {
  addPod('p', { restartPolicy: 'Never' });
  await until(() => ready('p'));
  runtime.exit(runtime.find('main')?.id ?? '', 0);
  await until(() => get('p')?.status.phase === 'Succeeded');
  expect(runtime.containers.size).toBe(1);
  cluster.remove(resources.pods, { namespace: 'ns', name: 'p' });
  await until(() => runtime.containers.size === 0);
});

test('pods that the node cannot run are failed by name', async () => {
  addPod('port', { containers: [{ name: 'main', image: 'i:1', ports: [{ containerPort: 80, hostPort: 80 }] }] });
  await until(() => ready('port'));
  addPod('same', { containers: [{ name: 'main', image: 'i:1', ports: [{ containerPort: 80, hostPort: 80 }] }] });
  addPod('label', { nodeSelector: { disk: 'ssd' } });
  addPod('large', { containers: [{ name: 'main', image: 'i:1', resources: { requests: { memory: '1Pi' } } }] });
  await until(() => ['same', 'label', 'large'].every((name) => get(name)?.status.phase === 'Failed'));
  expect(['same', 'label', 'large'].map((name) => get(name)?.status.reason)).toEqual([
    'NodePorts',
    'NodeAffinity',
    'OutOfmemory',
  ]);
});

test('a critical pod has others ended where it does not fit; pods that come meanwhile wait and are judged after it', async () => {
  for (const name of ['a', 'b', 'c']) addPod(name, {});
  await until(() => ['a', 'b', 'c'].every(ready));
  const { stopContainer } = runtime.runtime;
  const stopping = Promise.withResolvers<void>();
  const mayEnd = Promise.withResolvers<void>();
  runtime.runtime.stopContainer = async (...args) => {
    stopping.resolve();
    await mayEnd.promise;
    return stopContainer(...args);
  };
  addPod('critical', { priority: 2_000_000_000 });
  await stopping.promise;
  addPod('late', {});
  await until(() => events().some((text) => text.startsWith('Preempting')));
  expect([get('critical')?.status.phase, get('late')?.status.phase]).toEqual(['Pending', 'Pending']);
  mayEnd.resolve();
  await until(() => ready('critical') && get('late')?.status.phase === 'Failed');
  expect(get('late')?.status.reason).toBe('OutOfpods');
  const [victim, ...others] = ['a', 'b', 'c'].map(get).filter((pod) => pod?.status.phase === 'Failed');
  expect(others).toEqual([]);
  expect(victim?.status).toMatchObject({ reason: 'Preempting', message: 'Preempted in order to admit critical pod' });
  expect(victim?.status.conditions).toContainEqual(
    expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }),
  );
  const [large] = [{ name: 'main', image: 'i:1', resources: { requests: { memory: '1Pi' } } }];
  addPod('huge', { priority: 2_000_000_000, containers: [large] });
  await until(() => get('huge')?.status.reason === 'UnexpectedAdmissionError');
  expect(get('huge')?.status.message).toMatch(
    /^Pod was rejected: Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: \[\(res: memory, q: \d+\), \]$/,
  );
});

test('a missing ConfigMap holds the pod back until it is there', async () => {
  const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'm', key: 'a' } } }];
  addPod('p', { containers: [{ name: 'main', image: 'i:1', env }] });
  await until(() => get('p')?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError');
  expect(get('p')?.status.containerStatuses?.[0]?.state?.waiting?.message).toBe('configmap "m" not found');
  cluster.add(resources.configmaps, { metadata: { namespace: 'ns', name: 'm' }, data: { a: 'x' } });
  await until(() => ready('p'));
  expect(runtime.find('main')?.config.envs?.map(({ key, value }) => `${key}=${Buffer.from(value)}`)).toContain('A=x');
});

test('variables come from files of volumes, when these are what they should be', async () => {
  cluster.add(resources.configmaps, {
    metadata: { namespace: 'ns', name: 'm' },
    data: { good: "A='x'\n", bad: 'A=x' },
  });
  const add = (name: string, path: string, key: string, more: object = {}): void => {
    const env = [{ name: 'V', valueFrom: { fileKeyRef: { volumeName: 'v', path, key, ...more } } }];
    const volumes = [{ name: 'v', configMap: { name: 'm' } }];
    addPod(name, { containers: [{ name, image: 'i:1', env }], volumes });
  };
  const variables = (name: string): (string | undefined)[] =>
    (runtime.find(name)?.config.envs ?? [])
      .filter(({ key }) => key === 'V')
      .map(({ value }) => `${Buffer.from(value)}`);
  const waiting = (name: string): object | undefined => get(name)?.status.containerStatuses?.[0]?.state?.waiting;
  add('given', 'good', 'A');
  add('optional', 'good', 'B', { optional: true });
  add('lacking', 'good', 'B');
  await until(() => ready('given') && ready('optional') && waiting('lacking') !== undefined);
  expect([variables('given'), variables('optional')]).toEqual([['x'], []]);
  const reason = 'CreateContainerConfigError';
  await until(() => get('lacking')?.status.containerStatuses?.[0]?.state?.waiting?.reason === reason);
  expect(waiting('lacking')).toMatchObject({
    message: expect.stringMatching(/^environment variable key "B" not found/),
  });
  await cluster.client.delete(resources.pods, { namespace: 'ns', name: 'lacking' });
  await until(() => get('lacking') === undefined);
  add('broken', 'bad', 'A');
  await until(() => get('broken')?.status.containerStatuses?.[0]?.state?.waiting?.reason === reason);
  expect(waiting('broken')).toEqual({ reason, message: "couldn't parse env file" });
});

test('images are volumes: the runtime mounts them, and one that is not there is the reason why its containers wait', async () => {
  const volumeMounts = [{ name: 'v', mountPath: '/v', subPath: 'etc' }];
  const main = { name: 'main', image: 'i:1', volumeMounts };
  addPod('p', { containers: [main], volumes: [{ name: 'v', image: { reference: 'data:1', pullPolicy: 'Always' } }] });
  await until(() => ready('p'));
  expect(runtime.find('main')?.config.mounts).toContainEqual({
    containerPath: '/v',
    hostPath: '',
    readonly: true,
    image: expect.objectContaining({ userSpecifiedImage: 'data:1' }),
    imageSubPath: 'etc',
  });
  expect(events().filter((event) => event.startsWith('Pull'))).toEqual([
    'Pulling: Pulling image "data:1"',
    expect.stringContaining('Pulled: Successfully pulled image "data:1" in '),
    'Pulled: Container image "i:1" already present on machine and can be accessed by the pod',
  ]);
  const volumes = [{ name: 'v', image: { reference: 'absent:1', pullPolicy: 'Never' } }];
  addPod('q', { containers: [main, { name: 'without', image: 'i:1' }], volumes });
  await until(() => get('q')?.status.containerStatuses?.[1]?.ready === true);
  expect(get('q')?.status.containerStatuses?.[0]?.state?.waiting).toEqual({
    reason: 'ErrImageNeverPull',
    message: 'Container image "absent:1" is not present with pull policy of Never',
  });
  await until(() => events().includes('Failed: Error: ErrImageNeverPull'));
});

test('an image that no container can be made of is brought anew', async () => {
  runtime.failures.set('createContainer', new CriError('NotFound', 'content digest sha256:0: not found'));
  addPod('p', {});
  const waiting = (): object | undefined => get('p')?.status.containerStatuses?.[0]?.state?.waiting;
  await until(() => get('p')?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerError');
  expect(waiting()).toMatchObject({ message: 'content digest sha256:0: not found' });
  expect([...runtime.present]).toEqual([]);
  runtime.failures.clear();
  // A change of the spec is a reason to try at once.
  cluster.change(resources.pods, { namespace: 'ns', name: 'p' }, (pod) => {
    pod.spec.activeDeadlineSeconds = 1000;
  });
  await until(() => ready('p'));
  expect(events()).toContain('Pulling: Pulling image "i:1"');
});

test('a pod of a runtime with user namespaces has ids of its own, and the machine’s files inside', async () => {
  addPod('refused', { hostUsers: false });
  const refusal =
    "Failed to create pod sandbox: can't set `spec.hostUsers: false`, runtime does not support user namespaces";
  await until(() => events().includes(`FailedCreatePodSandBox: ${refusal}`));
  cluster.remove(resources.pods, { namespace: 'ns', name: 'refused' });
  await stop();
  const { status, runPodSandbox } = runtime.runtime;
  const sandboxes: PodSandboxConfig[] = [];
  Object.assign(runtime.runtime, {
    status: async () => ({
      ...(await status()),
      handlers: [{ name: '', recursiveReadOnlyMounts: false, userNamespaces: true }],
    }),
    runPodSandbox: (config: PodSandboxConfig, handler: string) => {
      sandboxes.push(config);
      return runPodSandbox(config, handler);
    },
  });
  stop = await startKubelet();
  addPod('p', { hostUsers: false });
  await until(() => ready('p'));
  const ids = [{ hostId: 65_536, containerId: 0, length: 65_536 }];
  const users = { usernsOptions: { mode: 'POD', uids: ids, gids: ids } };
  expect(sandboxes[0]?.linux?.securityContext?.namespaceOptions).toMatchObject(users);
  const { linux, mounts = [] } = runtime.find('main')?.config ?? {};
  expect(linux?.securityContext?.namespaceOptions).toMatchObject(users);
  expect(mounts.length).toBeGreaterThan(0);
  for (const mount of mounts) expect(mount).toMatchObject({ uidMappings: ids, gidMappings: ids });
});

test('a restart adopts what runs and removes what is gone', async () => {
  addPod('keep', {});
  addPod('gone', {});
  await until(() => ready('keep') && ready('gone'));
  const id = get('keep')?.status.containerStatuses?.[0]?.containerID;
  await stop();
  cluster.remove(resources.pods, { namespace: 'ns', name: 'gone' });
  stop = await startKubelet();
  await until(() => runtime.sandboxes.size === 1);
  expect(get('keep')?.status.containerStatuses?.[0]).toMatchObject({ containerID: id, restartCount: 0, ready: true });
});

test('a container that was ready stays so over a restart until its probe says otherwise', async () => {
  const readinessProbe = { exec: { command: ['true'] } };
  runtime.exec = () => ({ exitCode: 0 });
  addPod('p', { containers: [{ name: 'main', image: 'i:1', readinessProbe }] });
  await until(() => ready('p'));
  await stop();
  let asked = false;
  runtime.exec = () => {
    asked = true;
    return { exitCode: 1 };
  };
  stop = await startKubelet();
  await until(() => asked);
  addPod('later', {});
  await until(() => ready('later'));
  expect(ready('p')).toBe(true);
});

test('a machine with a new name ends the pods of the node that it was', async () => {
  addPod('p', {});
  await until(() => ready('p'));
  await stop();
  stop = await startKubelet({ nodeName: 'n2' });
  await until(() => runtime.sandboxes.size === 0 && runtime.containers.size === 0);
});

test('a pod that ended before the kubelet started does not run again', async () => {
  const pod = addPod('p', { restartPolicy: 'Always' });
  await until(() => ready('p'));
  await stop();
  runtime.sandboxes.clear();
  runtime.containers.clear();
  cluster.change(resources.pods, pod.metadata, (changed) => {
    changed.status = { ...changed.status, phase: 'Succeeded' };
  });
  stop = await startKubelet();
  addPod('other', {});
  await until(() => ready('other'));
  expect(get('p')?.status.phase).toBe('Succeeded');
  expect([...runtime.containers.values()]).toHaveLength(1);
});

test('a sandbox that cannot be made is tried again later, whatever wakes its pod meanwhile', async () => {
  const tries = (): number => runtime.calls.filter((call) => call === 'runPodSandbox').length;
  runtime.failures.set('runPodSandbox', new Error('no handler'));
  addPod('p', {});
  await until(() => events().includes('FailedCreatePodSandBox: Failed to create pod sandbox: no handler'));
  cluster.change(resources.pods, { namespace: 'ns', name: 'p' }, (pod) => {
    pod.metadata.annotations = { other: 'value' };
  });
  await until(() => get('p')?.status.conditions?.[0]?.status === 'False');
  expect(tries()).toBe(1);
  runtime.failures.clear();
  await until(() => ready('p'));
  expect(tries()).toBe(2);
});

test('a container that a probe has killed again and again waits before it starts again', async () => {
  const livenessProbe = { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 };
  runtime.exec = () => ({ exitCode: 1 });
  addPod('p', { containers: [{ name: 'main', image: 'i:1', livenessProbe }] });
  await until(() => get('p')?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff');
  expect(get('p')?.status.containerStatuses?.[0]?.restartCount).toBe(2);
});

test('a pod that cannot be ended says so, and is tried again', async () => {
  addPod('p', {});
  await until(() => ready('p'));
  runtime.failures.set('stopPodSandbox', new Error('no state'));
  await cluster.client.delete(resources.pods, { namespace: 'ns', name: 'p' });
  const message = `error killing pod: failed to "KillPodSandbox" for "${get('p')?.metadata.uid}" with KillPodSandboxError: "no state"`;
  await until(() => events().includes(`FailedKillPod: ${message}`));
  expect(get('p')).toBeDefined();
  runtime.failures.clear();
  await until(() => get('p') === undefined);
});

test('a kubelet that stops waits for no pod that ends; the next one goes on with it', async () => {
  addPod('p', {});
  await until(() => ready('p'));
  const { stopContainer } = runtime.runtime;
  const begun = Promise.withResolvers<void>();
  runtime.runtime.stopContainer = (_, __, { signal } = {}) => {
    begun.resolve();
    return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  };
  await cluster.client.delete(resources.pods, { namespace: 'ns', name: 'p' });
  await begun.promise;
  await stop();
  expect(get('p')).toBeDefined();
  runtime.runtime.stopContainer = stopContainer;
  stop = await startKubelet();
  await until(() => get('p') === undefined);
});

test('a sandbox that ends has a successor, and goes when nothing is left of it', async () => {
  addPod('p', {});
  await until(() => ready('p'));
  for (const attempt of [1, 2]) {
    const [newest] = [...runtime.sandboxes.values()].toReversed();
    await runtime.runtime.stopPodSandbox(newest?.id ?? '');
    runtime.exit(runtime.find('main')?.id ?? '', 137);
    await until(() => [...runtime.sandboxes.values()].some(({ metadata }) => metadata.attempt === attempt));
    await until(() => runtime.find('main')?.state === (attempt === 1 ? 'CONTAINER_RUNNING' : 'CONTAINER_EXITED'));
  }
  await until(() => runtime.sandboxes.size === 2);
  expect([...runtime.sandboxes.values()].map(({ metadata }) => metadata.attempt)).toEqual([1, 2]);
});

test('a machine that was booted anew says so', async () => {
  await stop();
  cluster.change(resources.nodes, { name: 'n1' }, ({ status }) => {
    if (status.nodeInfo !== undefined) status.nodeInfo.bootID = 'before';
  });
  stop = await startKubelet();
  await until(() => events().some((text) => text.startsWith('Rebooted: Node n1 has been rebooted, boot id: ')));
});

test('status that somebody else overwrote is written again, also by a kubelet that had nothing to tell yet', async () => {
  addPod('p', {});
  await until(() => ready('p'));
  const overwrite = (): void => {
    cluster.change(resources.pods, { namespace: 'ns', name: 'p' }, (pod) => {
      for (const condition of pod.status.conditions ?? []) if (condition.type === 'Ready') condition.status = 'False';
    });
  };
  overwrite();
  await until(() => ready('p'));
  await stop();
  stop = await startKubelet();
  // All that was there before has been looked at when something new is done.
  addPod('other', {});
  await until(() => ready('other'));
  overwrite();
  await until(() => ready('p'));
});

test('no container starts before the rules for the addresses of its pod are in force', async () => {
  const asked = Promise.withResolvers<readonly string[]>();
  const inForce = Promise.withResolvers<void>();
  admit = (addresses) => {
    asked.resolve(addresses);
    return inForce.promise;
  };
  addPod('p', {});
  expect(await asked.promise).toHaveLength(1);
  expect(runtime.containers.size).toBe(0);
  inForce.resolve();
  await until(() => ready('p'));
});

test('a pod is resized while it runs, by a restart where its policy says so, or waits', async () => {
  const resources_ = { requests: { cpu: '10m', memory: '1Mi' } };
  const resizePolicy = [
    { resourceName: 'cpu', restartPolicy: 'NotRequired' },
    { resourceName: 'memory', restartPolicy: 'RestartContainer' },
  ];
  addPod('p', { containers: [{ name: 'main', image: 'i:1', resources: resources_, resizePolicy }] });
  await until(() => ready('p'));
  const ask = (requests: Record<string, string>): void => {
    cluster.change(resources.pods, { namespace: 'ns', name: 'p' }, (pod) => {
      for (const container of pod.spec.containers) container.resources = { requests };
    });
  };
  const status = (): object | undefined => get('p')?.status.containerStatuses?.[0];
  const condition = (type: string): object | undefined => get('p')?.status.conditions?.find((one) => one.type === type);

  ask({ cpu: '20m', memory: '1Mi' });
  await until(() => runtime.calls.includes('updateContainerResources'));
  const given = '{"containers":[{"name":"main","resources":{"requests":{"cpu":"20m","memory":"1Mi"}}}]';
  for (const begin of [
    `ResizeStarted: Pod resize started: ${given}`,
    `ResizeCompleted: Pod resize completed: ${given}`,
  ])
    await until(() => events().some((event) => event.startsWith(begin)));
  await until(() => condition('PodResizeInProgress') === undefined);
  expect(status()).toMatchObject({ restartCount: 0, allocatedResources: { cpu: '20m', memory: '1Mi' } });

  ask({ cpu: '20m', memory: '2Mi' });
  await until(() => get('p')?.status.containerStatuses?.[0]?.restartCount === 1 && ready('p'));
  await until(() => events().includes('Killing: Container main resize requires restart'));
  await until(() => condition('PodResizeInProgress') === undefined);

  ask({ cpu: '1k', memory: '2Mi' });
  await until(() => condition('PodResizePending') !== undefined);
  expect(condition('PodResizePending')).toMatchObject({
    reason: 'Infeasible',
    message: expect.stringMatching(/^Node didn't have enough capacity: cpu, requested: 1000000, capacity: \d+$/),
  });
  expect(status()).toMatchObject({ restartCount: 1, allocatedResources: { cpu: '20m', memory: '2Mi' } });
  ask({ cpu: '20m', memory: '2Mi' });
  await until(() => condition('PodResizePending') === undefined);
});
