import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildTestImages } from '../images/build.ts';
import { eventually, missingForE2E, runCommand } from './cluster.ts';

const root = join(import.meta.dirname, '../..');
const TRACES = [
  '/usr/local/bin/kube-lite',
  '/var/lib/kube-lite',
  '/etc/kube-lite/kube-lite.yaml',
  '/run/kube-lite',
  '/var/log/kube-lite.log',
  '/etc/systemd/system/kube-lite.service',
];

async function traces(): Promise<string[]> {
  const found = await Promise.all(
    TRACES.map((path) =>
      access(path).then(
        () => path,
        () => undefined,
      ),
    ),
  );
  return found.filter((path) => path !== undefined);
}

const installed = await traces();
const missing =
  (await missingForE2E()) ??
  (installed.length > 0 ? `kube-lite is installed here (${installed.join(', ')})` : undefined);
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const kubectl = async (...args: string[]): Promise<string> => {
  const result = await runCommand('kubectl', ['--kubeconfig', '/etc/kube-lite/kube-lite.yaml', ...args]);
  expect(result, `kubectl ${args.join(' ')}`).toMatchObject({ code: 0 });
  return result.stdout;
};

describe.skipIf(missing !== undefined)('installing, upgrading and removing', () => {
  afterAll(async () => {
    if ((await traces()).length > 0) await runCommand(join(root, 'dist/kube-lite'), ['uninstall', '--yes']);
  });

  test('one command gives a Ready node; run again, it upgrades and pods keep running; uninstall leaves nothing', async () => {
    const before = await hostState();
    const install = (): Promise<unknown> =>
      runCommand(join(root, 'scripts/install.sh'), ['--skip-build']).then((result) =>
        expect(result).toMatchObject({ code: 0 }),
      );
    await install();
    expect(
      await kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}'),
    ).toBe('True');

    await buildTestImages('/var/lib/kube-lite/agent/images');
    await install();
    await kubectl('create', 'deployment', 'kept', '--image=busybox:test', '--', 'sleep', '3600');
    await kubectl('rollout', 'status', 'deployment/kept', '--timeout=120s');
    const container = (): Promise<string> =>
      kubectl('get', 'pods', '-o', 'jsonpath={.items[*].status.containerStatuses[*].containerID}');
    const first = await container();
    expect(first).toMatch(/^containerd:\/\//);
    await install();
    expect(await container()).toBe(first);
    expect(await kubectl('exec', 'deployment/kept', '--', 'echo', 'alive')).toBe('alive\n');

    const supervisor = await readFile('/run/kube-lite/supervisor.pid', 'utf8').catch(() => undefined);
    if (supervisor !== undefined) {
      process.kill(Number(await readFile('/run/kube-lite/kube-lite.pid', 'utf8')), 'SIGKILL');
      await eventually(
        'the supervisor starts it again',
        async () => (await runCommand('kube-lite', ['wait-ready', '--timeout', '1s'])).code === 0,
      );
    }

    expect(await runCommand('/usr/local/bin/kube-lite', ['uninstall', '--yes'])).toMatchObject({ code: 0 });
    expect(await traces()).toEqual([]);
    expect(await hostState()).toEqual(before);
  });
});

/** What kube-lite changes on a host, as far as it could be left behind. */
async function hostState(): Promise<Record<string, string>> {
  const lines = async (command: string): Promise<string> => (await runCommand('sh', ['-c', command])).stdout;
  return {
    mounts: (await readFile('/proc/self/mountinfo', 'utf8'))
      .split('\n')
      .filter((line) => /(\/var\/lib|\/run)\/kube-lite\//.test(line))
      .join('\n'),
    tables: await lines('nft list tables | grep "kube-lite$"'),
    processes: await lines('ls -l /proc/[0-9]*/exe 2>/dev/null | grep -c /var/lib/kube-lite/'),
    forwarding: await lines('sysctl -n net.ipv4.ip_forward'),
    cgroups: await lines('find /sys/fs/cgroup -maxdepth 2 -type d -name kubepods'),
    addresses: await lines('ip -o addr show dev lo | grep 10.43.0.10'),
    routes: await lines('ip route | grep 10.43.0.0/16'),
  };
}
