import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../pkg/base/testing/free-port.ts';
import { Cluster, eventually, missingForE2E, runCommand } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

describe.skipIf(missing !== undefined)('stock kubectl', () => {
  let cluster: Cluster;
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kubectl-'));
    cluster = await Cluster.start();
    await cluster.apply(TALKER);
    await cluster.ok(['wait', '--for=condition=Ready', 'pod/talker', '--timeout=120s']);
    await cluster.logs(['talker'], (text) => expect(text).toContain('line 1'));
  });
  afterAll(() =>
    endAll(
      () => cluster?.remove(),
      () => rm(dir, { recursive: true }),
    ),
  );

  /** Collects what a kubectl prints until `until` matches; then ends it. */
  async function collect(args: readonly string[], until: RegExp, input?: string): Promise<string> {
    const child = cluster.spawnKubectl(args);
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      output += chunk;
    });
    if (input !== undefined) child.stdin?.write(input);
    try {
      await eventually(`kubectl ${args.join(' ')} prints ${until}; so far: ${output}`, async () => until.test(output));
    } finally {
      child.kill('SIGKILL');
    }
    return output;
  }

  test('logs: whole, tail, since, follow, previous', async () => {
    expect(await cluster.ok(['logs', 'talker', '-c', 'main', '--tail=1'])).toMatch(/^line \d+\n$/);
    expect(await cluster.ok(['logs', 'talker', '--limit-bytes=4'])).toBe('line');
    expect(await cluster.ok(['logs', 'talker', '--timestamps', '--tail=1'])).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:.]+Z line \d+\n$/,
    );
    expect(await collect(['logs', '-f', 'talker', '--tail=1'], /line \d+\nline \d+\n/)).toContain('line');
    const none = await cluster.kubectl(['logs', 'talker', '--previous']);
    expect(none.stderr).toContain('previous terminated container "main" in pod "talker" not found');
  });

  test('exec with input, exit codes and a terminal', async () => {
    expect(await cluster.ok(['exec', '-i', 'talker', '--', 'cat'], 'through\n')).toBe('through\n');
    const failed = await cluster.kubectl(['exec', 'talker', '--', 'sh', '-c', 'echo oops >&2; exit 7']);
    expect(failed).toMatchObject({ code: 7, stderr: expect.stringContaining('oops') });
    const terminal = await runCommand('script', [
      '-qec',
      `kubectl --kubeconfig ${cluster.kubeconfig} exec -it talker -- sh -c 'tty; stty size'`,
      '/dev/null',
    ]);
    expect(terminal.stdout).toMatch(/\/dev\/(pts\/\d+|console)/);
    const big = 'x'.repeat(1_000_000);
    expect((await cluster.ok(['exec', '-i', 'talker', '--', 'wc', '-c'], big)).trim()).toBe('1000000');
  });

  test('attach', async () => {
    expect(await collect(['attach', 'talker', '-c', 'main'], /line \d+\nline \d+\n/)).toContain('line');
  });

  test('port-forward', async () => {
    const port = await freePort();
    const child = cluster.spawnKubectl(['port-forward', 'pod/talker', `${port}:8080`]);
    try {
      await eventually('forwarded', async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/hello.txt`, { headers: { connection: 'close' } });
        return (await answer.text()) === 'hello\n';
      });
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('cp in both directions', async () => {
    const file = join(dir, 'file.bin');
    const bytes = Buffer.alloc(300_000, 'kube-lite ');
    await writeFile(file, bytes);
    await cluster.ok(['cp', file, 'talker:/tmp/file.bin', '-c', 'main']);
    await cluster.ok(['cp', 'talker:/tmp/file.bin', join(dir, 'back.bin'), '-c', 'main']);
    expect((await readFile(join(dir, 'back.bin'))).equals(bytes)).toBe(true);
  });

  test('describe and explain', async () => {
    const pod = await cluster.ok(['describe', 'pod', 'talker']);
    for (const part of [
      'Name:             talker',
      'Node:             e2e-node/',
      'Status:           Running',
      'Started    ',
    ])
      expect(pod).toContain(part);
    expect(pod).toMatch(/^ {2}Ready +True/m);
    expect(await cluster.ok(['describe', 'node', 'e2e-node'])).toContain('Allocated resources:');
    const explained = await cluster.ok(['explain', 'deployment.spec.strategy.rollingUpdate']);
    expect(explained).toMatch(/FIELDS:\s+maxSurge\s+<IntOrString>/);
    expect((await cluster.kubectl(['explain', 'pod.spec.nothing'])).stderr).toContain('field "nothing" does not exist');
  });

  test('apply, diff, edit and every type of patch', async () => {
    const manifest = (color: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: edited}\ndata: {color: ${color}, other: x}\n`;
    await cluster.apply(manifest('red'));
    expect(await cluster.ok(['apply', '-f', '-'], manifest('red'))).toBe('configmap/edited unchanged\n');
    const diff = await cluster.kubectl(['diff', '-f', '-'], manifest('blue'));
    expect(diff.code).toBe(1);
    expect(diff.stdout).toMatch(/-\s+color: red\n\+\s+color: blue/);
    expect(await cluster.apply(manifest('blue'))).toBe('configmap/edited configured\n');

    const edited = await runCommand('kubectl', ['--kubeconfig', cluster.kubeconfig, 'edit', 'configmap', 'edited'], {
      env: { KUBE_EDITOR: 'sed -i s/blue/black/', HOME: dir },
    });
    expect(edited).toMatchObject({ code: 0, stdout: 'configmap/edited edited\n' });
    await cluster.ok([
      'patch',
      'configmap',
      'edited',
      '--type=json',
      '-p',
      '[{"op":"add","path":"/data/json","value":"1"},{"op":"remove","path":"/data/other"}]',
    ]);
    await cluster.ok(['patch', 'configmap', 'edited', '--type=merge', '-p', '{"data":{"merge":"2","color":null}}']);
    await cluster.ok(['patch', 'configmap', 'edited', '--type=strategic', '-p', '{"data":{"strategic":"3"}}']);
    await cluster.ok(
      ['apply', '--server-side', '--field-manager=tester', '-f', '-'],
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: edited}\ndata: {applied: "4"}\n',
    );
    const { data } = await cluster.get<{ data: Record<string, string> }>('configmap', 'edited');
    expect(data).toEqual({ json: '1', merge: '2', strategic: '3', applied: '4' });
    const conflict = await cluster.kubectl(
      ['apply', '--server-side', '--field-manager=other', '-f', '-'],
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: edited}\ndata: {applied: "5"}\n',
    );
    expect(conflict.stderr).toContain('conflict with "tester": .data.applied');
  });

  test('get -w and wait', async () => {
    const watching = collect(['get', 'configmap', '-w', '--no-headers'], /watched\s+1/);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await cluster.ok(['create', 'configmap', 'watched', '--from-literal=a=b']);
    expect(await watching).toMatch(/watched\s+1/);
    // It has to have begun to wait before the object goes.
    await eventually('the end is waited for', async () => {
      const name = `brief-${Date.now()}`;
      await cluster.ok(['create', 'configmap', name]);
      const late = cluster.kubectl(['wait', '--for=delete', `configmap/${name}`, '--timeout=60s']);
      await cluster.ok(['delete', 'configmap', name]);
      return (await late).code === 0;
    });
    await cluster.ok(['delete', 'configmap', 'watched']);
  });

  test('delete with finalizers and with grace', async () => {
    await cluster.apply('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.com/hold]}\n');
    await cluster.ok(['delete', 'configmap', 'held', '--wait=false']);
    const held = await cluster.get<{ metadata: { deletionTimestamp?: string } }>('configmap', 'held');
    expect(held.metadata.deletionTimestamp).toBeDefined();
    await cluster.ok(['patch', 'configmap', 'held', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    await cluster.ok(['wait', '--for=delete', 'configmap/held', '--timeout=120s']);

    await cluster.apply(STUBBORN);
    await cluster.ok(['wait', '--for=condition=Ready', 'pod/stubborn', '--timeout=120s']);
    const started = Date.now();
    await cluster.ok(['delete', 'pod', 'stubborn', '--grace-period=2']);
    expect(Date.now() - started).toBeGreaterThan(1900);
    expect((await cluster.kubectl(['get', 'pod', 'stubborn'])).stderr).toContain('pods "stubborn" not found');
  });
});

const TALKER = `
apiVersion: v1
kind: Pod
metadata:
  name: talker
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:test
    command: [sh, -c, "mkdir -p /www; echo hello >/www/hello.txt; httpd -p 8080 -h /www; i=0; while true; do echo line $i; i=$((i+1)); sleep 0.3; done"]
`;

const STUBBORN = `
apiVersion: v1
kind: Pod
metadata:
  name: stubborn
spec:
  containers:
  - name: main
    image: busybox:test
    command: [sh, -c, "trap '' TERM; touch /tmp/stubborn; while true; do sleep 1; done"]
    readinessProbe: {exec: {command: [cat, /tmp/stubborn]}, periodSeconds: 1}
`;
