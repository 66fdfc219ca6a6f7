import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Exec } from '../base/exec.ts';
import { silentLogger } from '../base/logger.ts';
import { ensureForwarded } from './foreign-firewall.ts';
import { HostState } from './host-state.ts';
import { procSysctls } from './sysctls.ts';

const dirs: string[] = [];
afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true });
});

/** An iptables with a chain FORWARD. */
function fakeTables(chain: string[]): Exec {
  return {
    async run(program, [, , verb = '', , ...rule]) {
      if (program !== 'iptables') throw new Error('no such command');
      const line = `-A FORWARD ${rule.join(' ')}`;
      if (verb === '-S') return { code: 0, stdout: chain.join('\n'), stderr: '' };
      if (verb === '-C') return { code: chain.includes(line) ? 0 : 1, stdout: '', stderr: '' };
      if (verb === '-I') chain.splice(1, 0, line);
      return { code: 0, stdout: '', stderr: '' };
    },
  };
}

test.each([
  ['Docker', ['-P FORWARD DROP', '-A FORWARD -j DOCKER-USER'], 2],
  ['a rule that rejects', ['-P FORWARD ACCEPT', '-A FORWARD -j REJECT --reject-with icmp-port-unreachable'], 2],
  ['no firewall', ['-P FORWARD ACCEPT'], 0],
])('%s', async (_, before, added) => {
  const dir = await mkdtemp(join(tmpdir(), 'firewall-'));
  dirs.push(dir);
  const path = join(dir, 'network.json');
  const chain = [...before];
  const deps = { exec: fakeTables(chain), sysctls: procSysctls, state: new HostState(path), logger: silentLogger };
  for (let time = 0; time < 2; time++) await ensureForwarded(['10.42.0.0/16', 'fd42::/56'], deps);
  const rule = (side: string) => `FORWARD ${side} 10.42.0.0/16 -m comment --comment kube-lite -j ACCEPT`;
  const rules = added === 0 ? [] : [rule('-d'), rule('-s')];
  expect(chain).toEqual([before[0], ...rules.map((text) => `-A ${text}`), ...before.slice(1)]);
  const noted = JSON.parse(await readFile(path, 'utf8').catch(() => '{"commands":[]}')) as { commands: string[][] };
  expect(noted.commands.map((words) => words.join(' '))).toEqual(rules.map((text) => `iptables -w 5 -D ${text}`));
});
