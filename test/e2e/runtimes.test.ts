import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E, runCommand } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const POD = (name: string, command: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: "busybox:test", command: [sh, -c, ${JSON.stringify(command)}]}]
`;

/** A containerd that the test runs, with a configuration of its own and a runc that fails on demand. */
class Containerd {
  readonly #directory: string;
  readonly #payload: string;
  #process: ChildProcess | undefined;

  constructor(directory: string, payload: string) {
    this.#directory = directory;
    this.#payload = payload;
  }

  get socket(): string {
    return join(this.#directory, 'containerd.sock');
  }

  async configure(cniConfigDir: string): Promise<void> {
    const runc = join(this.#directory, 'runc');
    await writeFile(
      runc,
      `#!/bin/sh\n[ -e ${this.#directory}/broken ] && case "$*" in *create*) echo "runc is broken" >&2; exit 1;; esac\nexec ${this.#payload}/bin/runc "$@"\n`,
    );
    await chmod(runc, 0o755);
    await writeFile(
      join(this.#directory, 'config.toml'),
      `version = 2
root = "${this.#directory}/root"
state = "${this.#directory}/state"
[grpc]
  address = "${this.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/kube-lite/pause:1"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  tolerate_missing_hugetlb_controller = true
  restrict_oom_score_adj = true
  disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${this.#payload}/cni"
  conf_dir = "${cniConfigDir}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = "${runc}"
  Root = "${this.#directory}/runc-root"
`,
    );
  }

  async start(): Promise<void> {
    const log = openSync(join(this.#directory, 'log'), 'a');
    const env = { ...process.env, ...this.#env() };
    this.#process = spawn(join(this.#payload, 'bin/containerd'), ['--config', join(this.#directory, 'config.toml')], {
      stdio: ['ignore', log, log],
      env,
    });
    closeSync(log);
    await eventually('containerd answers', async () => (await this.#ctr('version')).code === 0);
  }

  async import(archive: string): Promise<void> {
    expect(await this.#ctr('-n', 'k8s.io', 'images', 'import', archive)).toMatchObject({ code: 0 });
  }

  async breakRunc(broken: boolean): Promise<void> {
    const marker = join(this.#directory, 'broken');
    if (broken) await writeFile(marker, '');
    else await rm(marker, { force: true });
  }

  async kill(): Promise<void> {
    const child = this.#process;
    // It runs from the payload: removing the cluster may have ended it.
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  #env(): Record<string, string> {
    return { LD_LIBRARY_PATH: join(this.#payload, 'lib'), PATH: `${this.#payload}/bin:${process.env['PATH']}` };
  }

  #ctr(...args: string[]): ReturnType<typeof runCommand> {
    return runCommand(join(this.#payload, 'bin/ctr'), ['-a', this.socket, ...args], { env: this.#env() });
  }
}

describe.skipIf(missing !== undefined)('another runtime', () => {
  let directory: string;
  let containerd: Containerd | undefined;
  let starting: Promise<Cluster> | undefined;
  let cluster: Cluster | undefined;
  const given = (): Cluster => {
    if (cluster === undefined) throw new Error('there is no cluster');
    return cluster;
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kube-lite-runtime-'));
    const dataDir = await mkdtemp(join(tmpdir(), 'kube-lite-e2e-'));
    const socket = `unix://${join(directory, 'containerd.sock')}`;
    starting = Cluster.start({ dataDir, flags: ['--container-runtime-endpoint', socket] });
    // It waits for its runtime; what the runtime is made of comes with it.
    starting.catch(() => undefined);
    const payload = await eventually('the payload is unpacked', async () => {
      const [name] = (await readdir(join(dataDir, 'payload'))).filter((entry) => /^[0-9a-f]+$/.test(entry));
      return name === undefined ? undefined : join(dataDir, 'payload', name);
    });
    await mkdir(join(dataDir, 'agent/cni/net.d'), { recursive: true });
    containerd = new Containerd(directory, payload);
    await containerd.configure(join(dataDir, 'agent/cni/net.d'));
    await containerd.start();
    await containerd.import(join(payload, 'images/pause.tar'));
    await containerd.import(join(dataDir, 'agent/images/busybox.tar'));
    cluster = await starting;
  });
  afterAll(() =>
    endAll(
      () => containerd?.breakRunc(false),
      async () => {
        cluster = await starting?.catch(() => undefined);
      },
      () => cluster?.kubectl(['delete', 'pods', '--all', '--timeout=120s']),
      () => cluster?.remove(),
      () => containerd?.kill(),
      () => rm(directory, { recursive: true, force: true }),
    ),
  );

  const phase = (name: string, wanted: string): Promise<unknown> =>
    eventually(`${name} is ${wanted}`, async () => {
      const { status } = await given().get<{ status: { phase: string } }>('pod', name);
      return status.phase === wanted;
    });
  const ready = async (): Promise<{ status: string; message: string } | undefined> =>
    (
      await given().get<{ status: { conditions: { type: string; status: string; message: string }[] } }>(
        'node',
        given().nodeName,
      )
    ).status.conditions.find(({ type }) => type === 'Ready');

  test('pods run, end and are seen to end without events of the runtime', async () => {
    await given().apply(POD('lives', 'echo hello; sleep 600'));
    await given().apply(POD('ends', 'sleep 1; exit 0').replace('spec:', 'spec:\n  restartPolicy: Never'));
    await phase('lives', 'Running');
    await given().logs(['lives'], (text) => expect(text).toBe('hello\n'));
    expect(await given().ok(['exec', 'lives', '--', 'echo', 'inside'])).toBe('inside\n');
    await phase('ends', 'Succeeded');
  });

  test('a runtime that is killed makes the node NotReady; pods go on, and the node recovers alone', async () => {
    await containerd?.kill();
    const gone = await eventually('the node is NotReady', async () => {
      const condition = await ready();
      return condition?.status === 'True' ? undefined : condition;
    });
    expect(gone.message).toMatch(/runtime/);
    await given().apply(POD('later', 'sleep 600'));
    await containerd?.start();
    await given().nodeReady();
    await phase('later', 'Running');
    const { status } = await given().get<{ status: { containerStatuses: { restartCount: number }[] } }>('pod', 'lives');
    expect(status.containerStatuses[0]?.restartCount).toBe(0);
  });

  test('a runc that fails is told of by name, and pods start when it works again', async () => {
    await containerd?.breakRunc(true);
    await given().apply(POD('stuck', 'sleep 600'));
    await eventually('an event says so', async () => {
      const { items } = await given().get<{ items: { reason: string; message: string }[] }>(
        'events',
        '--field-selector',
        'involvedObject.name=stuck',
      );
      return items.some(
        ({ reason, message }) => reason === 'FailedCreatePodSandBox' && message.includes('OCI runtime create failed'),
      );
    });
    await containerd?.breakRunc(false);
    await phase('stuck', 'Running');
  });
});
