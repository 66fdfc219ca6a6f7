import type { HostSetupDeps } from './host-setup.ts';

/** Seconds to wait for others that change the tables. */
const WAIT = ['-w', '5'];

/**
 * Where a firewall of the host (Docker, ufw) drops what is forwarded, lets the packets of pods through it: what a table
 * accepts does not count in others. Only rules of our own are added, in front of its chain FORWARD, and noted for
 * `uninstall`; hosts without iptables or without such a firewall are not touched.
 */
export async function ensureForwarded(clusterCIDRs: readonly string[], deps: HostSetupDeps): Promise<void> {
  for (const [program, cidrs] of [
    ['iptables', clusterCIDRs.filter((cidr) => !cidr.includes(':'))],
    ['ip6tables', clusterCIDRs.filter((cidr) => cidr.includes(':'))],
  ] as const) {
    if (cidrs.length === 0) continue;
    // It cannot be started: there is no such firewall.
    const shown = await deps.exec.run(program, [...WAIT, '-S', 'FORWARD']).catch(() => undefined);
    if (shown?.code !== 0 || !drops(shown.stdout)) continue;
    for (const cidr of cidrs) for (const side of ['-s', '-d']) await ensureRule(program, [side, cidr], deps);
  }
}

/** The chain's policy, or a rule of it, keeps packets back. */
function drops(rules: string): boolean {
  return /^-P FORWARD DROP$|^-A FORWARD .*-j (DROP|REJECT)\b/m.test(rules);
}

async function ensureRule(program: string, match: readonly string[], deps: HostSetupDeps): Promise<void> {
  const rule = ['FORWARD', ...match, '-m', 'comment', '--comment', 'kube-lite', '-j', 'ACCEPT'];
  const present = await deps.exec.run(program, [...WAIT, '-C', ...rule]);
  if (present.code === 0) return;
  await deps.state.noteCommand([program, ...WAIT, '-D', ...rule]);
  const { code, stderr } = await deps.exec.run(program, [...WAIT, '-I', ...rule]);
  if (code === 0)
    deps.logger.info({ program, rule: rule.join(' ') }, 'the host firewall lets the packets of pods through');
  else deps.logger.warn({ program, stderr }, 'the host firewall drops the packets of pods');
}
