import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { Node } from '../api/generated/types.ts';
import { aborted } from '../base/abort.ts';
import { FakeClock } from '../base/clock.ts';
import type { Exec } from '../base/exec.ts';
import type { FollowCommand } from '../base/follow-command.ts';
import { silentLogger } from '../base/logger.ts';
import { createInformers } from '../client/informers.ts';
import { FakeCluster } from '../client/testing/fake-cluster.ts';
import { detectMTU, detectNodeAddresses } from './detect.ts';
import { createNetwork, type NetworkOptions } from './network.ts';
import type { Sysctls } from './sysctls.ts';
import { macOf } from './vxlan.ts';

/** Answers `ip -json ...` from a table, and notes everything else. */
function fakeIP(shown: Readonly<Record<string, unknown>>): Exec & { commands: string[] } {
  const commands: string[] = [];
  return {
    commands,
    async run(command, args, options) {
      const line = args.join(' ');
      if (args[0] === '-batch') {
        for (const one of String(options?.input).trim().split('\n')) commands.push(`${command} ${one}`);
        return { code: 0, stdout: '', stderr: '' };
      }
      if (args[0] === '-json')
        return { code: 0, stdout: JSON.stringify(shown[args.slice(1).join(' ')] ?? []), stderr: '' };
      if (!['ip', 'bridge'].includes(command)) throw new Error('this host has no firewall');
      commands.push(`${command} ${line}`);
      return { code: 0, stdout: '', stderr: '' };
    },
  };
}

function fakeSysctls(values: Record<string, string>): Sysctls & { values: Record<string, string> } {
  return {
    values,
    read: async (path) => values[path],
    write: async (path, value) => {
      values[path] = value;
    },
  };
}

const dirs: string[] = [];
afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true });
});

const defaultRoute = [{ dst: 'default', dev: 'eth0' }];
const uplink = [
  { ifname: 'lo', mtu: 65_536, addr_info: [{ family: 'inet', local: '127.0.0.1', scope: 'host' }] },
  { ifname: 'docker0', mtu: 1500, addr_info: [{ family: 'inet', local: '172.17.0.1', scope: 'global' }] },
  {
    ifname: 'eth0',
    mtu: 1450,
    addr_info: [
      { family: 'inet', local: '192.0.2.2', scope: 'global' },
      { family: 'inet6', local: 'fe80::1', scope: 'link' },
      { family: 'inet6', local: '2001:db8::2', scope: 'global' },
    ],
  },
];

async function start(
  dir: string,
  more: Partial<NetworkOptions> = {},
  shown: Record<string, unknown> = {},
  settings: Record<string, string> = {},
) {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const exec = fakeIP({ '-4 route show default': defaultRoute, 'addr show': uplink, ...shown });
  const sysctls = fakeSysctls({
    'net/ipv4/ip_forward': '0',
    'net/ipv4/conf/all/route_localnet': '0',
    'fs/inotify/max_user_instances': '128',
    'fs/inotify/max_user_watches': '1000000',
    ...settings,
  });
  const logger = silentLogger;
  const informers = createInformers(cluster.client, { clock, logger });
  const changes: { report: (line: string) => void } = { report: () => {} };
  const follow: FollowCommand = (command, _args, onLine, signal) => {
    if (command === 'ip') changes.report = onLine;
    return aborted(signal);
  };
  const network = createNetwork(
    {
      nodeName: 'n1',
      backend: 'host-gw',
      tunnelDevice: 'kl-test',
      cniConfigDir: join(dir, 'net.d'),
      cniStateDir: join(dir, 'state'),
      clusterCIDRs: ['10.42.0.0/16'],
      serviceCIDRs: ['10.43.0.0/16'],
      nodeAddresses: ['192.0.2.2'],
      localAddresses: ['10.43.0.10'],
      stateFile: join(dir, 'network.json'),
      ...more,
    },
    { informers, exec, clock, logger, sysctls, follow },
  );
  const controller = new AbortController();
  const running = [informers.run(controller.signal, () => {})];
  await new Promise<void>((resolve, reject) => {
    running.push(network.run(controller.signal, resolve));
    running[1]?.catch(reject);
  });
  const stop = () => {
    controller.abort();
    return Promise.all(running);
  };
  const undo = async () => JSON.parse(await readFile(join(dir, 'network.json'), 'utf8')).undo;
  return { cluster, exec, sysctls, clock, stop, undo, changes };
}

async function temporary(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'network-test-'));
  dirs.push(dir);
  return dir;
}

function node(name: string, address: string, podCIDR?: string) {
  const spec = podCIDR === undefined ? {} : { podCIDR, podCIDRs: [podCIDR] };
  return { metadata: { name }, spec, status: { addresses: [{ type: 'InternalIP', address }] } };
}

test('the tunnel is there while there are peers, with an entry for each', async () => {
  const dir = await temporary();
  const { cluster, exec, clock, stop, undo } = await start(dir, {
    backend: 'vxlan',
    serviceCIDRs: [],
    localAddresses: [],
  });
  cluster.add(resources.nodes, node('n1', '192.0.2.2', '10.42.0.0/24'));
  await clock.advance(10);
  expect(exec.commands).toEqual([]);
  cluster.add(resources.nodes, node('n2', '198.51.100.3', '10.42.1.0/24'));
  await clock.advance(10);
  const [own, other] = [macOf(['10.42.0.0/24']), macOf(['10.42.1.0/24'])];
  await expect
    .poll(() => exec.commands.filter((line) => !line.includes('-json')).slice(0, 8))
    .toEqual([
      `ip link add kl-test address ${own} mtu 1400 type vxlan id 1 dstport 8472 local 192.0.2.2 nolearning`,
      'ip addr replace 10.42.0.0/32 dev kl-test',
      'ip link set kl-test up',
      `bridge fdb replace ${other} dev kl-test dst 198.51.100.3`,
      `ip neigh replace 10.42.1.0 lladdr ${other} dev kl-test nud permanent`,
      'ip route replace 10.42.1.0/24 via 10.42.1.0 dev kl-test onlink',
      'ip route replace 198.51.100.3 via 10.42.1.0 onlink dev kl-test table 8472',
      'ip -4 rule add from 10.42.0.0/24 lookup 8472 priority 8472',
    ]);
  const rule = '-4 rule del from 10.42.0.0/24 lookup 8472 priority 8472';
  expect(await undo()).toEqual([rule.split(' '), ['link', 'del', 'kl-test']]);
  cluster.remove(resources.nodes, { name: 'n2' });
  await clock.advance(10);
  await expect.poll(() => exec.commands.at(-1)).toBe('ip link del kl-test');
  await stop();
});

test('a tunnel over IPv4 carries both families', async () => {
  const { cluster, exec, clock, stop } = await start(await temporary(), {
    backend: 'vxlan',
    serviceCIDRs: [],
    localAddresses: [],
  });
  const dual = (name: string, address: string, index: number) => ({
    metadata: { name },
    spec: { podCIDRs: [`10.42.${index}.0/24`, `fd42:0:0:${index}::/64`] },
    status: {
      addresses: [
        { type: 'InternalIP', address },
        { type: 'InternalIP', address: `2001:db8::${index}` },
      ],
    },
  });
  cluster.add(resources.nodes, dual('n1', '192.0.2.2', 1));
  cluster.add(resources.nodes, dual('n2', '198.51.100.3', 2));
  await clock.advance(10);
  const mac = macOf(['10.42.2.0/24', 'fd42:0:0:2::/64']);
  await expect
    .poll(() => exec.commands)
    .toContain('ip route replace 2001:db8::2 via fd42:0:0:2:: onlink dev kl-test table 8472');
  expect(exec.commands).toContain('ip route replace fd42:0:0:2::/64 via fd42:0:0:2:: dev kl-test onlink');
  expect([...new Set(exec.commands.filter((line) => line.includes('fdb replace')))]).toEqual([
    `bridge fdb replace ${mac} dev kl-test dst 198.51.100.3`,
  ]);
  await stop();
});

test.each([
  ['IPv4', '192.0.2.2', { local: '192.0.2.2' }, 1400],
  ['IPv6', '2001:DB8::2', { local6: '2001:db8::2' }, 1380],
])('a tunnel over %s that is right stays', async (_, address, info, mtu) => {
  const isIPv6 = address.includes(':');
  const cidr = (index: number): string => (isIPv6 ? `fd42:0:0:${index}::/64` : `10.42.${index}.0/24`);
  const tunnel = { ifname: 'kl-test', address: macOf([cidr(0)]), mtu, linkinfo: { info_data: info } };
  const more = { backend: 'vxlan', serviceCIDRs: [], localAddresses: [], nodeAddresses: [address] } as const;
  const { cluster, exec, clock, stop } = await start(await temporary(), more, { '-details link show': [tunnel] });
  cluster.add(resources.nodes, node('n1', address, cidr(0)));
  cluster.add(resources.nodes, node('n2', isIPv6 ? '2001:db8::3' : '192.0.2.3', cidr(1)));
  await clock.advance(10);
  await expect.poll(() => exec.commands).toContain('ip link set kl-test up');
  expect(exec.commands.filter((line) => /^ip link (add|del)/.test(line))).toEqual([]);
  await stop();
});

describe('network', () => {
  test('puts back what somebody else has taken away', async () => {
    const { cluster, exec, clock, stop, changes } = await start(await temporary(), { localAddresses: [] });
    cluster.add(resources.nodes, node('n1', '192.0.2.2', '10.42.0.0/24'));
    cluster.add(resources.nodes, node('n2', '192.0.2.3', '10.42.1.0/24'));
    await clock.advance(10);
    await expect.poll(() => exec.commands).toContain('ip route replace 10.42.1.0/24 via 192.0.2.3');
    exec.commands.length = 0;
    changes.report('Deleted 10.42.0.7 dev veth1 scope host');
    await clock.advance(10);
    expect(exec.commands).toEqual([]);
    changes.report('Deleted 10.42.1.0/24 via 192.0.2.3 dev eth0');
    await clock.advance(10);
    await expect.poll(() => exec.commands).toContain('ip route replace 10.42.1.0/24 via 192.0.2.3');
    await stop();
  });

  test('has a route to each ServiceCIDR as long as it is there', async () => {
    const { cluster, exec, clock, stop, undo } = await start(await temporary(), { localAddresses: [] });
    cluster.add(resources.servicecidrs, { metadata: { name: 'more' }, spec: { cidrs: ['10.44.0.0/24'] } });
    await clock.advance(10);
    await expect.poll(() => exec.commands).toContain('ip -4 route replace 10.44.0.0/24 dev lo src 192.0.2.2');
    cluster.remove(resources.servicecidrs, { name: 'more' });
    await clock.advance(10);
    await expect.poll(() => exec.commands).toContain('ip -4 route del 10.44.0.0/24 dev lo');
    await expect.poll(undo).toEqual([['-4', 'route', 'del', '10.43.0.0/16', 'dev', 'lo']]);
    await stop();
  });

  test('prepares the host and notes how it was', async () => {
    const dir = await temporary();
    const { exec, sysctls, stop, undo } = await start(dir);
    expect(sysctls.values).toEqual({
      'net/ipv4/ip_forward': '1',
      'net/ipv4/conf/all/route_localnet': '1',
      'fs/inotify/max_user_instances': '8192',
      'fs/inotify/max_user_watches': '1000000',
    });
    expect(exec.commands).toEqual([
      'ip -4 route replace 10.43.0.0/16 dev lo src 192.0.2.2',
      'ip addr add 10.43.0.10/32 dev lo scope host',
    ]);
    expect(await undo()).toEqual([
      ['addr', 'del', '10.43.0.10/32', 'dev', 'lo'],
      ['-4', 'route', 'del', '10.43.0.0/16', 'dev', 'lo'],
    ]);
    const { sysctls: before } = JSON.parse(await readFile(join(dir, 'network.json'), 'utf8'));
    expect(before).toEqual({
      'net/ipv4/ip_forward': '0',
      'net/ipv4/conf/all/route_localnet': '0',
      'fs/inotify/max_user_instances': '128',
    });
    await stop();
  });

  test('a host that learns its routes from a router goes on with that when it forwards IPv6', async () => {
    const dir = await temporary();
    const accept = 'net/ipv6/conf/eth0/accept_ra';
    const forwarding = 'net/ipv6/conf/all/forwarding';
    const more = { clusterCIDRs: ['fd42::/56'], serviceCIDRs: [], localAddresses: [], nodeAddresses: ['2001:db8::2'] };
    const { sysctls, stop } = await start(dir, more, {}, { [forwarding]: '0', [accept]: '1' });
    expect(sysctls.values).toMatchObject({ [forwarding]: '1', [accept]: '2' });
    // Notes are made in the order of the changes.
    const { sysctls: before } = JSON.parse(await readFile(join(dir, 'network.json'), 'utf8'));
    expect(Object.keys(before).filter((path) => path.includes('ipv6'))).toEqual([accept, forwarding]);
    await stop();
  });

  test('connections of Services are remembered as long as upstream does', async () => {
    const tracking = 'net/netfilter/nf_conntrack';
    const { sysctls, stop } = await start(
      await temporary(),
      { trackingProcessors: 8 },
      {},
      {
        [`${tracking}_max`]: '65536',
        [`${tracking}_tcp_timeout_established`]: '432000',
        [`${tracking}_tcp_timeout_close_wait`]: '60',
      },
    );
    expect(sysctls.values).toMatchObject({
      [`${tracking}_max`]: '262144',
      [`${tracking}_tcp_timeout_established`]: '86400',
      [`${tracking}_tcp_timeout_close_wait`]: '3600',
    });
    await stop();
  });

  test('Services of IPv6 have a route by the interface of the node, also where there was one by the loopback', async () => {
    const dir = await temporary();
    const old = ['-6', 'route', 'del', 'fd43::/112', 'dev', 'lo'];
    await writeFile(join(dir, 'network.json'), JSON.stringify({ undo: [old] }));
    const more = { serviceCIDRs: ['fd43::/112'], localAddresses: [], nodeAddresses: ['2001:db8::2'] };
    const { exec, stop, undo } = await start(dir, more, {
      '-6 route show exact fd43::/112': [{ dst: 'fd43::/112', dev: 'lo' }],
    });
    expect(exec.commands).toEqual([`ip ${old.join(' ')}`, 'ip -6 route replace fd43::/112 dev eth0 src 2001:db8::2']);
    expect(await undo()).toEqual([['-6', 'route', 'del', 'fd43::/112', 'dev', 'eth0']]);
    await stop();
  });

  test('leaves a route of somebody else alone', async () => {
    const dir = await temporary();
    const { exec, stop } = await start(
      dir,
      { localAddresses: [] },
      { '-4 route show exact 10.43.0.0/16': [{ dst: '10.43.0.0/16', dev: 'eth1' }] },
    );
    expect(exec.commands).toEqual([]);
    await stop();
  });

  test('writes the CNI configuration when the node has its pod CIDR, and keeps it', async () => {
    const dir = await temporary();
    const { cluster, clock, stop } = await start(dir);
    cluster.add(resources.nodes, node('n1', '192.0.2.2'));
    await clock.advance(10);
    await expect(readdir(join(dir, 'net.d'))).rejects.toThrow('ENOENT');
    cluster.change<Node>(resources.nodes, { name: 'n1' }, (object) => {
      object.spec = { podCIDR: '10.42.3.0/24', podCIDRs: ['10.42.3.0/24'] };
    });
    await clock.advance(10);
    await expect.poll(() => readdir(join(dir, 'net.d')).catch(() => [])).toEqual(['10-kube-lite.conflist']);
    const config = JSON.parse(await readFile(join(dir, 'net.d/10-kube-lite.conflist'), 'utf8'));
    expect(config.plugins).toEqual([
      {
        type: 'kube-lite',
        mtu: 1450,
        dataDir: join(dir, 'state'),
        ranges: ['10.42.3.0/24'],
        capabilities: { bandwidth: true },
      },
    ]);
    await stop();
    expect(await readdir(join(dir, 'net.d'))).toHaveLength(1);
  });

  test.each([
    ['host-gw', ['-4 rule del from 10.42.0.0/24 lookup 8472 priority 8472', 'link del kl-test']],
    ['vxlan', ['route del 10.42.1.0/24 via 192.0.2.3']],
    [
      'none',
      [
        '-4 rule del from 10.42.0.0/24 lookup 8472 priority 8472',
        'link del kl-test',
        'route del 10.42.1.0/24 via 192.0.2.3',
      ],
    ],
  ] as const)('what other backends have made goes when the backend is %s', async (backend, expected) => {
    const dir = await temporary();
    const left = [
      '-4 rule del from 10.42.0.0/24 lookup 8472 priority 8472',
      'link del kl-test',
      'route del 10.42.1.0/24 via 192.0.2.3',
    ];
    await writeFile(join(dir, 'network.json'), JSON.stringify({ undo: left.map((line) => line.split(' ')) }));
    const { exec, stop } = await start(dir, { backend, serviceCIDRs: [], localAddresses: [] });
    expect(exec.commands).toEqual(expected.map((line) => `ip ${line}`));
    await stop();
  });

  test('routes to the pods of other nodes, also after a restart', async () => {
    const dir = await temporary();
    const gone = ['route', 'del', '10.42.9.0/24', 'via', '192.0.2.9'];
    await writeFile(join(dir, 'network.json'), JSON.stringify({ undo: [gone] }));
    const { cluster, exec, clock, stop, undo } = await start(dir, { serviceCIDRs: [], localAddresses: [] });
    cluster.add(resources.nodes, node('n1', '192.0.2.2', '10.42.0.0/24'));
    cluster.add(resources.nodes, node('n2', '192.0.2.3', '10.42.1.0/24'));
    await clock.advance(10);
    await expect.poll(() => exec.commands).toContain('ip route replace 10.42.1.0/24 via 192.0.2.3');
    expect(exec.commands).toContain('ip route del 10.42.9.0/24 via 192.0.2.9');
    cluster.remove(resources.nodes, { name: 'n2' });
    await clock.advance(10);
    await expect.poll(() => exec.commands.at(-1)).toBe('ip route del 10.42.1.0/24 via 192.0.2.3');
    await expect.poll(undo).toEqual([]);
    await stop();
  });
});

test.each([
  [
    'the default route',
    { '-4 route show default': defaultRoute, '-6 route show default': defaultRoute },
    ['192.0.2.2', '2001:db8::2'],
  ],
  [
    'the best of several',
    {
      '-4 route show default': [
        { dst: 'default', dev: 'eth0', metric: 100 },
        { dst: 'default', dev: 'docker0', metric: 50 },
      ],
    },
    ['172.17.0.1'],
  ],
  [
    'its source address',
    { '-4 route show default': [{ dst: 'default', dev: 'eth0', prefsrc: '192.0.2.77' }] },
    ['192.0.2.77'],
  ],
  ['no default route', {}, ['172.17.0.1']],
  ['nothing at all', { 'addr show': [] }, ['127.0.0.1']],
  [
    'not one that is gone tomorrow, or that another machine has',
    {
      '-6 route show default': defaultRoute,
      'addr show': [
        {
          ifname: 'eth0',
          mtu: 1500,
          addr_info: [
            { family: 'inet6', local: '2001:db8::a', scope: 'global', dadfailed: true, tentative: true },
            { family: 'inet6', local: '2001:db8::b', scope: 'global', temporary: true },
            { family: 'inet6', local: '2001:db8::c', scope: 'global', mngtmpaddr: true },
          ],
        },
      ],
    },
    ['2001:db8::c'],
  ],
])('node addresses: %s', async (_, shown, expected) => {
  expect(await detectNodeAddresses(fakeIP({ 'addr show': uplink, ...shown }))).toEqual(expected);
});

test.each<[string, string[], Record<string, unknown>, number]>([
  ['of the interface with the address of the node', ['172.17.0.1'], { '-4 route show default': defaultRoute }, 1500],
  ['the smaller one of two', ['172.17.0.1', '2001:db8::2'], {}, 1450],
  [
    'of the default route, where the address is on no interface',
    ['203.0.113.9'],
    { '-6 route show default': defaultRoute },
    1450,
  ],
  ['that of Ethernet, where nothing is known', ['203.0.113.9'], {}, 1500],
])('MTU: %s', async (_, addresses, shown, expected) => {
  expect(await detectMTU(fakeIP({ 'addr show': uplink, ...shown }), addresses)).toBe(expected);
});
