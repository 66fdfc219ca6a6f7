import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgramImage } from '../images/program-image.ts';
import { Cluster, type CommandResult, eventually, missingForE2E, runCommand } from './cluster.ts';
import { unpacked } from './software/debian.ts';
import { type Pepr, preparePepr } from './software/pepr.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const software = join(import.meta.dirname, 'software');

interface Objects<T> {
  readonly items: readonly T[];
}

interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly scrapeUrl: string;
  readonly health: string;
  readonly lastError: string;
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

interface ConfigMap {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
}

describe.skipIf(missing !== undefined)('software that others wrote for Kubernetes', () => {
  let cluster: Cluster;
  let pepr: Pepr;

  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'kube-lite-e2e-'));
    const images = join(dataDir, 'agent/images');
    await buildProgramImage({
      directory: images,
      name: 'prometheus',
      program: join(await unpacked('prometheus'), 'usr/bin/prometheus'),
      entrypoint: '/usr/bin/prometheus',
    });
    pepr = await preparePepr();
    await pepr.buildImage(images);
    cluster = await Cluster.start({ dataDir });
  }, 600_000);

  afterAll(() => cluster?.remove());

  describe("Debian's Prometheus, in the cluster", () => {
    const api = '/api/v1/namespaces/default/services/prometheus:web/proxy/api/v1';

    async function asked<T>(path: string): Promise<T> {
      const answer = JSON.parse(await cluster.ok(['get', '--raw', `${api}/${path}`]));
      expect(answer).toMatchObject({ status: 'success' });
      return answer.data;
    }

    async function targets(): Promise<readonly Target[]> {
      return (await asked<{ activeTargets: readonly Target[] }>('targets?state=active')).activeTargets;
    }

    /** Waits until a query has an answer; gives its samples. */
    function samples(query: string): Promise<readonly Sample[]> {
      return eventually(query, async () => {
        const { result } = await asked<{ result: readonly Sample[] }>(`query?query=${encodeURIComponent(query)}`);
        return result.length > 0 && result;
      });
    }

    beforeAll(async () => {
      const node = await cluster.get<{
        status: {
          addresses: readonly { type: string; address: string }[];
          daemonEndpoints: { kubeletEndpoint: { Port: number } };
        };
      }>('node', cluster.nodeName);
      const address = node.status.addresses.find(({ type }) => type === 'InternalIP')?.address;
      const file = join(cluster.dataDir, 'prometheus.yml');
      const configuration = (await readFile(join(software, 'prometheus.yml'), 'utf8'))
        .replaceAll('KUBELET', `${address}:${node.status.daemonEndpoints.kubeletEndpoint.Port}`)
        .replaceAll('NODE', cluster.nodeName);
      await writeFile(file, configuration);
      await cluster.ok(['create', 'configmap', 'prometheus', `--from-file=${file}`]);
      await cluster.ok(['apply', '-f', join(software, 'prometheus.yaml')]);
      await cluster.ok(['rollout', 'status', 'statefulset/prometheus', '--timeout=120s']);
      await cluster.ok(['rollout', 'status', 'deployment/measured', '--timeout=120s']);
    });

    test('finds and scrapes the API server, the kubelet on its port and by the proxy, pods and Services', async () => {
      const jobs = {
        addresses: 2,
        apiservers: 1,
        nodes: 1,
        'nodes-cadvisor': 1,
        'nodes-probes': 1,
        'nodes-resource': 1,
        pods: 2,
        'proxied-cadvisor': 1,
        'proxied-nodes': 1,
        'proxied-service': 1,
        service: 1,
      };
      let last: readonly Target[] = [];
      await eventually('all targets are known and were scraped', async () => {
        last = await targets();
        return (
          last.length === Object.values(jobs).reduce((sum, count) => sum + count) &&
          last.every(({ health }) => health === 'up')
        );
      }).catch(() => {});
      expect(last.filter(({ health }) => health !== 'up')).toEqual([]);
      const found = Object.entries(Object.groupBy(last, ({ labels }) => labels['job'] ?? ''));
      expect(Object.fromEntries(found.map(([job, some]) => [job, some?.length]))).toEqual(jobs);
    });

    test('answers queries about the API server, the node, containers and the workload', async () => {
      const [requests] = await samples('sum(apiserver_request_total{job="apiservers",verb="GET",code="200"})');
      expect(Number(requests?.value[1])).toBeGreaterThan(0);
      const [resident] = await samples(`process_resident_memory_bytes{job="nodes",node="${cluster.nodeName}"}`);
      expect(Number(resident?.value[1])).toBeGreaterThan(1e6);
      expect(await samples('node_memory_working_set_bytes > 1e6')).toHaveLength(1);
      const container = 'namespace="default",pod="prometheus-0",container="prometheus"';
      for (const query of [
        `container_memory_working_set_bytes{job="nodes-cadvisor",${container}}`,
        `container_memory_working_set_bytes{job="proxied-cadvisor",${container}}`,
        `container_memory_working_set_bytes{job="nodes-resource",${container}}`,
      ])
        expect(Number((await samples(query))[0]?.value[1]), query).toBeGreaterThan(1e6);
      await samples(`rate(container_cpu_usage_seconds_total{job="nodes-cadvisor",${container}}[10s]) > 0`);
      const probes = await samples('prober_probe_total{probe_type="Readiness",pod="prometheus-0",result="successful"}');
      expect(Number(probes[0]?.value[1])).toBeGreaterThan(0);
      expect((await samples('sum(answers_total{job="pods",kind="good"})'))[0]?.value[1]).toBe('84');
    });

    test('follows the workload as it is scaled', async () => {
      await cluster.ok(['scale', 'deployment/measured', '--replicas=3']);
      const [three] = await samples('count(up{job="pods"} == 1) == 3');
      expect(three?.value[1]).toBe('3');
    });
  });

  test("Debian's ruby-kubeclient", async () => {
    const script = join(software, 'kubeclient.rb');
    const result = await runCommand('/usr/bin/ruby', [script, cluster.kubeconfig], { timeoutMs: 280_000 });
    expect(result, result.stderr).toMatchObject({ code: 0, stdout: 'session complete\n' });
  });

  test("Debian's Ansible: a playbook, which changes nothing when it is played again", async () => {
    const play = (...more: string[]): Promise<CommandResult> =>
      runCommand(
        '/usr/bin/ansible-playbook',
        ['-i', 'localhost,', join(software, 'ansible.yml'), '-e', `node=${cluster.nodeName}`, ...more],
        {
          timeoutMs: 350_000,
          env: {
            HOME: cluster.dataDir,
            ANSIBLE_HOME: join(cluster.dataDir, 'ansible'),
            ANSIBLE_PIPELINING: 'true',
            KUBECONFIG: cluster.kubeconfig,
          },
        },
      );
    const first = await play();
    expect(first, first.stdout).toMatchObject({ code: 0 });
    const second = await play('--skip-tags', 'once');
    expect(second, second.stdout).toMatchObject({ code: 0 });
    expect(second.stdout).toMatch(/localhost +: ok=9 +changed=0 +unreachable=0 +failed=0/);
  }, 750_000);

  describe('Pepr from the npm registry, with the example of its authors', () => {
    let applied: CommandResult;

    beforeAll(async () => {
      const installed = await cluster.kubectl(['apply', '-f', pepr.manifest]);
      expect(installed, installed.stderr).toMatchObject({ code: 0 });
      for (const name of ['pepr-example', 'pepr-example-watcher'])
        await cluster.ok(
          ['-n', 'pepr-system', 'rollout', 'status', `deployment/${name}`, '--timeout=180s'],
          undefined,
          200_000,
        );
      applied = await cluster.kubectl(['apply', '-f', pepr.samples]);
    }, 420_000);

    const configMap = (name: string, namespace = 'pepr-demo'): Promise<ConfigMap> =>
      cluster.get<ConfigMap>('-n', namespace, 'configmap', name);

    test('its webhooks change objects and refuse one', async () => {
      expect(applied.code).toBe(1);
      expect(applied.stderr).toContain('denied the request: No evil CM annotations allowed.');
      const { metadata } = await cluster.get<ConfigMap>('namespace', 'pepr-demo');
      expect(metadata.labels).toMatchObject({ 'keep-me': 'please' });
      expect(metadata.labels).not.toHaveProperty('remove-me');
      for (const name of ['example-1', 'example-2'])
        expect((await configMap(name)).metadata).toMatchObject({
          labels: { pepr: 'was-here' },
          annotations: { 'pepr.dev': 'annotations-work-too' },
        });
      expect((await configMap('example-3')).data).toMatchObject({ username: expect.stringContaining('') });
      expect((await configMap('example-4a', 'pepr-demo-2')).metadata.labels).toMatchObject({
        'pepr.dev/third': 'true',
      });
      const { data } = await cluster.get<ConfigMap>('-n', 'pepr-demo', 'secret', 'secret-1');
      expect(Buffer.from(data?.['example'] ?? '', 'base64').toString()).toContain(' - modified by Pepr');
    });

    test('its watcher reacts to objects by applying others, and keeps its state in its own resource', async () => {
      const uid = (await cluster.ok(['get', 'namespace', 'pepr-demo-2', '-o', 'jsonpath={.metadata.uid}'])).trim();
      await eventually('applied by the watcher', async () => {
        const { data } = await configMap('pepr-ssa-demo', 'pepr-demo-2');
        return data?.['ns-uid'] === uid;
      });
      await eventually('a joke was told', async () => 'chuck-says' in ((await configMap('example-5')).data ?? {}));
      await eventually('stored', async () => {
        const stores = await cluster.get<Objects<ConfigMap>>('-n', 'pepr-system', 'peprstores');
        return stores.items.some(({ data }) => Object.values(data ?? {}).includes('was-here'));
      });
    });
  });
});
