/** A node as the doctor sees it. */
export interface Patient {
  readonly name: string;
  readonly address: string;
}

/** The pod and Service that stand for a node, once they are there. */
export interface Target {
  readonly node: Patient;
  readonly podIP: string;
  readonly clusterIP: string;
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
  /** As the probe says it: `no answer`, `refused`. */
  readonly reason: string;
}

const POD_PORT = 8080;
const SERVICE_PORT = 80;

/** What is tried from each node: every node's pod by its address, by its Service and by its node port, and names. */
export function checksOf(targets: readonly Target[]): Check[] {
  return targets.flatMap(({ node, podIP, clusterIP, nodePort, says, hostname }): Check[] => {
    const tcp = (kind: CheckKind, host: string, port: number): Check => ({
      kind,
      to: node,
      argument: `tcp,${host},${port},${says}`,
      what: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    });
    return [
      tcp('pod', podIP, POD_PORT),
      tcp('service', clusterIP, SERVICE_PORT),
      tcp('node-port', node.address, nodePort),
      // The probe compares IPv4 addresses only.
      ...(clusterIP.includes(':')
        ? []
        : [{ kind: 'dns', to: node, argument: `dns,${hostname},${clusterIP}`, what: hostname } as const]),
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
  const findings: string[] = [];
  const pods = failures.filter(({ check }) => check.kind === 'pod');
  const unreachable = new Set(pods.map(pairOf));
  for (const failure of pods) {
    const { from, check, reason } = failure;
    const path = `pod on ${from.name} to pod on ${check.to.name} (${check.what}): ${reason}`;
    const cause =
      from.name === check.to.name
        ? `${from.name} does not forward packets between its own pods: is a firewall in the way, or net.ipv4.ip_forward off?`
        : `the pod network does not carry packets from ${from.address} to ${check.to.address}: with VXLAN, UDP port 8472 must be open between them, and a firewall must let ${check.to.name} forward to its pods`;
    findings.push(`${path}\n  ${cause}`);
  }
  for (const failure of failures) {
    const { from, check, reason } = failure;
    if (check.kind === 'pod' || (check.kind !== 'dns' && unreachable.has(pairOf(failure)))) continue;
    const { to, what } = check;
    if (check.kind === 'service') {
      findings.push(
        `pod on ${from.name} to Service ${what} of the pod on ${to.name}: ${reason}\n` +
          `  the pod itself answers, so the service proxy of ${from.name} does not do its part: see its log, and \`nft list tables\` there`,
      );
    } else if (check.kind === 'node-port') {
      findings.push(
        `pod on ${from.name} to node port ${what} of ${to.name}: ${reason}\n` +
          `  the pod itself answers, so ${to.name} does not take it in: is a firewall on ${to.name} in the way of its node ports?`,
      );
    }
  }
  return [...findings, ...nameFindings(failures)];
}

/** A name server that fails does so for all names: one finding for each node. */
function nameFindings(failures: readonly Failure[]): string[] {
  const byNode = new Map<string, Failure[]>();
  for (const failure of failures) {
    if (failure.check.kind !== 'dns') continue;
    byNode.set(failure.from.name, [...(byNode.get(failure.from.name) ?? []), failure]);
  }
  return [...byNode].map(([node, [first, ...others]]) => {
    const more = others.length === 0 ? '' : ` (and ${others.length} other names)`;
    return (
      `pod on ${node} looking up ${first?.check.what}${more}: ${first?.reason}\n` +
      `  the cluster DNS of ${node} answers there: see its log, and whether something else on ${node} has port 53`
    );
  });
}

function pairOf({ from, check }: Failure): string {
  return `${from.name} ${check.to.name}`;
}
