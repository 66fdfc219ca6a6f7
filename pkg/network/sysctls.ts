import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode } from '../base/errors.ts';

/** Kernel settings by path: `net/ipv4/ip_forward`. */
export interface Sysctls {
  /** undefined when the kernel has no such setting. */
  read(path: string): Promise<string | undefined>;
  write(path: string, value: string): Promise<void>;
}

/** The settings of the running kernel, in the network namespace of this process. */
export const procSysctls: Sysctls = {
  async read(path) {
    try {
      return (await readFile(join('/proc/sys', path), 'utf8')).trim();
    } catch (error) {
      if (errnoCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  },
  write: (path, value) => writeFile(join('/proc/sys', path), value),
};

export interface SysctlNeed {
  readonly path: string;
  readonly value: number;
  /** A higher value is as good. */
  readonly atLeast?: boolean;
  /** Changed only where it has this value. */
  readonly from?: number;
  /** The network works without it; where it cannot be set, that is only reported. */
  readonly optional?: boolean;
}

export interface SysctlFacts {
  readonly ipv6: boolean;
  /** Interfaces to other machines. */
  readonly uplinks: readonly string[];
  readonly localhostNodePorts: boolean;
  /** Processors of the node; absent: nobody tracks connections for Services. */
  readonly trackingProcessors?: number;
}

export function neededSysctls(options: SysctlFacts): SysctlNeed[] {
  const needs: SysctlNeed[] = [
    { path: 'net/ipv4/ip_forward', value: 1 },
    // Every containerd shim and many programs in containers use inotify; the usual 128 ends at some dozens of pods.
    { path: 'fs/inotify/max_user_instances', value: 8192, atLeast: true, optional: true },
    { path: 'fs/inotify/max_user_watches', value: 524_288, atLeast: true, optional: true },
  ];
  if (options.ipv6) {
    // First: a host that forwards takes no routes from routers any more, its default route among them, unless it is told to.
    for (const device of options.uplinks)
      needs.push({ path: `net/ipv6/conf/${device}/accept_ra`, value: 2, from: 1, optional: true });
    needs.push({ path: 'net/ipv6/conf/all/forwarding', value: 1 });
  }
  // Node ports on 127.0.0.1 leave the host by a pod's interface; the proxy's table keeps strangers out.
  if (options.localhostNodePorts) needs.push({ path: 'net/ipv4/conf/all/route_localnet', value: 1, optional: true });
  if (options.trackingProcessors !== undefined) needs.push(...connectionTracking(options.trackingProcessors));
  return needs;
}

/**
 * As upstream's kube-proxy has it: a connection that one side has ended may go on for an hour (the kernel forgets after a
 * minute to whom its Service has led), one on which nothing happens for a day is forgotten.
 */
function connectionTracking(processors: number): SysctlNeed[] {
  const path = 'net/netfilter/nf_conntrack';
  const max = Math.max(131_072, 32_768 * processors);
  return [
    { path: `${path}_max`, value: max, atLeast: true, optional: true },
    { path: `${path}_tcp_timeout_established`, value: 86_400, optional: true },
    { path: `${path}_tcp_timeout_close_wait`, value: 3600, optional: true },
  ];
}
