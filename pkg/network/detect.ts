import { type Exec, execOutput, systemExec } from '../base/exec.ts';

interface Route {
  readonly dst: string;
  readonly dev?: string;
  readonly metric?: number;
  readonly prefsrc?: string;
}

interface AddressInfo {
  readonly family: string;
  readonly local: string;
  readonly scope: string;
  readonly deprecated?: boolean;
  /** Of IPv6's privacy extensions: another one every day. */
  readonly temporary?: boolean;
  /** Another machine has it. */
  readonly dadfailed?: boolean;
}

interface Link {
  readonly ifname: string;
  readonly mtu: number;
  readonly addr_info?: readonly AddressInfo[];
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
 * The MTU, in bytes, of the interfaces to other machines (`uplinksOf`), the smallest; 1500 without any. Outside of the cluster
 * packets find their size by themselves.
 */
export async function detectMTU(exec: Exec, nodeAddresses: readonly string[]): Promise<number> {
  const links = await uplinksOf(exec, nodeAddresses);
  // Loopback and its like carry more than any pod interface should.
  const known = links.map(({ mtu }) => mtu).filter((mtu) => mtu <= 9216);
  return known.length === 0 ? 1500 : Math.min(...known);
}

/** The interfaces that have the node's addresses; where these are none that leads out, the one with the default route. */
export async function uplinksOf(exec: Exec, nodeAddresses: readonly string[]): Promise<readonly Link[]> {
  const links = (await ipJSON<Link>(exec, ['addr', 'show'])).filter(({ ifname }) => ifname !== 'lo');
  const own = links.filter(({ addr_info = [] }) => addr_info.some(({ local }) => nodeAddresses.includes(local)));
  if (own.length > 0) return own;
  const routes = [
    ...(await ipJSON<Route>(exec, ['-4', 'route', 'show', 'default'])),
    ...(await ipJSON<Route>(exec, ['-6', 'route', 'show', 'default'])),
  ];
  const device = defaultRoute(routes)?.dev;
  return links.filter(({ ifname }) => ifname === device);
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
      (info) => info.family === family && info.scope === 'global' && isLasting(info),
    );
    if (address !== undefined && link.ifname !== 'lo') return address.local;
  }
  return undefined;
}

function isLasting({ deprecated = false, temporary = false, dadfailed = false }: AddressInfo): boolean {
  return !deprecated && !temporary && !dadfailed;
}
