import type { HostSetupDeps } from './host-setup.ts';

/** Seconds to wait for others that change the tables. */
const WAIT = ['-w', '5'];

/** Chains of iptables where packets of pods would be dropped, and what of theirs is to be let through. */
const CHAINS = [
  ['FORWARD', ['-s', '-d']],
  // Names, the API and probes: pods talk to their own host.
  ['INPUT', ['-s']],
] as const;

/**
 * Where a firewall of the host (Docker, ufw, firewalld) drops what pods send or get, lets the packets of pods through
 * it: what one table accepts does not count in others. Only rules of our own are added, in front of its chains, and
 * noted for `uninstall`; hosts without such a firewall are not touched. Which ports others reach on the host itself is
 * left to the firewall.
 */
export async function ensureLetThrough(clusterCIDRs: readonly string[], deps: HostSetupDeps): Promise<void> {
  for (const [program, cidrs] of [
    ['iptables', clusterCIDRs.filter((cidr) => !cidr.includes(':'))],
    ['ip6tables', clusterCIDRs.filter((cidr) => cidr.includes(':'))],
  ] as const) {
    if (cidrs.length === 0) continue;
    for (const [chain, sides] of CHAINS) {
      if (!(await drops(program, chain, deps))) continue;
      for (const cidr of cidrs) for (const side of sides) await ensureRule(program, [chain, side, cidr], deps);
    }
  }
  await ensureTrusted(clusterCIDRs, deps);
}

/** The chain's policy, or a rule of it, keeps packets back. */
async function drops(program: string, chain: string, deps: HostSetupDeps): Promise<boolean> {
  // It cannot be started: there is no such firewall.
  const shown = await deps.exec.run(program, [...WAIT, '-S', chain]).catch(() => undefined);
  return (
    shown?.code === 0 && new RegExp(`^-P ${chain} DROP$|^-A ${chain} .*-j (DROP|REJECT)\\b`, 'm').test(shown.stdout)
  );
}

async function ensureRule(program: string, match: readonly string[], deps: HostSetupDeps): Promise<void> {
  const rule = [...match, '-m', 'comment', '--comment', 'kube-lite', '-j', 'ACCEPT'];
  const present = await deps.exec.run(program, [...WAIT, '-C', ...rule]);
  if (present.code === 0) return;
  await deps.state.noteCommand([program, ...WAIT, '-D', ...rule]);
  const { code, stderr } = await deps.exec.run(program, [...WAIT, '-I', ...rule]);
  if (code === 0)
    deps.logger.info({ program, rule: rule.join(' ') }, 'the host firewall lets the packets of pods through');
  else deps.logger.warn({ program, stderr }, 'the host firewall drops the packets of pods');
}

/** firewalld has a table of its own and a zone for networks that are trusted; a reload forgets what was added at run time. */
async function ensureTrusted(cidrs: readonly string[], deps: HostSetupDeps): Promise<void> {
  const zone = (...args: readonly string[]) => deps.exec.run('firewall-cmd', ['--zone=trusted', ...args]);
  const running = await deps.exec.run('firewall-cmd', ['--state']).catch(() => undefined);
  if (running?.code !== 0) return;
  for (const cidr of cidrs) {
    const present = await zone(`--query-source=${cidr}`);
    if (present.code === 0) continue;
    await deps.state.noteCommand(['firewall-cmd', '--zone=trusted', `--remove-source=${cidr}`]);
    const { code, stderr } = await zone(`--add-source=${cidr}`);
    if (code === 0) deps.logger.info({ cidr }, 'firewalld lets the packets of pods through');
    else deps.logger.warn({ cidr, stderr }, 'firewalld drops the packets of pods');
  }
}
