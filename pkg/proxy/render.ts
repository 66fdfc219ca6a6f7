import { FAMILIES, type Family, familyOf, familyOfCIDR, IPv4 } from './family.ts';
import { ALWAYS_THERE, MARK_FOR_MASQUERADE, MASQUERADE_MARK, SETS } from './names.ts';
import type { Element } from './plan.ts';
import type { Changes } from './ruleset.ts';

export interface TableOptions {
  readonly table: string;
  readonly clusterCIDRs: readonly string[];
  /** Service addresses that the node itself answers on. */
  readonly localAddresses: readonly string[];
}

/** Elements in one command; more would make lines of megabytes. */
const ELEMENTS_PER_COMMAND = 1000;

/**
 * Commands that make the table anew, in one transaction together with what comes after: the old one, if any, is gone
 * only when the new one stands.
 */
export function renderTable(options: TableOptions): string {
  const at = `inet ${options.table}`;
  const lines = [`add table ${at}`, `delete table ${at}`, `add table ${at}`];
  const add = (command: string, rest: string): void => {
    lines.push(`add ${command} ${at} ${rest}`);
  };
  for (const family of FAMILIES)
    for (const [name, definition, kind] of sets(family)) add(kind, `${name} { ${definition} }`);
  const chains = baseChains(options);
  for (const [name, hook] of chains) add('chain', hook === '' ? name : `${name} { ${hook} }`);
  for (const [name, , rules] of chains) for (const rule of rules) add('rule', `${name} ${rule}`);
  return `${lines.join('\n')}\n`;
}

function sets({ suffix, type }: Family): [name: string, definition: string, kind: 'set' | 'map'][] {
  const port = 'inet_proto . inet_service';
  return [
    [`${SETS.service}${suffix}`, `type ${type} . ${port} : verdict;`, 'map'],
    [`${SETS.nodePort}${suffix}`, `type ${port} : verdict;`, 'map'],
    [`${SETS.noEndpoints}${suffix}`, `type ${type} . ${port} : verdict;`, 'map'],
    [`${SETS.noNodePortEndpoints}${suffix}`, `type ${port} : verdict;`, 'map'],
    [`${SETS.hostPort}${suffix}`, `type ${port} : ${type} . inet_service;`, 'map'],
    [`${SETS.hostPortOnIP}${suffix}`, `type ${type} . ${port} : ${type} . inet_service;`, 'map'],
    [`${SETS.hairpin}${suffix}`, `type ${type} . ${type};`, 'set'],
    [`${SETS.serviceNetworks}${suffix}`, `type ${type}; flags interval;`, 'set'],
    [`${SETS.policedIngress}${suffix}`, `type ${type} : verdict;`, 'map'],
    [`${SETS.policedEgress}${suffix}`, `type ${type} : verdict;`, 'map'],
    [`${SETS.nodes}${suffix}`, `type ${type};`, 'set'],
  ];
}

type BaseChain = readonly [name: string, hook: string, rules: readonly string[]];

/** The chains that packets enter by. NAT chains see only the first packet of a connection. */
function baseChains(options: TableOptions): BaseChain[] {
  const each = (rules: (family: Family) => readonly string[]): string[] => FAMILIES.flatMap((family) => rules(family));
  const refused = each(({ nft, suffix }) => [
    `${nft} daddr . meta l4proto . th dport vmap @${SETS.noEndpoints}${suffix}`,
  ]);
  return [
    [ALWAYS_THERE, '', ['meta l4proto tcp reject with tcp reset', 'reject']],
    ...FAMILIES.map((family): BaseChain => [`host-ports${family.suffix}`, '', hostPortRules(family)]),
    ['services', '', each((family) => serviceRules(family, options))],
    ['unanswered', '', [...refused, ...each((family) => [`${serviceAddress(family, options)} goto refuse`])]],
    [
      'unanswered-here',
      '',
      [
        ...refused,
        ...each(({ nfproto, suffix }) => [
          `meta nfproto ${nfproto} meta l4proto . th dport vmap @${SETS.noNodePortEndpoints}${suffix}`,
        ]),
      ],
    ],
    // What connection tracking cannot place would reach clients with the pod's own address, who reset the connection then.
    ['invalid', '', each((family) => fromPods(family, options).map((from) => `${from} drop`))],
    // Loopback addresses must not come in from outside although NodePorts on 127.0.0.1 need route_localnet.
    [
      'guard',
      'type filter hook prerouting priority raw; policy accept;',
      ['iifname != "lo" ip daddr 127.0.0.0/8 drop', 'iifname != "lo" ip saddr 127.0.0.0/8 drop'],
    ],
    ['prerouting', 'type nat hook prerouting priority dstnat; policy accept;', ['jump services']],
    ['output', 'type nat hook output priority -100; policy accept;', ['jump services']],
    ['filter-input', 'type filter hook input priority -10; policy accept;', ['ct state new jump unanswered-here']],
    [
      'filter-forward',
      'type filter hook forward priority -10; policy accept;',
      ['ct state vmap { new : jump unanswered, invalid : jump invalid }'],
    ],
    ['filter-output', 'type filter hook output priority -10; policy accept;', ['ct state new jump unanswered']],
    // After Services have chosen a backend and before source addresses change. What this node itself sends and gets does not
    // come by here: it always reaches its pods. Two chains, as each way has a say of its own.
    ['policy-egress', 'type filter hook forward priority -8; policy accept;', policyRules(SETS.policedEgress, 'saddr')],
    [
      'policy-ingress',
      'type filter hook forward priority -7; policy accept;',
      policyRules(SETS.policedIngress, 'daddr'),
    ],
    ['postrouting', 'type nat hook postrouting priority srcnat; policy accept;', postroutingRules(options)],
  ];
}

/** Connections that stand go on when policies change. */
function policyRules(map: string, side: 'saddr' | 'daddr'): string[] {
  return [
    'ct state established,related accept',
    ...FAMILIES.map(({ nft, suffix }) => `${nft} ${side} vmap @${map}${suffix}`),
  ];
}

function serviceRules(family: Family, options: TableOptions): string[] {
  const { nft, nfproto, suffix } = family;
  const pods = ofFamily(options.clusterCIDRs, family);
  const rules: string[] = [];
  // Only pods use Services with their own address; backends may not know the way back to anybody else.
  if (pods.length > 0) {
    const services = serviceAddress(family, options);
    rules.push(`${services} ${nft} saddr != ${anyOf(pods)} ${MARK_FOR_MASQUERADE}`);
  }
  const local = `meta nfproto ${nfproto} fib daddr type local meta l4proto`;
  rules.push(
    `${nft} daddr . meta l4proto . th dport vmap @${SETS.service}${suffix}`,
    `${local} . th dport vmap @${SETS.nodePort}${suffix}`,
    `${local} { tcp, udp, sctp } jump host-ports${suffix}`,
  );
  return rules;
}

/** Pods see who connects to their host ports, but for this host: its loopback address means nothing to them. */
function hostPortRules({ nft, suffix }: Family): string[] {
  return [
    `fib saddr type local ${MARK_FOR_MASQUERADE}`,
    `dnat ${nft} to ${nft} daddr . meta l4proto . th dport map @${SETS.hostPortOnIP}${suffix}`,
    `dnat ${nft} to meta l4proto . th dport map @${SETS.hostPort}${suffix}`,
  ];
}

/** Matches addresses of Services but those that the node itself answers on. */
function serviceAddress(family: Family, { localAddresses }: TableOptions): string {
  const { nft, suffix } = family;
  const here = localAddresses.filter((address) => familyOf(address) === family);
  const others = here.length === 0 ? '' : ` ${nft} daddr != ${anyOf(here)}`;
  return `${nft} daddr @${SETS.serviceNetworks}${suffix}${others}`;
}

/** Matches what pods send; nothing where there are no pod networks. */
function fromPods(family: Family, { clusterCIDRs }: TableOptions): string[] {
  const pods = ofFamily(clusterCIDRs, family);
  return pods.length === 0 ? [] : [`${family.nft} saddr ${anyOf(pods)}`];
}

function postroutingRules(options: TableOptions): string[] {
  const rules = [
    'oifname "lo" return',
    `meta mark & ${MASQUERADE_MARK} != 0 meta mark set meta mark ^ ${MASQUERADE_MARK} masquerade fully-random`,
  ];
  for (const family of FAMILIES) {
    const { nft, suffix } = family;
    rules.push(`ct status dnat ${nft} saddr . ${nft} daddr @${SETS.hairpin}${suffix} masquerade fully-random`);
    const [from] = fromPods(family, options);
    if (from === undefined) continue;
    const pods = ofFamily(options.clusterCIDRs, family);
    const outside = [anyOf(pods), family === IPv4 ? '224.0.0.0/4' : 'ff00::/8', `@${SETS.nodes}${suffix}`];
    const elsewhere = outside.map((networks) => `${nft} daddr != ${networks}`).join(' ');
    rules.push(`${from} ${elsewhere} masquerade fully-random`);
  }
  return rules;
}

function ofFamily(cidrs: readonly string[], family: Family): string[] {
  return cidrs.filter((cidr) => familyOfCIDR(cidr) === family);
}

function anyOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : `{ ${values.join(', ')} }`;
}

/** Commands for `changes`, in the order that references between sets, chains and elements need. '' for no change. */
export function renderChanges(table: string, changes: Changes): string {
  const lines: string[] = [];
  const at = `inet ${table}`;
  for (const [name, { kind, text }] of changes.addSets) lines.push(`add ${kind} ${at} ${name} { ${text} }`);
  // Twice, as chains may refer to each other.
  for (const [name, , exists] of changes.setChains) lines.push(`${exists ? 'flush' : 'add'} chain ${at} ${name}`);
  for (const [name, rules] of changes.setChains) for (const rule of rules) lines.push(`add rule ${at} ${name} ${rule}`);
  renderElements(lines, `delete element ${at}`, changes.removeElements);
  renderElements(lines, `add element ${at}`, changes.addElements);
  for (const name of changes.removeChains) lines.push(`flush chain ${at} ${name}`);
  for (const name of changes.removeChains) lines.push(`delete chain ${at} ${name}`);
  for (const [name, kind] of changes.removeSets) lines.push(`delete ${kind} ${at} ${name}`);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function renderElements(lines: string[], command: string, elements: readonly Element[]): void {
  const bySet = new Map<string, string[]>();
  for (const { set, key, data } of elements) {
    const items = bySet.get(set);
    const item = data === undefined ? key : `${key} : ${data}`;
    if (items === undefined) bySet.set(set, [item]);
    else items.push(item);
  }
  for (const [set, items] of bySet) {
    for (let start = 0; start < items.length; start += ELEMENTS_PER_COMMAND)
      lines.push(`${command} ${set} { ${items.slice(start, start + ELEMENTS_PER_COMMAND).join(', ')} }`);
  }
}
