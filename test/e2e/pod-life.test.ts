import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

interface State {
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly running?: object;
  readonly terminated?: { readonly exitCode: number; readonly reason: string; readonly finishedAt: string };
}
interface ContainerStatus {
  readonly name: string;
  readonly restartCount: number;
  readonly ready: boolean;
  readonly state: State;
  readonly lastState: State;
}
interface Pod {
  readonly metadata: { readonly uid: string };
  readonly status: {
    readonly phase: string;
    readonly reason?: string;
    readonly message?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly hostIPs?: readonly { readonly ip: string }[];
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
  };
}

const pod = (name: string, spec: string): string =>
  `---\napiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec:\n${spec.replace(/^\n|\n +$/g, '')}\n`;
const main = (command: string, more = ''): string =>
  `  containers:\n  - {name: main, image: "busybox:test", command: [sh, -c, ${JSON.stringify(command)}]${more}}`;
const LOOP = "trap 'echo ended; exit 0' TERM; while :; do sleep 0.1; done";

const PODS = [
  pod(
    'sidecars',
    `
  restartPolicy: Never
  initContainers:
  - name: first
    image: busybox:test
    restartPolicy: Always
    command: [sh, -c, "trap 'exit 3' TERM; sleep 1; touch /tmp/started; while :; do sleep 0.1; done"]
    startupProbe: {exec: {command: [cat, /tmp/started]}, periodSeconds: 1}
  - {name: init, image: "busybox:test", command: ["true"]}
  - name: second
    image: busybox:test
    restartPolicy: Always
    command: [sh, -c, ${JSON.stringify(LOOP)}]
    lifecycle: {preStop: {exec: {command: [sh, -c, "echo prestop > /proc/1/fd/1"]}}}
${main('sleep 1')}`,
  ),
  pod(
    'rules',
    `
  restartPolicy: Never
  containers:
  - name: main
    image: busybox:test
    command: [sh, -c, "if [ -e /d/x ]; then exit 0; fi; touch /d/x; exit 42"]
    restartPolicy: Never
    restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]
    volumeMounts: [{name: d, mountPath: /d}]
  volumes: [{name: d, emptyDir: {}}]`,
  ),
  pod(
    'restarts-all',
    `
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  initContainers: [{name: init, image: "busybox:test", command: [sh, -c, "echo >>/d/inits"], volumeMounts: [{name: d, mountPath: /d}]}]
  containers:
  - {name: other, image: "busybox:test", command: [sh, -c, ${JSON.stringify(LOOP)}]}
  - name: main
    image: busybox:test
    command: [sh, -c, "[ $(wc -l </d/inits) -gt 1 ] && exec sleep 3600; exit 88"]
    restartPolicy: Never
    restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, values: [88]}}]
    volumeMounts: [{name: d, mountPath: /d}]
  volumes: [{name: d, emptyDir: {}}]`,
  ),
  pod('crashes', main('echo $RANDOM; exit 7')),
  pod(
    'sysctl',
    `  restartPolicy: Never\n  securityContext: {sysctls: [{name: kernel.shm_rmid_forced, value: "1"}]}\n${main('cat /proc/sys/kernel/shm_rmid_forced')}`,
  ),
  pod('unsafe-sysctl', `  securityContext: {sysctls: [{name: kernel.msgmax, value: "10000"}]}\n${main('sleep 60')}`),
  pod('user-namespace', `  hostUsers: false\n${main('sleep 60')}`),
  pod('non-root', `  securityContext: {runAsNonRoot: true}\n${main('sleep 60')}`),
  pod(
    'no-profile',
    `  securityContext: {seccompProfile: {type: Localhost, localhostProfile: none.json}}\n${main('sleep 60')}`,
  ),
  pod(
    'host-network',
    `  restartPolicy: Never\n  hostNetwork: true\n  hostAliases: [{ip: 1.2.3.4, hostnames: [foo]}]\n${main('cat /etc/hosts')}`,
  ),
  pod(
    'confined',
    `
  restartPolicy: Never
  hostname: named
  subdomain: sub
  setHostnameAsFQDN: true
  shareProcessNamespace: true
  dnsPolicy: None
  dnsConfig: {nameservers: [192.0.2.53], searches: [a.example], options: [{name: ndots, value: "3"}, {name: edns0}]}
  securityContext: {runAsUser: 1001, runAsGroup: 2002, fsGroup: 3003, supplementalGroups: [4004], seccompProfile: {type: RuntimeDefault}}
${main(
  'hostname -f; cat /etc/resolv.conf; id; touch /x; ps; grep -e Seccomp: -e NoNewPrivs -e CapEff /proc/self/status',
  ', securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}',
)}`,
  ),
  pod('stubborn', `  terminationGracePeriodSeconds: 1\n${main("trap '' TERM; while :; do sleep 0.2; done")}`),
  pod(
    'hooks',
    `  terminationGracePeriodSeconds: 5\n${main(LOOP, ', lifecycle: {postStart: {exec: {command: [sh, -c, "echo post > /proc/1/fd/1"]}}, preStop: {exec: {command: [sh, -c, "exit 1"]}}}')}`,
  ),
  pod(
    'post-start',
    `  restartPolicy: Never\n${main(LOOP, ', lifecycle: {postStart: {exec: {command: [sh, -c, "exit 9"]}}}')}`,
  ),
  pod('deadline', `  activeDeadlineSeconds: 2\n  terminationGracePeriodSeconds: 1\n${main(LOOP)}`),
  pod('gated', `  readinessGates: [{conditionType: example.com/on}]\n${main(LOOP)}`),
  pod(
    'flood',
    `  restartPolicy: Never\n${main('yes 0123456789012345678901234567890123456789 | head -c 30000000; echo; echo end')}`,
  ),
  pod(
    'probed',
    `
  containers:
  - name: main
    image: busybox:test
    command: [sh, -c, "mkdir -p /w; echo ok > /w/ok; httpd -f -p 8080 -h /w"]
    ports: [{name: web, containerPort: 8080}]
    startupProbe: {tcpSocket: {port: web}, periodSeconds: 1, failureThreshold: 30}
    readinessProbe: {httpGet: {path: /ok, port: web, httpHeaders: [{name: X-A, value: b}]}, periodSeconds: 1, successThreshold: 2}
    livenessProbe: {exec: {command: [cat, /w/ok]}, periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 1, terminationGracePeriodSeconds: 1}`,
  ),
];

describe.skipIf(missing !== undefined)('the life of pods', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
    await cluster.apply(PODS.join(''));
  });
  afterAll(() => cluster?.remove());

  const get = (name: string): Promise<Pod> => cluster.get<Pod>('pod', name);
  const until = (name: string, what: string, check: (pod: Pod) => boolean): Promise<Pod> =>
    eventually(`${name} ${what}`, async () => {
      const found = await get(name);
      return check(found) ? found : undefined;
    });
  const phase = (name: string, wanted: string): Promise<Pod> =>
    until(name, wanted, ({ status }) => status.phase === wanted);
  const events = async (name: string): Promise<string[]> =>
    (
      await cluster.get<{ items: { reason: string; message: string }[] }>(
        'events',
        '--field-selector',
        `involvedObject.name=${name}`,
        '--sort-by=.metadata.creationTimestamp',
      )
    ).items.map(({ reason, message }) => `${reason}: ${message}`);
  const told = (name: string, event: string): Promise<unknown> =>
    eventually(`${name}: ${event}`, async () => (await events(name)).includes(event));

  test('sidecars start in order, wait for their startup probe, and end last, whatever their exit code', async () => {
    const { status } = await phase('sidecars', 'Succeeded');
    const ends = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].map(
      ({ name, state }) => [name, state.terminated?.exitCode],
    );
    expect(ends).toEqual([
      ['first', 3],
      ['init', 0],
      ['second', 0],
      ['main', 0],
    ]);
    await eventually('the kills are told of', async () => {
      const kills = (await events('sidecars')).filter((event) => event.startsWith('Killing'));
      expect(kills).toEqual(['Killing: Stopping container second', 'Killing: Stopping container first']);
      return true;
    });
    await cluster.logs(['sidecars', '-c', 'second'], (text) => expect(text).toBe('prestop\nended\n'));
  });

  test('containers restart by their own rules, and crash loops back off', async () => {
    expect((await phase('rules', 'Succeeded')).status.containerStatuses?.[0]).toMatchObject({ restartCount: 1 });
    const again = await until('restarts-all', 'has restarted all of its containers', ({ status }) =>
      (status.containerStatuses ?? []).every(
        ({ restartCount, state }) => restartCount === 1 && state.running !== undefined,
      ),
    );
    expect(again.status.initContainerStatuses?.[0]).toMatchObject({ restartCount: 1, ready: true });
    expect(again.status.conditions).toContainEqual(
      expect.objectContaining({ type: 'AllContainersRestarting', status: 'False' }),
    );
    const waiting = await until(
      'crashes',
      'backs off',
      ({ status }) => status.containerStatuses?.[0]?.state.waiting?.reason === 'CrashLoopBackOff',
    );
    expect(waiting.status.containerStatuses?.[0]).toMatchObject({
      state: {
        waiting: {
          message: expect.stringMatching(
            /^back-off (?:[124]0s|1m20s|2m40s|5m0s) restarting failed container=main pod=crashes_default/,
          ),
        },
      },
      lastState: { terminated: { exitCode: 7, reason: 'Error' } },
    });
    expect((await cluster.kubectl(['logs', 'crashes', '--previous'])).code).toBe(0);
  });

  test('what the node does not give is refused by name', async () => {
    expect((await phase('unsafe-sysctl', 'Failed')).status).toMatchObject({
      reason: 'SysctlForbidden',
      message: 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted',
    });
    await eventually('the user namespace is refused', async () =>
      (await events('user-namespace')).some((event) =>
        event.endsWith("can't set `spec.hostUsers: false`, runtime does not support user namespaces"),
      ),
    );
    const reason = (name: string, wanted: string): Promise<Pod> =>
      until(name, wanted, ({ status }) => status.containerStatuses?.[0]?.state.waiting?.reason === wanted);
    const nonRoot = await reason('non-root', 'CreateContainerConfigError');
    expect(nonRoot.status.containerStatuses?.[0]?.state.waiting?.message).toMatch(
      /^container has runAsNonRoot and image will run as root \(pod: "non-root_default\(/,
    );
    const profile = await reason('no-profile', 'CreateContainerError');
    expect(profile.status.containerStatuses?.[0]?.state.waiting?.message).toContain('cannot load seccomp profile');
  });

  test('names, addresses, groups and privileges are those of the spec', async () => {
    await phase('confined', 'Succeeded');
    const lines = [
      'named.sub.default.svc.cluster.local',
      'search a.example',
      'nameserver 192.0.2.53',
      'options ndots:3 edns0',
      'uid=1001 gid=2002 groups=2002,3003,4004',
      'touch: /x: Read-only file system',
      'CapEff:\t0000000000000000',
      'NoNewPrivs:\t1',
      'Seccomp:\t2',
    ];
    await cluster.logs(['confined'], (text) => {
      expect(text.split('\n')).toEqual(expect.arrayContaining(lines));
      expect(text).toMatch(/^ +1 1001 +\/pause$/m);
    });
    await phase('sysctl', 'Succeeded');
    await cluster.logs(['sysctl'], (text) => expect(text).toBe('1\n'));
    const { status } = await phase('host-network', 'Succeeded');
    expect(status.podIPs).toEqual(status.hostIPs);
    expect(status.podIPs).toHaveLength(1);
    await cluster.logs(['host-network'], (text) => {
      expect(text).toMatch(/^# Kubernetes-managed hosts file \(host network\)\.\n/);
      expect(text).toMatch(/# Entries added by HostAliases\.\n1\.2\.3\.4\tfoo\n$/);
    });
  });

  test('hooks that fail are told of', async () => {
    const ended = await phase('post-start', 'Succeeded');
    expect(ended.status.containerStatuses?.[0]?.state.terminated?.exitCode).toBe(0);
    await told('post-start', 'FailedPostStartHook: PostStartHook failed');
    await told('post-start', 'Killing: FailedPostStartHook');
    await until('hooks', 'is ready', ({ status }) => status.containerStatuses?.[0]?.ready === true);
    await cluster.logs(['hooks'], (text) => expect(text).toBe('post\n'));
    await cluster.ok(['delete', 'pod', 'hooks']);
    await told('hooks', 'FailedPreStopHook: PreStopHook failed');
  });

  test('deadlines end pods, and gates hold their readiness', async () => {
    expect((await phase('deadline', 'Failed')).status).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
    const ready = (wanted: string): Promise<Pod> =>
      until(
        'gated',
        `ready ${wanted}`,
        ({ status }) => status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === wanted) === true,
      );
    await until('gated', 'runs', ({ status }) => status.containerStatuses?.[0]?.ready === true);
    expect((await ready('False')).status.conditions?.find(({ type }) => type === 'Ready')?.reason).toBe(
      'ReadinessGatesNotReady',
    );
    const patch = JSON.stringify({ status: { conditions: [{ type: 'example.com/on', status: 'True' }] } });
    await cluster.ok(['patch', 'pod', 'gated', '--subresource=status', '-p', patch]);
    await ready('True');
  });

  test('probes gate, and a failing liveness probe restarts the container', async () => {
    await until('probed', 'is ready', ({ status }) => status.containerStatuses?.[0]?.ready === true);
    const counts = await cluster.ok(['get', '--raw', `/api/v1/nodes/${cluster.nodeName}/proxy/metrics/probes`]);
    expect(counts).toMatch(
      /prober_probe_total\{container="main",namespace="default",pod="probed",.*probe_type="Startup",result="successful"\} 1\n/,
    );
    await cluster.ok(['exec', 'probed', '--', 'rm', '/w/ok']);
    await until('probed', 'is restarted', ({ status }) => (status.containerStatuses?.[0]?.restartCount ?? 0) >= 1);
    await told('probed', 'Killing: Container main failed liveness probe, will be restarted');
  });

  test('a container that ignores SIGTERM and a flood of lines do no harm', async () => {
    await until('stubborn', 'runs', ({ status }) => status.containerStatuses?.[0]?.ready === true);
    const started = Date.now();
    await cluster.ok(['delete', 'pod', 'stubborn']);
    // Its own grace period is a second; 30 is what it would have without.
    expect(Date.now() - started).toBeLessThan(25_000);
    await phase('flood', 'Succeeded');
    // The runtime may write the last line after it has told of the end.
    await eventually(
      'its last line is there',
      async () => (await cluster.ok(['logs', 'flood', '--tail=1'])) === 'end\n',
    );
    const limited = await cluster.ok(['logs', 'flood', '--limit-bytes=10', '--timestamps=false', '--tail=1']);
    expect(limited).toBe('end\n');
    await cluster.nodeReady();
  });

  test('ephemeral containers see the processes of their target', async () => {
    await cluster.ok([
      'debug',
      'gated',
      '--image=busybox:test',
      '--profile=general',
      '--target=main',
      '-c',
      'look',
      '--',
      'ps',
    ]);
    await until(
      'gated',
      'has been looked at',
      ({ status }) => status.ephemeralContainerStatuses?.[0]?.state.terminated?.exitCode === 0,
    );
    await cluster.logs(['gated', '-c', 'look'], (text) => expect(text).toContain('sleep 0.1'));
  });

  test('the kubelet tells what pods use', async () => {
    const raw = (path: string): Promise<string> =>
      cluster.ok(['get', '--raw', `/api/v1/nodes/${cluster.nodeName}/proxy/${path}`]);
    expect(await raw('healthz/syncloop')).toBe('ok');
    expect(await raw('metrics/resource')).toMatch(
      /container_cpu_usage_seconds_total\{container="main",namespace="default",pod="gated"\} [0-9.e-]+ \d{13}\n/,
    );
    expect(await raw('metrics/cadvisor')).toMatch(
      /container_memory_working_set_bytes\{container="main",id="[^"]+",image="[^"]+",name="[0-9a-f]{64}",namespace="default",pod="gated"\} [1-9]/,
    );
    const summary = JSON.parse(await raw('stats/summary')) as {
      node: { cpu: { usageCoreNanoSeconds: number }; fs: { capacityBytes: number } };
      pods: {
        podRef: { name: string };
        network?: object;
        volume: object[];
        containers: { memory: { workingSetBytes: number } }[];
      }[];
    };
    expect(summary.node.cpu.usageCoreNanoSeconds).toBeGreaterThan(0);
    expect(summary.node.fs.capacityBytes).toBeGreaterThan(0);
    const used = summary.pods.find(({ podRef }) => podRef.name === 'gated');
    expect(used?.network).toBeDefined();
    expect(used?.volume[0]).toMatchObject({ inodesUsed: expect.any(Number), capacityBytes: expect.any(Number) });
    expect(used?.containers[0]?.memory.workingSetBytes).toBeGreaterThan(0);
    const own = await raw('metrics');
    for (const name of [
      'kubelet_running_pods',
      'kubelet_pod_start_duration_seconds_count',
      'kubelet_pleg_last_seen_seconds',
    ])
      expect(own).toMatch(new RegExp(`^${name} [1-9]`, 'm'));
    expect(own).toMatch(/^kubelet_runtime_operations_total\{operation_type="start_container"\} [1-9]/m);
    expect(own).toMatch(/^apiserver_request_total/m);
    expect(JSON.parse(await raw('configz'))).toMatchObject({ kubeletconfig: { kind: 'KubeletConfiguration' } });
  });
});
