import { isIPv6 } from 'node:net';
import { type Exec, execOutput } from '../base/exec.ts';
import type { Logger } from '../base/logger.ts';
import { ipJSON } from './detect.ts';
import type { HostState } from './host-state.ts';
import type { SysctlNeed, Sysctls } from './sysctls.ts';

export interface HostSetupDeps {
  readonly exec: Exec;
  readonly sysctls: Sysctls;
  readonly state: HostState;
  readonly logger: Logger;
}

/** Sets kernel settings that are not as needed. Throws when one that is not optional cannot be set. */
export async function ensureSysctls(needs: readonly SysctlNeed[], deps: HostSetupDeps): Promise<void> {
  for (const { path, value, atLeast = false, optional = false } of needs) {
    const current = await deps.sysctls.read(path);
    if (current !== undefined && (atLeast ? Number(current) >= value : Number(current) === value)) continue;
    try {
      if (current === undefined) throw new Error(`the kernel has no setting ${path}`);
      await deps.state.noteSysctl(path, current);
      await deps.sysctls.write(path, String(value));
    } catch (error) {
      if (!optional) throw new Error(`cannot set ${path} to ${value}`, { cause: error });
      deps.logger.warn({ err: error, setting: path, value }, 'cannot change a kernel setting');
    }
  }
}

/**
 * Makes Service addresses routable on the node itself, whatever other routes it has: the proxy redirects them, but only
 * after the kernel has found a route. What the proxy does not know never leaves by it.
 */
export async function ensureServiceRoute(cidr: string, source: string | undefined, deps: HostSetupDeps): Promise<void> {
  const undo = undoOfServiceRoute(cidr);
  const [family = ''] = undo;
  const existing = await ipJSON<{ dev?: string; prefsrc?: string }>(deps.exec, [
    family,
    'route',
    'show',
    'exact',
    cidr,
  ]);
  const [route] = existing;
  if (route !== undefined && !deps.state.has(undo)) {
    deps.logger.info({ cidr, device: route.dev }, 'the host has a route to the Service network already');
    return;
  }
  await deps.state.note(undo);
  const command = [family, 'route', 'replace', cidr, 'dev', 'lo'];
  if (source !== undefined) {
    const result = await deps.exec.run('ip', [...command, 'src', source]);
    if (result.code === 0) return;
    deps.logger.warn({ cidr, source, stderr: result.stderr }, 'the node address is not on this host');
  }
  await execOutput(deps.exec, 'ip', command);
}

/** Takes back the routes of `ensureServiceRoute` to networks other than `wanted`. */
export async function removeServiceRoutes(wanted: readonly string[], { exec, state }: HostSetupDeps): Promise<void> {
  const kept = new Set(wanted.map((cidr) => undoOfServiceRoute(cidr).join(' ')));
  for (const undo of state.filter(([, object, , , , device]) => object === 'route' && device === 'lo')) {
    if (kept.has(undo.join(' '))) continue;
    // It may be gone already.
    await exec.run('ip', undo);
    await state.forget(undo);
  }
}

function undoOfServiceRoute(cidr: string): string[] {
  return [isIPv6(cidr.split('/')[0] ?? '') ? '-6' : '-4', 'route', 'del', cidr, 'dev', 'lo'];
}

/** Puts an address that this node answers on itself on the loopback interface. */
export async function ensureLocalAddress(address: string, deps: HostSetupDeps): Promise<void> {
  const cidr = isIPv6(address) ? `${address}/128` : `${address}/32`;
  const links = await ipJSON<{ addr_info?: readonly { local: string }[] }>(deps.exec, ['addr', 'show', 'dev', 'lo']);
  if (links.some((link) => link.addr_info?.some((info) => info.local === address))) return;
  await deps.state.note(['addr', 'del', cidr, 'dev', 'lo']);
  // Scope host: the kernel must not choose it as source address for anything else.
  await execOutput(deps.exec, 'ip', ['addr', 'add', cidr, 'dev', 'lo', 'scope', 'host']);
}
