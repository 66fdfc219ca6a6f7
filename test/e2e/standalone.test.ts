import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../pkg/base/testing/free-port.ts';
import { buildImageArchive, type ImageFile } from '../../scripts/pause/oci-archive.ts';
import { buildTestImages } from '../images/build.ts';
import { type CommandResult, eventually, executable, runCommand } from './cluster.ts';
import { endAll } from './ending.ts';

let directory: string;
let dataDir: string;
let port: number;

const kubeLite = (...args: string[]): Promise<CommandResult> =>
  runCommand(executable, [args[0] ?? '', '--data-dir', dataDir, '--pod-cidr', '10.63.255.0/24', ...args.slice(1)]);

async function answer(path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(30_000) });
  return (await response.text()).trim();
}

/** Archives whose files lead to `escaped`, outside of everything, by their names or by links, and one that is cut off. */
async function writeHostileArchives(images: string): Promise<void> {
  const escaped = join(directory, 'escaped');
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const layers: Readonly<Record<string, ImageFile[]>> = {
    'by-name': [{ path: `/${'../'.repeat(30)}${escaped.slice(1)}`, content: 'x' }],
    'by-link': [
      { path: '/link', link: directory },
      { path: '/link/escaped', content: 'x' },
    ],
    'by-hard-link': [
      { path: '/hard', hardLink: `${'../'.repeat(30)}${join(dataDir, 'agent/images/busybox.tar').slice(1)}` },
      { path: '/hard', content: 'x' },
    ],
  };
  for (const [name, files] of Object.entries(layers)) {
    const archive = await buildImageArchive({ names: [`docker.io/hostile/${name}:1`], architecture, files });
    await writeFile(join(images, `${name}.tar`), archive);
  }
  await writeFile(join(images, 'truncated.tar'), (await readFile(join(images, 'busybox.tar'))).subarray(0, 100_000));
}

const manifest = (greeting: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: {name: pages}
data: {index.html: "${greeting}"}
---
apiVersion: v1
kind: Secret
metadata: {name: token}
stringData: {TOKEN: s3cret}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: web
    image: busybox:test
    command: [sh, -c, 'mkdir /run; cp /pages/index.html /run/; echo "$TOKEN" > /run/token; exec httpd -f -p 8080 -h /run']
    envFrom: [{secretRef: {name: token}}]
    ports: [{containerPort: 8080, hostPort: ${port}}]
    readinessProbe: {httpGet: {path: /token, port: 8080}, periodSeconds: 1}
    volumeMounts: [{name: pages, mountPath: /pages}]
  volumes: [{name: pages, configMap: {name: pages}}]
---
apiVersion: v1
kind: Pod
metadata: {name: job}
spec:
  restartPolicy: Never
  containers: [{name: job, image: "busybox:test", command: [sh, -c, "until wget -qO- http://web:8080/index.html 2>/dev/null; do sleep 0.2; done"]}]
`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kube-lite-run-'));
  dataDir = join(directory, 'data');
  port = await freePort();
  await buildTestImages(join(dataDir, 'agent/images'));
  await writeHostileArchives(join(dataDir, 'agent/images'));
});
afterAll(() =>
  endAll(
    () => kubeLite('down', '--timeout', '120'),
    async () => {
      const removed = await runCommand(executable, ['uninstall', '--data-dir', dataDir, '--yes']);
      expect(removed, 'kube-lite uninstall').toMatchObject({ code: 0 });
    },
    () => expect(readdir(dataDir), 'what is left').rejects.toThrow('ENOENT'),
    () => rm(directory, { recursive: true, force: true }),
  ),
);

test('pods of a file run without a cluster, and another run replaces what has changed', async () => {
  const file = join(directory, 'web.yaml');
  await writeFile(file, manifest('one'));
  const first = await kubeLite('run', '-f', file, '--timeout', '120');
  expect(first.stderr).toBe('');
  expect(first.stdout.trim().split('\n').sort()).toEqual([expect.stringMatching(/^pod\/job/), 'pod/web Running']);
  expect([await answer('/index.html'), await answer('/token')]).toEqual(['one', 's3cret']);
  // What a pod that has ended wrote is all that there will be.
  expect((await kubeLite('logs', '-f', 'job')).stdout).toBe('one\n');
  expect((await kubeLite('ps')).stdout).toMatch(
    /^job +0\/1 +Succeeded +0 .*\nweb +1\/1 +Running +0 +10\.63\.255\.\d+\n$/m,
  );
  expect((await kubeLite('logs', '--tail', '1')).stdout).toBe('job job | one\n');
  await writeFile(file, manifest('two'));
  expect((await kubeLite('run', '-f', file, '--timeout', '120')).code).toBe(0);
  expect(await answer('/index.html')).toBe('two');
});

test('archives of images that are broken, or that reach out of their image, do no harm', async () => {
  expect(await readdir(directory)).not.toContain('escaped');
  const log = await readFile(join(dataDir, 'kube-lite.log'), 'utf8');
  const refused = log
    .split('\n')
    .filter((line) => line.includes('image archive cannot be imported'))
    .map((line) => basename((JSON.parse(line) as { path: string }).path));
  expect(refused).toContain('truncated.tar');
  expect(refused).not.toContain('busybox.tar');
});

test('the agent adopts what runs', async () => {
  const before = (await readdir(join(dataDir, 'agent/pod-logs'))).sort();
  const pid = await agentPID();
  process.kill(pid, 'SIGKILL');
  await eventually('the agent is gone', async () => !isRunning(pid));
  expect(await answer('/index.html')).toBe('two');
  const again = await kubeLite('run', '-f', join(directory, 'web.yaml'), '--timeout', '120');
  expect(again.stdout).toContain('pod/web Running');
  expect((await readdir(join(dataDir, 'agent/pod-logs'))).sort()).toEqual(before);
});

test('static pods run too, and are left alone by down', async () => {
  await mkdir(join(dataDir, 'agent/pod-manifests'), { recursive: true });
  const path = join(dataDir, 'agent/pod-manifests/static.yaml');
  const spec =
    'spec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: "busybox:test", command: [sleep, "600"]}]}';
  await writeFile(path, `apiVersion: v1\nkind: Pod\nmetadata: {name: fixed}\n${spec}\n`);
  const logs = async (): Promise<string[]> => readdir(join(dataDir, 'agent/pod-logs'));
  await eventually('the static pod runs', async () => (await logs()).some((name) => name.startsWith('default_fixed-')));
  const down = await kubeLite('down', '--timeout', '120');
  expect(down.stdout.trim().split('\n').sort()).toEqual(['pod/job removed', 'pod/web removed']);
  await expect(answer('/index.html')).rejects.toThrow();
  // What they wrote goes after they are gone.
  const isFixed = (name: string): boolean => name.startsWith('default_fixed-');
  await eventually('only the static pod has logs', async () => (await logs()).every(isFixed));
  await rm(path);
  await eventually('the static pod is gone', async () => (await logs()).length === 0);
  const pid = await agentPID();
  expect(await kubeLite('down', '--timeout', '120')).toMatchObject({ code: 0, stdout: '' });
  await eventually('the agent is gone', async () => !isRunning(pid));
});

test('what cannot run is refused in one line', async () => {
  const file = join(directory, 'bad.yaml');
  const refused = async (text: string): Promise<string> => {
    await writeFile(file, text);
    const { code, stderr } = await kubeLite('run', '-f', file, '--timeout', '120');
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    return stderr;
  };
  expect(await refused('apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n')).toContain('needs a cluster');
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec: {containers: [{name: c, IMAGE: i}]}\n';
  expect(await refused(pod.replace('IMAGE', 'imagee'))).toContain('unknown field "spec.containers[0].imagee"');
  expect((await kubeLite('logs', 'nobody')).stderr).toContain('there is no pod nobody');
  expect(await refused('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n')).toContain('holds no Pod');
  const failing = pod
    .replace('IMAGE: i', 'image: "busybox:test", command: [/nope]')
    .replace('spec: {', 'spec: {restartPolicy: Never, ');
  expect(await refused(failing)).toMatch(/pod bad (failed|is Pending)/);
  const other = join(directory, 'other.yaml');
  await writeFile(other, pod.replace('IMAGE: i', 'image: "busybox:test"'));
  expect((await kubeLite('run', '-f', other, '--timeout', '120')).stderr).toContain(
    'pod bad is run by another file, bad.yaml',
  );
  const volume = pod.replace('}]}', '}], volumes: [{name: v, hostPath: {path: /etc/passwd, type: Directory}}]}');
  await writeFile(file, volume.replace('IMAGE: i', 'image: "busybox:test"'));
  const reason = 'pod bad is Pending: FailedMount: MountVolume.SetUp failed for volume "v" : hostPath type';
  await eventually('the reason why it waits', async () =>
    (await kubeLite('run', '-f', file, '--timeout', '4')).stderr.includes(reason),
  );
});

async function agentPID(): Promise<number> {
  const { stdout } = await runCommand('sh', [
    '-c',
    'cat /run/kube-lite*/kube-lite.pid /run/kube-lite/*/kube-lite.pid 2>/dev/null',
  ]);
  for (const pid of stdout.split('\n').map(Number)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(dataDir)) return pid;
  }
  throw new Error('no agent runs');
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
