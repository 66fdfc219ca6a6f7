import type { Pod } from '../types.ts';

/** What a pod may set without asking the node's administrator: it is its own namespace's and hurts nobody else (v1.36's list). */
const SAFE_SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
];

/** With dots between its parts, whichever of `net/ipv4/x` and `net.ipv4.x` it was given as; interface names keep theirs. */
export function sysctlName(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  if (separator !== '/') return name;
  return name.replace(/[./]/g, (found) => (found === '/' ? '.' : '/'));
}

/** The namespace that a sysctl is in; undefined: it is not known to be in any, and so belongs to the whole machine. */
function namespaceOf(name: string): 'IPC' | 'Net' | undefined {
  if (/^(kernel\.(sem$|shm|msg)|fs\.mqueue\.)/.test(name)) return 'IPC';
  return name.startsWith('net.') ? 'Net' : undefined;
}

/** Why the node does not set one of the pod's sysctls. `allowed`: names, or prefixes that end in `*`. Pure. */
export function forbiddenSysctl(pod: Pod, allowed: readonly string[]): string | undefined {
  const { hostNetwork, hostIPC, securityContext } = pod.spec;
  const patterns = [...SAFE_SYSCTLS, ...allowed.map(sysctlName)];
  for (const { name } of securityContext?.sysctls ?? []) {
    const normal = sysctlName(name);
    const isAllowed = patterns.some((pattern) =>
      pattern.endsWith('*') ? normal.startsWith(pattern.slice(0, -1)) : normal === pattern,
    );
    if (!isAllowed) return `forbidden sysctl: "${normal}" not allowlisted`;
    const namespace = namespaceOf(normal);
    if ((namespace === 'Net' && hostNetwork === true) || (namespace === 'IPC' && hostIPC === true)) {
      return `forbidden sysctl: "${normal}" not allowed with host ${namespace} enabled`;
    }
  }
  return undefined;
}
