import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Exec } from '../base/exec.ts';
import { silentLogger } from '../base/logger.ts';
import { ensureLetThrough } from './foreign-firewall.ts';
import { HostState } from './host-state.ts';
import { procSysctls } from './sysctls.ts';

const dirs: string[] = [];
afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true });
});

interface Host {
  /** Lines of `iptables -S`. Without: iptables is not there. */
  readonly rules?: string[];
  /** Sources of firewalld's trusted zone. Without: firewalld is not there. */
  readonly trusted?: string[];
}

function exec({ rules, trusted }: Host): Exec {
  const result = (code: number, stdout = '') => Promise.resolve({ code, stdout, stderr: '' });
  const iptables = ([, , verb = '', chain = '', ...rule]: readonly string[], all: string[]) => {
    const line = `-A ${chain} ${rule.join(' ')}`;
    if (verb === '-S') return result(0, all.filter((text) => text.split(' ')[1] === chain).join('\n'));
    if (verb === '-C') return result(all.includes(line) ? 0 : 1);
    all.push(line);
    return result(0);
  };
  const firewalld = ([first = '', second = '']: readonly string[], sources: string[]) => {
    const [verb = '', cidr = ''] = second.split('=');
    if (first === '--state') return result(0);
    if (verb === '--query-source') return result(sources.includes(cidr) ? 0 : 1);
    sources.push(cidr);
    return result(0);
  };
  return {
    run(program, args) {
      if (program === 'iptables' && rules !== undefined) return iptables(args, rules);
      if (program === 'firewall-cmd' && trusted !== undefined) return firewalld(args, trusted);
      return Promise.reject(new Error('no such command'));
    },
  };
}

const rule = (match: string) => `${match} -m comment --comment kube-lite -j ACCEPT`;
const FORWARDED = [rule('FORWARD -s 10.42.0.0/16'), rule('FORWARD -d 10.42.0.0/16')];
const OPEN = ['-P INPUT ACCEPT', '-P FORWARD ACCEPT'];

test.each<[name: string, host: Host, rules: readonly string[], trusted: readonly string[]]>([
  ['Docker', { rules: ['-P INPUT ACCEPT', '-P FORWARD DROP', '-A FORWARD -j DOCKER-USER'] }, FORWARDED, []],
  ['ufw', { rules: ['-P INPUT DROP', '-P FORWARD DROP'] }, [...FORWARDED, rule('INPUT -s 10.42.0.0/16')], []],
  [
    'a rule that rejects',
    { rules: [...OPEN, '-A FORWARD -j REJECT --reject-with icmp-port-unreachable'] },
    FORWARDED,
    [],
  ],
  ['firewalld', { trusted: [] }, [], ['10.42.0.0/16', 'fd42::/56']],
  ['firewalld that trusts one of two', { rules: [...OPEN], trusted: ['10.42.0.0/16'] }, [], ['fd42::/56']],
  ['chains that let everything through', { rules: [...OPEN] }, [], []],
  ['no firewall', {}, [], []],
])('%s', async (_, host, rules, trusted) => {
  const dir = await mkdtemp(join(tmpdir(), 'firewall-'));
  dirs.push(dir);
  const path = join(dir, 'network.json');
  const before = { rules: [...(host.rules ?? [])], trusted: [...(host.trusted ?? [])] };
  const deps = { exec: exec(host), sysctls: procSysctls, state: new HostState(path), logger: silentLogger };
  for (let time = 0; time < 2; time++) await ensureLetThrough(['10.42.0.0/16', 'fd42::/56'], deps);
  expect(host.rules ?? []).toEqual([...before.rules, ...rules.map((text) => `-A ${text}`)]);
  expect(host.trusted ?? []).toEqual([...before.trusted, ...trusted]);
  const noted = JSON.parse(await readFile(path, 'utf8').catch(() => '{"commands":[]}')) as { commands: string[][] };
  expect(noted.commands.map((words) => words.join(' ')).reverse()).toEqual([
    ...rules.map((text) => `iptables -w 5 -D ${text}`),
    ...trusted.map((cidr) => `firewall-cmd --zone=trusted --remove-source=${cidr}`),
  ]);
});
