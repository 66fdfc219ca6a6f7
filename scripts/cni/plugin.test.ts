import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { execOutput, systemExec } from '../../pkg/base/exec.ts';
import { buildCNIPlugin } from './build.ts';

const HOST = `kl-cni-${process.pid}-host`;
const POD = `kl-cni-${process.pid}-pod`;

interface Result {
  readonly code?: number;
  readonly msg?: string;
  readonly interfaces?: readonly { name: string; mac: string; sandbox?: string }[];
  readonly ips?: readonly { interface: number; address: string; gateway?: string; version?: string }[];
  readonly routes?: readonly { dst: string }[];
  readonly supportedVersions?: readonly string[];
}

let dir: string;
let state: string;

function config(more: object = {}): object {
  const ranges = ['10.77.0.0/29', 'fd77::/64'];
  return { cniVersion: '1.0.0', name: 'pods', type: 'kube-lite', mtu: 1400, dataDir: state, ranges, ...more };
}

function inside(namespace: string, command: string): Promise<string> {
  return execOutput(systemExec, 'nsenter', [`--net=/run/netns/${namespace}`, 'sh', ['-ec', command]].flat());
}

/** What the plugin prints; undefined: nothing. `input` is the configuration, or a text that is none. */
async function call(
  command: string,
  input: object | string = config(),
  env: Record<string, string> = {},
): Promise<Result> {
  const variables = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: 'c1',
    CNI_IFNAME: 'eth0',
    CNI_NETNS: `/run/netns/${POD}`,
    CNI_PATH: dir,
    ...env,
  };
  const words = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const args = [`--net=/run/netns/${HOST}`, 'env', ...words, join(dir, 'kube-lite')];
  const text = typeof input === 'string' ? input : JSON.stringify(input);
  const { code, stdout } = await systemExec.run('nsenter', args, { input: text });
  const result = (stdout === '' ? {} : JSON.parse(stdout)) as Result;
  expect(code, stdout).toBe(result.code === undefined ? 0 : 1);
  return result;
}

const given = async (): Promise<string[]> =>
  (await readdir(join(state, 'pods'))).filter((name) => /^[\da-f]*[.:][\d.:a-f]+$/.test(name)).sort();

const root = process.getuid?.() === 0;

describe.skipIf(!root)('the CNI plugin', () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cni-'));
    buildCNIPlugin(join(dir, 'kube-lite'));
  });
  afterAll(() => rm(dir, { recursive: true }));
  beforeEach(async () => {
    state = await mkdtemp(join(dir, 'state-'));
    for (const name of [HOST, POD]) await execOutput(systemExec, 'ip', ['netns', 'add', name]);
  });
  afterEach(async () => {
    for (const name of [HOST, POD]) await systemExec.run('ip', ['netns', 'del', name]);
  });

  test('connects a pod, checks it and takes all back, also a second time', async () => {
    const { interfaces, ips, routes } = await call('ADD');
    expect(interfaces).toEqual([
      { name: expect.stringMatching(/^veth[\da-f]{8}$/), mac: expect.any(String) },
      { name: 'eth0', mac: expect.any(String), sandbox: `/run/netns/${POD}` },
    ]);
    expect(ips).toEqual([
      { interface: 1, address: '10.77.0.2/29', gateway: '10.77.0.1' },
      { interface: 1, address: 'fd77::2/64', gateway: 'fd77::1' },
    ]);
    expect(routes).toEqual([{ dst: '0.0.0.0/0' }, { dst: '::/0' }]);
    expect((await inside(POD, 'ip route; ip -6 route | grep fd77')).split(/ *\n/)).toEqual([
      'default via 10.77.0.1 dev eth0',
      '10.77.0.0/29 via 10.77.0.1 dev eth0 src 10.77.0.2',
      '10.77.0.1 dev eth0 scope link src 10.77.0.2',
      'fd77::1 dev eth0 src fd77::2 metric 1024 pref medium',
      'fd77::/64 via fd77::1 dev eth0 src fd77::2 metric 1024 pref medium',
      'default via fd77::1 dev eth0 metric 1024 pref medium',
      '',
    ]);
    expect(await inside(POD, 'ip link show eth0')).toContain('mtu 1400');
    expect(await inside(HOST, 'ip route')).toMatch(/^10\.77\.0\.2 dev veth[\da-f]{8} scope host/);
    expect(await inside(HOST, 'ip addr')).toMatch(/10\.77\.0\.1\/32[\s\S]*fd77::1\/128/);
    expect(await readFile(join(state, 'pods/10.77.0.2'), 'utf8')).toBe('c1\r\neth0');
    expect(await call('CHECK')).toEqual({});
    for (let time = 0; time < 2; time++) {
      expect(await call('DEL')).toEqual({});
      expect(await given()).toEqual([]);
      expect(await inside(HOST, 'ip link show type veth')).toBe('');
    }
    expect(await call('CHECK')).toMatchObject({ code: 102 });
  });

  test('an address is given away again only after all others, and none is an error', async () => {
    await call('ADD');
    await call('DEL');
    const names = ['10.77.0.2', '10.77.0.3', '10.77.0.4', '10.77.0.5', '10.77.0.6'];
    for (const address of ['10.77.0.3/29', '10.77.0.4/29', '10.77.0.5/29', '10.77.0.6/29', '10.77.0.2/29']) {
      const id = { CNI_CONTAINERID: `pod-${address}`, CNI_IFNAME: `eth${address.slice(8, 9)}` };
      expect((await call('ADD', config({ ranges: ['10.77.0.0/29'] }), id)).ips).toMatchObject([{ address }]);
      await inside(POD, `ip link del ${id.CNI_IFNAME}`);
    }
    expect(await given()).toEqual(names);
    expect(await call('ADD')).toEqual({
      cniVersion: '1.0.0',
      code: 100,
      msg: 'failed to allocate for range 0: no IP addresses available in range set: 10.77.0.1-10.77.0.6',
    });
    expect(await given()).toEqual(names);
  });

  test('goes on from what the plugin host-local has noted', async () => {
    await mkdir(join(state, 'pods'));
    for (const [name, text] of [
      ['10.77.0.2', 'old\r\neth0'],
      ['last_reserved_ip.0', '10.77.0.6'],
    ] as const)
      await writeFile(join(state, 'pods', name), text);
    expect((await call('ADD')).ips?.[0]?.address).toBe('10.77.0.3/29');
    // Its network namespace went with a restart of the machine.
    await call('DEL', config(), { CNI_CONTAINERID: 'old', CNI_NETNS: '/run/netns/gone' });
    await call('DEL', config(), { CNI_CONTAINERID: 'other', CNI_NETNS: '' });
    expect(await given()).toEqual(['10.77.0.3', 'fd77::2']);
  });

  test('leaves nothing of what could not be done', async () => {
    await inside(POD, 'ip link add eth0 type veth peer name other');
    expect(await call('ADD')).toMatchObject({ code: 101, msg: 'cannot make the interface eth0: File exists' });
    expect(await given()).toEqual([]);
    expect(await inside(HOST, 'ip link show type veth')).toBe('');
    expect(await call('ADD', config(), { CNI_NETNS: '/run/netns/gone' })).toMatchObject({
      code: 5,
      msg: 'failed to open netns "/run/netns/gone": No such file or directory',
    });
  });

  test('leaves limits of bandwidth to their plugin, with the result so far', async () => {
    const seen = join(state, 'seen');
    // As containerd has it: all at once.
    const limits = { IngressRate: 7_000_000, IngressBurst: 4_294_967_295, egressRate: 900_000, egressBurst: 100 };
    const limited = config({ runtimeConfig: { bandwidth: limits } });
    const answer = '{"cniVersion":"1.0.0","interfaces":[]}';
    await writeFile(join(dir, 'bandwidth'), `#!/bin/sh\ncat >${seen}\n[ $CNI_COMMAND = DEL ] || echo '${answer}'\n`, {
      mode: 0o755,
    });
    expect(await call('ADD', limited)).toEqual(JSON.parse(answer));
    expect(JSON.parse(await readFile(seen, 'utf8'))).toMatchObject({
      cniVersion: '1.0.0',
      name: 'pods',
      type: 'bandwidth',
      runtimeConfig: {
        bandwidth: { ingressRate: 7_000_000, ingressBurst: 1_750_000, egressRate: 900_000, egressBurst: 100 },
      },
      prevResult: { ips: [{ address: '10.77.0.2/29' }, { address: 'fd77::2/64' }] },
    });
    expect(await call('DEL', limited)).toEqual({});
    expect(JSON.parse(await readFile(seen, 'utf8'))).not.toHaveProperty('prevResult');
    await writeFile(join(dir, 'bandwidth'), `#!/bin/sh\ncat >/dev/null\necho '{"code":999,"msg":"no"}'; exit 1\n`);
    expect(await call('ADD', limited)).toEqual({ code: 999, msg: 'no' });
    expect(await given()).toEqual([]);
    expect(await inside(HOST, 'ip link show type veth')).toBe('');
  });

  test('switches the loopback interface on', async () => {
    const loopback = { cniVersion: '0.3.1', name: 'cni-loopback', type: 'loopback' };
    expect(await call('CHECK', loopback, { CNI_IFNAME: 'lo' })).toMatchObject({ msg: 'loopback interface is down' });
    const { ips } = await call('ADD', loopback, { CNI_IFNAME: 'lo' });
    expect(ips?.[0]).toEqual({ version: '4', interface: 0, address: '127.0.0.1/8' });
    expect(await call('CHECK', loopback, { CNI_IFNAME: 'lo' })).toEqual({});
    expect(await call('DEL', loopback, { CNI_IFNAME: 'lo', CNI_NETNS: '' })).toEqual({});
  });

  test.each<[string, string, object | string, Record<string, string>, object]>([
    ['no command', '', {}, {}, { code: 4, msg: 'required env variables [CNI_COMMAND] missing' }],
    ['another command', 'GC', {}, {}, { code: 4, msg: 'unknown CNI_COMMAND: GC' }],
    ['no namespace', 'ADD', {}, { CNI_NETNS: '' }, { code: 4, msg: 'required env variables [CNI_NETNS] missing' }],
    ['no JSON', 'ADD', '{"cniVersion":"1.0.0",}', {}, { code: 6 }],
    ['a string without an end', 'ADD', '{"name":"', {}, { code: 6 }],
    ['many brackets', 'ADD', '['.repeat(100_000), {}, { code: 6 }],
    ['another version', 'ADD', { cniVersion: '2.0.0' }, {}, { code: 1 }],
    ['a name that is a path', 'ADD', { cniVersion: '1.0.0', name: '../x', dataDir: '/x' }, {}, { code: 7 }],
    ['no directory', 'ADD', { cniVersion: '1.0.0', name: 'x' }, {}, { code: 7 }],
    ['no range', 'ADD', { cniVersion: '1.0.0', name: 'x', dataDir: '/x', ranges: [] }, {}, { code: 7 }],
    [
      'a range that is none',
      'ADD',
      { cniVersion: '1.0.0', name: 'x', dataDir: '/x', ranges: ['10.0.0.0/31'] },
      {},
      { code: 7 },
    ],
  ])('refuses %s', async (_, command, input, env, expected) => {
    expect(await call(command, input, env)).toMatchObject(expected);
  });

  test('says which versions of the specification it has', async () => {
    expect(await call('VERSION')).toEqual({
      cniVersion: '1.0.0',
      supportedVersions: ['0.3.0', '0.3.1', '0.4.0', '1.0.0'],
    });
  });
});
