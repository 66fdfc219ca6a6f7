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
  for (const { path, value, atLeast = false, from, optional = false } of needs) {
    const current = await deps.sysctls.read(path);
    if (from !== undefined && Number(current) !== from) continue;
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
  const device = await serviceDevice(cidr, source, deps);
  const undo = undoOfServiceRoute(cidr, device);
  const [family = ''] = undo;
  const existing = await ipJSON<{ dev?: string; prefsrc?: string }>(deps.exec, [
    family,
    'route',
    'show',
    'exact',
    cidr,
  ]);
  const [route] = existing;
  const own = deps.state.filter(
    ([, object, , network, word]) => object === 'route' && network === cidr && word === 'dev',
  );
  if (route !== undefined && own.length === 0) {
    deps.logger.info({ cidr, device: route.dev }, 'the host has a route to the Service network already');
    return;
  }
  for (const old of own.filter((entry) => entry[5] !== device)) {
    await deps.exec.run('ip', old);
    await deps.state.forget(old);
  }
  await deps.state.note(undo);
  const command = [family, 'route', 'replace', cidr, 'dev', device];
  if (source !== undefined) {
    const result = await deps.exec.run('ip', [...command, 'src', source]);
    if (result.code === 0) return;
    deps.logger.warn({ cidr, source, stderr: result.stderr }, 'the node address is not on this host');
  }
  await execOutput(deps.exec, 'ip', command);
}

/** Takes back the routes of `ensureServiceRoute` to networks other than `wanted`. */
export async function removeServiceRoutes(wanted: readonly string[], { exec, state }: HostSetupDeps): Promise<void> {
  const kept = new Set(wanted);
  for (const undo of state.filter(([, object, , , word]) => object === 'route' && word === 'dev')) {
    if (kept.has(undo[3] ?? '')) continue;
    // It may be gone already.
    await exec.run('ip', undo);
    await state.forget(undo);
  }
}

function undoOfServiceRoute(cidr: string, device: string): string[] {
  return [isIPv6Network(cidr) ? '-6' : '-4', 'route', 'del', cidr, 'dev', device];
}

/**
 * The loopback interface, by which nothing leaves. For IPv6 the kernel takes a route by it for one that refuses everything, so
 * there it is the interface that has the node's address; the proxy refuses what it does not know before it gets there.
 */
async function serviceDevice(cidr: string, source: string | undefined, { exec }: HostSetupDeps): Promise<string> {
  if (!isIPv6Network(cidr) || source === undefined) return 'lo';
  interface Link {
    ifname: string;
    addr_info?: readonly { local: string }[];
  }
  const links = await ipJSON<Link>(exec, ['addr', 'show']);
  return links.find(({ addr_info }) => addr_info?.some(({ local }) => local === source))?.ifname ?? 'lo';
}

function isIPv6Network(cidr: string): boolean {
  return isIPv6(cidr.split('/')[0] ?? '');
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
