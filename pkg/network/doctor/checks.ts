import { isIPv6 } from 'node:net';

/** A node as the doctor sees it. */
export interface Patient {
  readonly name: string;
  /** Of the cluster's network; the first one carries the packets between nodes. */
  readonly addresses: readonly string[];
}

/** The pod and Service that stand for a node, once they are there; of each family that the cluster has. */
export interface Target {
  readonly node: Patient;
  readonly podIPs: readonly string[];
  readonly clusterIPs: readonly string[];
  readonly nodePort: number;
  /** What the pod says to whoever connects. */
  readonly says: string;
  /** Of the Service. */
  readonly hostname: string;
}

export type CheckKind = 'pod' | 'service' | 'node-port' | 'dns';

/** One thing that is tried from a pod on each node. */
export interface Check {
  readonly kind: CheckKind;
  readonly to: Patient;
  /** An argument of `probe check`. */
  readonly argument: string;
  /** What is tried, for people: `10.42.1.7:8080`. */
  readonly what: string;
}

/** A check that failed. */
export interface Failure {
  readonly from: Patient;
  readonly check: Check;
  /** As the probe says it: `no answer`, `refused`, `only small packets arrive`. */
  readonly reason: string;
}

const POD_PORT = 8080;
const SERVICE_PORT = 80;

const CUT_OFF = 'only small packets arrive';

/** What is tried from each node: every node's pod by its address, by its Service and by its node port, and names. */
export function checksOf(targets: readonly Target[]): Check[] {
  return targets.flatMap(({ node, podIPs, clusterIPs, nodePort, says, hostname }): Check[] => {
    const tcp = (kind: CheckKind, host: string, port: number): Check => ({
      kind,
      to: node,
      argument: `tcp,${host},${port},${says}`,
      what: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    });
    const served = new Set(clusterIPs.map(isIPv6));
    return [
      ...podIPs.map((ip) => tcp('pod', ip, POD_PORT)),
      ...clusterIPs.map((ip) => tcp('service', ip, SERVICE_PORT)),
      ...node.addresses.filter((ip) => served.has(isIPv6(ip))).map((ip) => tcp('node-port', ip, nodePort)),
      ...clusterIPs.map((ip): Check => ({ kind: 'dns', to: node, argument: `dns,${hostname},${ip}`, what: hostname })),
    ];
  });
}

/** Reads what a probe wrote; undefined when it did not come to its end. */
export function failuresIn(message: string, from: Patient, checks: readonly Check[]): Failure[] | undefined {
  const lines = message.trim().split('\n');
  if (lines.at(-1) !== 'done') return undefined;
  return lines.slice(0, -1).flatMap((line) => {
    const [, index = '', reason = ''] = /^(\d+) (.*)$/.exec(line) ?? [];
    const check = checks[Number(index)];
    return index === '' || check === undefined ? [] : [{ from, check, reason }];
  });
}

/** What the failures mean, most basic first: what follows from something worse is not said again. */
export function diagnose(failures: readonly Failure[]): string[] {
  const pods = failures.filter(({ check }) => check.kind === 'pod');
  const unreachable = new Set(pods.map(wayOf));
  const services = failures.filter(({ check }) => check.kind === 'service' || check.kind === 'node-port');
  const others = services.filter((failure) => !unreachable.has(wayOf(failure)));
  return [
    ...together(pods).map(podFinding),
    ...together(others).map((group) =>
      group[0].check.kind === 'service' ? serviceFinding(group) : nodePortFinding(group),
    ),
    ...nameFindings(failures),
  ];
}

type Group = readonly [Failure, ...Failure[]];

/** What fails for the same reason between the same nodes, in both families. */
function together(failures: readonly Failure[]): Group[] {
  const key = ({ from, check, reason }: Failure): string => [check.kind, from.name, check.to.name, reason].join(' ');
  return [...Map.groupBy(failures, key).values()].flatMap(([first, ...more]) =>
    first === undefined ? [] : [[first, ...more] as const],
  );
}

function podFinding(group: Group): string {
  const [{ from, check, reason }] = group;
  const { to } = check;
  const path = `pod on ${from.name} to pod on ${to.name} (${whatOf(group)}): ${reason}`;
  if (reason === CUT_OFF) {
    const between = from.name === to.name ? `on ${from.name}` : `between ${from.addresses[0]} and ${to.addresses[0]}`;
    return `${path}\n  the network ${between} carries less than the interfaces of the nodes say: set their MTU to what it carries, and that of the pods follows`;
  }
  const cause =
    from.name === to.name
      ? `${from.name} does not forward packets between its own pods: is a firewall in the way, or net.ipv4.ip_forward off?`
      : `the pod network does not carry packets from ${from.addresses[0]} to ${to.addresses[0]}: with VXLAN, UDP port 8472 must be open between them, and a firewall must let ${to.name} forward to its pods`;
  return `${path}\n  ${cause}`;
}

function serviceFinding(group: Group): string {
  const [{ from, check, reason }] = group;
  return (
    `pod on ${from.name} to Service ${whatOf(group)} of the pod on ${check.to.name}: ${reason}\n` +
    `  the pod itself answers, so the service proxy of ${from.name} does not do its part: see its log, and \`nft list tables\` there`
  );
}

function nodePortFinding(group: Group): string {
  const [{ from, check, reason }] = group;
  const { to } = check;
  return (
    `pod on ${from.name} to node port ${whatOf(group)} of ${to.name}: ${reason}\n` +
    `  the pod itself answers, so ${to.name} does not take it in: is a firewall on ${to.name} in the way of its node ports?`
  );
}

function whatOf(group: Group): string {
  return group.map(({ check }) => check.what).join(', ');
}

/** A name server that fails does so for all names: one finding for each node. */
function nameFindings(failures: readonly Failure[]): string[] {
  const byNode = new Map<string, Failure[]>();
  for (const failure of failures) {
    if (failure.check.kind !== 'dns') continue;
    byNode.set(failure.from.name, [...(byNode.get(failure.from.name) ?? []), failure]);
  }
  return [...byNode].map(([node, [first, ...others]]) => {
    const more = new Set(others.map(({ check }) => check.what).filter((what) => what !== first?.check.what)).size;
    const rest = more === 0 ? '' : ` (and ${more} other names)`;
    return (
      `pod on ${node} looking up ${first?.check.what}${rest}: ${first?.reason}\n` +
      `  the cluster DNS of ${node} answers there: see its log, and whether something else on ${node} has port 53`
    );
  });
}

/** From where to where, and in which family. */
function wayOf({ from, check }: Failure): string {
  return `${from.name} ${check.to.name} ${check.what.startsWith('[') ? 'IPv6' : 'IPv4'}`;
}
