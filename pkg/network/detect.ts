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

/**
 * The MTU, in bytes, of the interface that leads to other machines: the one with the default route, else the one with
 * a node address; 1500 without either.
 */
export async function detectMTU(exec: Exec, nodeAddresses: readonly string[]): Promise<number> {
  const routes = [
    ...(await ipJSON<Route>(exec, ['-4', 'route', 'show', 'default'])),
    ...(await ipJSON<Route>(exec, ['-6', 'route', 'show', 'default'])),
  ];
  const device = defaultRoute(routes)?.dev;
  const links = await ipJSON<Link>(exec, ['addr', 'show']);
  const link =
    links.find(({ ifname }) => ifname === device) ??
    links.find(({ addr_info = [] }) => addr_info.some((info) => nodeAddresses.includes(info.local)));
  // Loopback and its like carry more than any pod interface should.
  return link === undefined || link.mtu > 9216 ? 1500 : link.mtu;
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
