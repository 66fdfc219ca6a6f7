import { createHash } from 'node:crypto';
import { isIPv6, SocketAddress } from 'node:net';
import { type Exec, ExecError, execOutput } from '../base/exec.ts';
import { ipJSON } from './detect.ts';
import type { PeerTransport } from './host-gateway.ts';
import type { HostState } from './host-state.ts';
import type { Peer } from './peers.ts';

export interface VXLANOptions {
  /** Name of the interface, at most 15 characters. */
  readonly device: string;
  /** This node's own blocks of pod addresses, once it has them. */
  readonly podCIDRs: () => readonly string[];
  /** This node's addresses, between which the packets travel. */
  readonly nodeAddresses: readonly string[];
  /** MTU of the interface between the nodes, in bytes. */
  readonly underlayMTU: () => Promise<number>;
}

/** The port and network identifier that Linux machines with flannel use. */
const PORT = 8472;
const NETWORK_ID = 1;
/** Outer Ethernet, IPv4, UDP and VXLAN headers (RFC 7348); 20 bytes more over IPv6. */
const OVERHEAD_IPV4 = 50;
const OVERHEAD_IPV6 = 70;
/** Table and priority of the routes by which pods reach other nodes themselves. */
const POD_ROUTES = '8472';

interface VXLANLink {
  readonly ifname: string;
  readonly address?: string;
  readonly mtu?: number;
  /** `local6`: where the tunnel goes through IPv6. */
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: { readonly local?: string; readonly local6?: string };
  };
}

/** What `ip` says of a kind of device that the kernel does not have. */
const UNSUPPORTED = /not supported|Unknown device type/i;

/**
 * Pods' packets inside UDP, from node to node: for nodes that are not in one segment. Every node's end of the tunnel has a
 * hardware address that follows from its pod addresses, so that nothing has to be learnt or exchanged: all entries are
 * permanent. The interface is made when there is a peer.
 *
 * What pods send to other nodes themselves goes through the tunnel too, as the answers do: outside of it their addresses mean
 * nothing, and reverse path filters there, of the nodes or of what is between them, would drop it.
 */
export class VXLAN implements PeerTransport {
  readonly overhead: number;
  readonly carrier: 'IPv4' | 'IPv6';
  readonly #options: VXLANOptions;
  readonly #exec: Exec;
  readonly #state: HostState;

  constructor(options: VXLANOptions, deps: { readonly exec: Exec; readonly state: HostState }) {
    this.#options = options;
    this.#exec = deps.exec;
    this.#state = deps.state;
    this.carrier = options.nodeAddresses[0]?.includes(':') ? 'IPv6' : 'IPv4';
    this.overhead = this.carrier === 'IPv6' ? OVERHEAD_IPV6 : OVERHEAD_IPV4;
  }

  async ensure(peers: readonly Peer[]): Promise<void> {
    const own = this.#options.podCIDRs();
    if (peers.length === 0 || own.length === 0) return this.#remove();
    await this.#ensureDevice(own);
    await this.#ensureEntries(peers);
    await this.#ensurePodRoutes(own, peers);
  }

  get #undo(): string[] {
    return ['link', 'del', this.#options.device];
  }

  async #remove(): Promise<void> {
    await this.#forgetRules([]);
    if (!this.#state.has(this.#undo)) return;
    await this.#exec.run('ip', this.#undo);
    await this.#state.forget(this.#undo);
  }

  async #ensureDevice(podCIDRs: readonly string[]): Promise<void> {
    const { device, nodeAddresses, underlayMTU } = this.#options;
    const [local = ''] = nodeAddresses;
    const mac = macOf(podCIDRs);
    const mtu = (await underlayMTU()) - this.overhead;
    const links = await ipJSON<VXLANLink>(this.#exec, ['-details', 'link', 'show']);
    const link = links.find(({ ifname }) => ifname === device);
    const { local: end4, local6: end6 = '' } = link?.linkinfo?.info_data ?? {};
    const isRight = link?.address === mac && link.mtu === mtu && isSameAddress(end4 ?? end6, local);
    if (!isRight) {
      if (link !== undefined) await this.#exec.run('ip', this.#undo);
      await this.#state.note(this.#undo);
      const tunnel = ['id', String(NETWORK_ID), 'dstport', String(PORT), 'local', local, 'nolearning'];
      const added = ['link', 'add', device, 'address', mac, 'mtu', String(mtu), 'type', 'vxlan', ...tunnel];
      await this.#ip(added).catch((error: unknown) => {
        const hint = 'load its module vxlan, or start the server with --network-backend host-gw';
        if (!(error instanceof ExecError) || !UNSUPPORTED.test(error.result.stderr)) throw error;
        throw new Error(`this kernel has no VXLAN, by which pods of other nodes are reached: ${hint}`, {
          cause: error,
        });
      });
    }
    for (const podCIDR of podCIDRs) {
      const base = baseOf(podCIDR);
      // Nobody else can have it: there is nothing to wait for.
      const address = isIPv6(base) ? [`${base}/128`, 'dev', device, 'nodad'] : [`${base}/32`, 'dev', device];
      await this.#ip(['addr', 'replace', ...address]);
    }
    await this.#ip(['link', 'set', device, 'up']);
  }

  /** Entries and routes of exactly these peers; the kernel says which there are. */
  async #ensureEntries(peers: readonly Peer[]): Promise<void> {
    const { device } = this.#options;
    const ends = endsOf(peers);
    await this.#forgetOthers(peers, ends);
    const entries = [...ends.values()].map(({ mac, nodeIP }) => ['fdb', 'replace', mac, 'dev', device, 'dst', nodeIP]);
    await this.#batch('bridge', entries);
    const routes = peers.flatMap(({ node, podCIDR }) => {
      const gateway = baseOf(podCIDR);
      const mac = ends.get(node)?.mac ?? '';
      return [
        ['neigh', 'replace', gateway, 'lladdr', mac, 'dev', device, 'nud', 'permanent'],
        ['route', 'replace', podCIDR, 'via', gateway, 'dev', device, 'onlink'],
      ];
    });
    await this.#batch('ip', routes);
  }

  async #forgetOthers(peers: readonly Peer[], ends: ReadonlyMap<string, TunnelEnd>): Promise<void> {
    const { device } = this.#options;
    const destinations = new Map([...ends.values()].map(({ mac, nodeIP }) => [mac, nodeIP]));
    const wanted = new Set(peers.map(({ podCIDR }) => podCIDR));
    for (const option of ['-4', '-6']) {
      const routes = await ipJSON<{ dst: string; gateway?: string }>(this.#exec, [
        option,
        'route',
        'show',
        'dev',
        device,
      ]);
      for (const { dst, gateway } of routes) {
        if (gateway === undefined || wanted.has(dst)) continue;
        await this.#exec.run('ip', [option, 'route', 'del', dst, 'dev', device]);
        await this.#exec.run('ip', ['neigh', 'del', gateway, 'dev', device]);
      }
    }
    const text = await execOutput(this.#exec, 'bridge', ['-json', 'fdb', 'show', 'dev', device]);
    const entries = (text.trim() === '' ? [] : JSON.parse(text)) as { mac: string; dst?: string }[];
    for (const { mac, dst } of entries) {
      if (dst === undefined || destinations.get(mac) === dst) continue;
      await this.#exec.run('bridge', ['fdb', 'del', mac, 'dev', device, 'dst', dst]);
    }
  }

  /** Routes to the nodes of exactly these peers, for packets from this node's pods only. */
  async #ensurePodRoutes(own: readonly string[], peers: readonly Peer[]): Promise<void> {
    const { device } = this.#options;
    const place = ['dev', device, 'table', POD_ROUTES];
    const wanted = new Set(peers.flatMap(({ addresses }) => addresses));
    const routes = peers.flatMap(({ podCIDR, addresses }) =>
      addresses.map((address) => ['route', 'replace', address, 'via', baseOf(podCIDR), 'onlink', ...place]),
    );
    await this.#batch('ip', routes);
    for (const option of new Set(peers.flatMap(({ podCIDR }) => family(podCIDR)))) {
      const present = await ipJSON<{ dst: string }>(this.#exec, [option, 'route', 'show', ...place]);
      for (const { dst } of present)
        if (!wanted.has(dst)) await this.#exec.run('ip', [option, 'route', 'del', dst, ...place]);
    }
    await this.#ensureRules(own);
  }

  async #ensureRules(own: readonly string[]): Promise<void> {
    await this.#forgetRules(own);
    for (const podCIDR of own) {
      const [option = ''] = family(podCIDR);
      const rules = await ipJSON<{ priority: number; src?: string; srclen?: number }>(this.#exec, [
        option,
        'rule',
        'show',
      ]);
      const present = rules.some(
        ({ priority, src, srclen }) => String(priority) === POD_ROUTES && `${src}/${srclen}` === podCIDR,
      );
      if (present) continue;
      await this.#state.note(ruleFor('del', podCIDR));
      await this.#ip(ruleFor('add', podCIDR));
    }
  }

  /** Takes back the rules for blocks of pod addresses that are no longer this node's. */
  async #forgetRules(own: readonly string[]): Promise<void> {
    const kept = new Set(own.map((podCIDR) => ruleFor('del', podCIDR).join(' ')));
    for (const undo of this.#state.filter(([, object]) => object === 'rule')) {
      if (kept.has(undo.join(' '))) continue;
      await this.#exec.run('ip', undo);
      await this.#state.forget(undo);
    }
  }

  /** In one process, whatever the number of nodes. */
  async #batch(program: 'ip' | 'bridge', lines: readonly (readonly string[])[]): Promise<void> {
    if (lines.length === 0) return;
    const input = `${lines.map((line) => line.join(' ')).join('\n')}\n`;
    await execOutput(this.#exec, program, ['-batch', '-'], { input });
  }

  #ip(args: readonly string[]): Promise<string> {
    return execOutput(this.#exec, 'ip', [...args]);
  }
}

function ruleFor(verb: 'add' | 'del', podCIDR: string): string[] {
  return [...family(podCIDR), 'rule', verb, 'from', podCIDR, 'lookup', POD_ROUTES, 'priority', POD_ROUTES];
}

interface TunnelEnd {
  readonly mac: string;
  readonly nodeIP: string;
}

/** By node, not by address: a machine with a new name has the address of the node that it was, until that one is deleted. */
function endsOf(peers: readonly Peer[]): Map<string, TunnelEnd> {
  const ends = new Map<string, TunnelEnd>();
  for (const [node, blocks] of Map.groupBy(peers, (peer) => peer.node)) {
    const mac = macOf(blocks.map(({ podCIDR }) => podCIDR));
    ends.set(node, { mac, nodeIP: blocks[0]?.nodeIP ?? '' });
  }
  return ends;
}

/** The hardware address of the tunnel's end at the node with these blocks: locally administered, unicast. */
export function macOf(podCIDRs: readonly string[]): string {
  const [first = ''] = [...podCIDRs].sort();
  const bytes = createHash('sha256').update(first).digest().subarray(0, 5);
  return [0x02, ...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** IPv6 addresses have several spellings. */
function isSameAddress(a: string, b: string): boolean {
  return a === b || (isIPv6(a) && isIPv6(b) && canonical(a) === canonical(b));
}

function canonical(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

function baseOf(cidr: string): string {
  return cidr.slice(0, cidr.indexOf('/'));
}

function family(cidr: string): string[] {
  return cidr.includes(':') ? ['-6'] : ['-4'];
}
