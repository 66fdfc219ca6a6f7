import { type Exec, execOutput, systemExec } from '../base/exec.ts';

interface Route {
  readonly dst: string;
  readonly dev?: string;
  readonly metric?: number;
  readonly prefsrc?: string;
}

interface Link {
  readonly ifname: string;
  readonly mtu: number;
  readonly addr_info?: readonly { family: string; local: string; scope: string; deprecated?: boolean }[];
}

/**
 * The addresses of this node, IPv4 first: those of the interface with the default route; without one the first global
 * address; else 127.0.0.1. At most one of each family.
 */
export async function detectNodeAddresses(exec: Exec = systemExec): Promise<string[]> {
  const links = await ipJSON<Link>(exec, ['addr', 'show']);
  const found: string[] = [];
  for (const [option, family] of [
    ['-4', 'inet'],
    ['-6', 'inet6'],
  ] as const) {
    const route = defaultRoute(await ipJSON<Route>(exec, [option, 'route', 'show', 'default']));
    const address = route?.prefsrc ?? addressOf(links, family, route?.dev);
    if (address !== undefined) found.push(address);
  }
  if (found.length > 0) return found;
  const any = addressOf(links, 'inet', undefined, true) ?? addressOf(links, 'inet6', undefined, true);
  return [any ?? '127.0.0.1'];
}

/** The MTU of the interface with the default route, in bytes; 1500 without one. */
export async function detectMTU(exec: Exec): Promise<number> {
  const routes = [
    ...(await ipJSON<Route>(exec, ['-4', 'route', 'show', 'default'])),
    ...(await ipJSON<Route>(exec, ['-6', 'route', 'show', 'default'])),
  ];
  const device = defaultRoute(routes)?.dev;
  const links = device === undefined ? [] : await ipJSON<Link>(exec, ['link', 'show', 'dev', device]);
  return links[0]?.mtu ?? 1500;
}

/** Output of `ip -json`; [] when the command says that there is no such thing. */
export async function ipJSON<T>(exec: Exec, args: readonly string[]): Promise<readonly T[]> {
  const text = (await execOutput(exec, 'ip', ['-json', ...args])).trim();
  return text === ''
    ? []
    : (JSON.parse(text) as readonly T[]).filter((entry) => Object.keys(entry as object).length > 0);
}

function defaultRoute(routes: readonly Route[]): Route | undefined {
  return routes
    .filter((route) => route.dst === 'default' && route.dev !== undefined)
    .reduce<Route | undefined>(
      (best, route) => ((best?.metric ?? Infinity) <= (route.metric ?? 0) ? best : route),
      undefined,
    );
}

function addressOf(
  links: readonly Link[],
  family: string,
  device: string | undefined,
  any = false,
): string | undefined {
  for (const link of links) {
    if (!any && link.ifname !== device) continue;
    const address = link.addr_info?.find(
      (info) => info.family === family && info.scope === 'global' && !info.deprecated,
    );
    if (address !== undefined && link.ifname !== 'lo') return address.local;
  }
  return undefined;
}
