import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, loadOptions, nthAddress, refuseOwnAddresses, serverConfig, serverOptions } from './index.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'config-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function load(flags: Record<string, unknown>, yaml?: string): Promise<ReturnType<typeof serverConfig>> {
  const file = join(dir, 'config.yaml');
  if (yaml !== undefined) await writeFile(file, yaml);
  const values = await loadOptions({
    specs: serverOptions,
    flags,
    file: yaml === undefined ? join(dir, 'absent') : file,
    fileRequired: false,
  });
  return serverConfig(values, 'Host-1');
}

describe('server configuration', () => {
  test('defaults', async () => {
    const config = await load({});
    expect(config).toMatchObject({
      nodeName: 'host-1',
      port: 6443,
      clusterDNS: ['10.43.0.10'],
      nodePortRange: { first: 30000, last: 32767 },
      historyRetentionMs: 86_400_000,
      paths: {
        suffix: '',
        runDir: '/run/kube-lite',
        kubeconfig: '/etc/kube-lite/kube-lite.yaml',
        cgroupRoot: '/',
        nftTable: 'kube-lite',
      },
    });
  });

  test('every setting is told as text, but for secrets', async () => {
    const { flags } = await load({ token: 'abc', 'event-ttl': '90m', 'tls-san': 'a.example,b.example' });
    expect(flags).toMatchObject({
      token: 'CLASSIFIED',
      'event-ttl': '5400s',
      'tls-san': 'a.example,b.example',
      'service-node-port-range': '30000-32767',
      profiling: 'true',
      'audit-policy-file': '',
    });
    expect(Object.keys(flags)).toHaveLength(serverOptions.length);
  });

  test('another data directory is another instance', async () => {
    const { paths } = await load({ 'data-dir': '/srv/second' });
    expect(paths.suffix).toMatch(/^[0-9a-f]{8}$/);
    expect(paths.nftTable).toBe(`kube-lite-${paths.suffix}`);
    expect(paths.kubeconfig).toBe('/srv/second/kube-lite.yaml');
  });

  test('flags win over the file, lists come from both forms', async () => {
    const config = await load(
      { 'https-listen-port': '7000' },
      'https-listen-port: 8000\ntls-san: [a.example, b.example]\nnode-label: "x=1,y=2"\nevent-ttl: 90m\n',
    );
    expect(config.port).toBe(7000);
    expect(config.tlsSANs).toEqual(['a.example', 'b.example']);
    expect(config.nodeLabels).toEqual({ x: '1', y: '2' });
    expect(config.eventTTLMs).toBe(5_400_000);
  });

  test.each([
    ['unknown key', {}, 'data-dri: /x\n', /config\.yaml:1: unknown key "data-dri"; did you mean "data-dir"\?$/],
    ['unknown flag', { 'no-such-thing-at-all': '1' }, undefined, /^unknown flag --no-such-thing-at-all$/],
    ['half-written file', {}, 'token: "abc\nnode-name: x\n', /config\.yaml:\d+:\d+: Missing closing "quote/],
    ['duplicate key', {}, 'token: a\ntoken: b\n', /config\.yaml:2:1: Map keys must be unique/],
    ['not a mapping', {}, '- a\n', /must be a mapping/],
    ['port out of range', { 'https-listen-port': '70000' }, undefined, /^--https-listen-port: "70000" is not a port/],
    [
      'bad network',
      { 'cluster-cidr': '10.42.0.0' },
      undefined,
      /^--cluster-cidr: "10.42.0.0" is not one or two networks/,
    ],
    ['overlap', { 'cluster-cidr': '10.0.0.0/8' }, undefined, /overlap/],
    [
      'Services without room',
      { 'service-cidr': '10.43.0.0/29' },
      undefined,
      /^--service-cidr 10.43.0.0\/29 is too small/,
    ],
    [
      'Services of a family without pods',
      { 'service-cidr': '10.43.0.0/16,fd43::/112' },
      undefined,
      /^--service-cidr fd43::\/112 is of a family that --cluster-cidr 10.42.0.0\/16 has no network of/,
    ],
    [
      'a DNS address elsewhere',
      { 'cluster-dns': '10.44.0.10' },
      undefined,
      /^--cluster-dns 10.44.0.10 is not in --service-cidr/,
    ],
    [
      'two of one family',
      { 'service-cidr': '10.43.0.0/16,10.44.0.0/16' },
      undefined,
      /^--service-cidr: 10.43.*one family/,
    ],
    ['bad taint', { 'node-taint': 'a=b' }, undefined, /^--node-taint: "a=b" is not key=value:NoSchedule/],
    ['unknown part', { disable: 'traefik' }, undefined, /^--disable: "traefik" is not one of/],
    ['bad node name', { 'node-name': 'a_b' }, undefined, /^--node-name: "a_b" is not a DNS name/],
    ['list for a scalar', {}, 'node-name: x\ntoken: [a, b]\n', /config\.yaml:2: token: \["a","b"\] is not a text$/],
  ])('%s is refused in one line', async (_name, flags, yaml, message) => {
    const failure = await load(flags as Record<string, unknown>, yaml).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect((failure as Error).message).toMatch(message);
    expect((failure as Error).message).not.toContain('\n');
  });

  test('a DNS of somebody else may be anywhere', async () => {
    const config = await load({ 'cluster-dns': '169.254.20.10', disable: 'dns' }, undefined);
    expect(config.clusterDNS).toEqual(['169.254.20.10']);
  });

  test.each([
    [
      ['10.42.7.7'],
      /^this machine's address 10.42.7.7 is in the pod network 10.42.0.0\/16; choose another --cluster-cidr/,
    ],
    [['192.0.2.1', 'fd43::9'], /fd43::9 is in the Service network fd43::\/112; choose another --service-cidr/],
    [['192.0.2.1', '10.43.0.1', 'fd44::1'], undefined],
  ])('a machine at %j', (nodeIPs, message) => {
    const check = () => refuseOwnAddresses({ clusterCIDRs: ['10.42.0.0/16'], serviceCIDRs: ['fd43::/112'] }, nodeIPs);
    if (message === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(message);
  });

  test.each([
    ['10.43.0.0/16', 10, '10.43.0.10'],
    ['10.43.0.0/16', 256, '10.43.1.0'],
    ['fd00:43::/112', 10, 'fd00:43::a'],
  ])('address %s + %i', (cidr, n, expected) => {
    expect(nthAddress(cidr, n)).toBe(expected);
  });
});
