import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { resources } from '../api/generated/resources.ts';
import type { Node, ServiceCIDR } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import type { Exec } from '../base/exec.ts';
import { type FollowCommand, followCommand } from '../base/follow-command.ts';
import { equalJSON } from '../base/json.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Informer, Informers } from '../client/client.ts';
import type { NetworkBackend } from '../config/index.ts';
import { Controller } from '../controller/run-controller.ts';
import { fromInformer } from '../controller/sources.ts';
import { cniConfig } from './cni-config.ts';
import { detectMTU, uplinksOf } from './detect.ts';
import { ensureLetThrough } from './foreign-firewall.ts';
import { fromHostChanges } from './host-changes.ts';
import { HostGateway, type PeerTransport } from './host-gateway.ts';
import {
  ensureLocalAddress,
  ensureServiceRoute,
  ensureSysctls,
  type HostSetupDeps,
  removeServiceRoutes,
} from './host-setup.ts';
import { HostState, writeAtomically } from './host-state.ts';
import { removeOtherBackends } from './other-backends.ts';
import { type Peer, peersOf, podCIDRsOf } from './peers.ts';
import { neededSysctls, procSysctls, type Sysctls } from './sysctls.ts';
import { VXLAN } from './vxlan.ts';

export interface NetworkOptions {
  readonly nodeName: string;
  readonly backend: NetworkBackend;
  /** Name of the interface that a tunnel needs, at most 15 characters. */
  readonly tunnelDevice: string;
  /** Where the container runtime looks for network configurations. */
  readonly cniConfigDir: string;
  /** Where the CNI plugin keeps which addresses are given away. */
  readonly cniStateDir: string;
  readonly clusterCIDRs: readonly string[];
  readonly serviceCIDRs: readonly string[];
  /** The node's own addresses: the source of what the node sends to Services. */
  readonly nodeAddresses: readonly string[];
  /** Service addresses that this node answers on itself: the cluster DNS. */
  readonly localAddresses?: readonly string[];
  /** Where changes of the host are noted for `uninstall`. */
  readonly stateFile: string;
  /** Bytes; default: that of the interface to other machines, less what the backend adds. */
  readonly mtu?: number;
  /** Node ports on 127.0.0.1 too (needs a kernel setting). Default true. */
  readonly localhostNodePorts?: boolean;
  /** Processors of the node, where a service proxy has the kernel track connections. */
  readonly trackingProcessors?: number;
}

export interface NetworkDeps {
  readonly informers: Informers;
  readonly exec: Exec;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sysctls?: Sysctls;
  /** How commands are followed that report changes of the host; default: they are run. */
  readonly follow?: FollowCommand;
}

const CONFIG_FILE = '10-kube-lite.conflist';

/**
 * Ready when the host is prepared. The CNI configuration is written as soon as the node has its pod CIDRs, which comes
 * after the node has registered; the runtime reports the network as not ready until then. It stays when this ends.
 */
export function createNetwork(options: NetworkOptions, deps: NetworkDeps): Component {
  return new Network(options, deps);
}

class Network implements Component {
  readonly name = 'network';
  readonly #options: NetworkOptions;
  readonly #deps: NetworkDeps;
  readonly #host: HostSetupDeps;
  readonly #transport: PeerTransport | undefined;
  readonly #nodes: Informer<Node>;
  readonly #serviceCIDRs: Informer<ServiceCIDR>;

  constructor(options: NetworkOptions, deps: NetworkDeps) {
    this.#options = options;
    this.#deps = deps;
    const state = new HostState(options.stateFile);
    this.#host = {
      exec: deps.exec,
      sysctls: deps.sysctls ?? procSysctls,
      state,
      logger: deps.logger,
    };
    this.#nodes = deps.informers.for(resources.nodes);
    this.#serviceCIDRs = deps.informers.for(resources.servicecidrs);
    this.#transport = this.#newTransport(state);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    await this.#prepareHost();
    if (signal.aborted) return;
    ready();
    const single = { namespace: '', name: 'pod-network' };
    const controller = new Controller(
      {
        name: 'network',
        sources: [
          fromInformer(this.#nodes, { map: () => [single], updated: networkChanged }),
          fromInformer(this.#serviceCIDRs, { map: () => [single], updated: () => false }),
          fromHostChanges(
            { request: single, own: () => this.#own(), tunnelDevice: this.#options.tunnelDevice },
            { follow: this.#deps.follow ?? followCommand, clock: this.#deps.clock },
          ),
        ],
        reconciler: { reconcile: () => this.#reconcile() },
        workers: 1,
        rateLimit: { initialMs: 250, maxMs: 30_000 },
      },
      this.#deps,
    );
    await controller.run(signal, () => {});
  }

  #newTransport(state: HostState): PeerTransport | undefined {
    const { backend, nodeName, tunnelDevice, nodeAddresses } = this.#options;
    const { exec } = this.#deps;
    if (backend === 'none') return undefined;
    if (backend === 'host-gw') return new HostGateway(exec, state);
    return new VXLAN(
      {
        device: tunnelDevice,
        podCIDRs: () => podCIDRsOf(this.#nodes.lister.get(nodeName)),
        nodeAddresses,
        underlayMTU: () => detectMTU(exec, nodeAddresses),
      },
      { exec, state },
    );
  }

  async #prepareHost(): Promise<void> {
    const {
      clusterCIDRs,
      serviceCIDRs,
      localAddresses = [],
      localhostNodePorts = true,
      trackingProcessors,
    } = this.#options;
    await this.#host.state.load();
    await removeOtherBackends(this.#options.backend, this.#host);
    const ipv6 = clusterCIDRs.some((cidr) => cidr.includes(':'));
    const tracking = trackingProcessors === undefined ? {} : { trackingProcessors };
    const uplinks = (await uplinksOf(this.#deps.exec, this.#options.nodeAddresses)).map(({ ifname }) => ifname);
    await ensureSysctls(neededSysctls({ ipv6, uplinks, localhostNodePorts, ...tracking }), this.#host);
    for (const cidr of serviceCIDRs) await this.#ensureServiceRoute(cidr);
    for (const address of localAddresses) await ensureLocalAddress(address, this.#host);
  }

  /** What nobody else should take away. */
  #own(): string[] {
    const { nodeName, localAddresses = [] } = this.#options;
    const peers = this.#peers(this.#transport);
    const pods = podCIDRsOf(this.#nodes.lister.get(nodeName));
    const ways = peers.flatMap(({ podCIDR, addresses }) => [podCIDR, ...addresses]);
    return [...ways, ...pods, ...this.#wantedServiceCIDRs(), ...localAddresses];
  }

  #peers(transport: PeerTransport | undefined): Peer[] {
    const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const local = new Set(addresses.map(({ address }) => address));
    return peersOf(this.#nodes.lister.list(), { self: this.#options.nodeName, carrier: transport?.carrier, local });
  }

  #wantedServiceCIDRs(): string[] {
    const added = [...this.#serviceCIDRs.lister.list()].flatMap(({ spec }) => spec?.cidrs ?? []);
    return [...new Set([...this.#options.serviceCIDRs, ...added])];
  }

  #ensureServiceRoute(cidr: string): Promise<void> {
    const source = this.#options.nodeAddresses.find((address) => isIPv6(address) === cidr.includes(':'));
    return ensureServiceRoute(cidr, source, this.#host);
  }

  /** Routes to the networks of the configuration and of ServiceCIDR objects, and to no others. */
  async #ensureServiceRoutes(): Promise<void> {
    const wanted = this.#wantedServiceCIDRs();
    await removeServiceRoutes(wanted, this.#host);
    for (const cidr of wanted) await this.#ensureServiceRoute(cidr);
  }

  async #reconcile(): Promise<undefined> {
    await this.#ensureServiceRoutes();
    await ensureLetThrough(this.#options.clusterCIDRs, this.#host);
    for (const address of this.#options.localAddresses ?? []) await ensureLocalAddress(address, this.#host);
    const transport = this.#transport;
    if (transport === undefined) return undefined;
    const podCIDRs = podCIDRsOf(this.#nodes.lister.get(this.#options.nodeName));
    if (podCIDRs.length > 0) await this.#writeConfig(podCIDRs, transport);
    await transport.ensure(this.#peers(transport));
    return undefined;
  }

  async #writeConfig(podCIDRs: readonly string[], transport: PeerTransport): Promise<void> {
    const mtu =
      this.#options.mtu ?? (await detectMTU(this.#deps.exec, this.#options.nodeAddresses)) - transport.overhead;
    const path = join(this.#options.cniConfigDir, CONFIG_FILE);
    const text = cniConfig({ podCIDRs, mtu, stateDir: this.#options.cniStateDir });
    if ((await readFile(path, 'utf8').catch(() => '')) === text) return;
    await writeAtomically(path, text);
    this.#host.logger.info({ podCIDRs, mtu }, 'pod network configured');
  }
}

function networkChanged(node: DeepReadonly<Node>, old: DeepReadonly<Node>): boolean {
  return !equalJSON(podCIDRsOf(node), podCIDRsOf(old)) || !equalJSON(node.status?.addresses, old.status?.addresses);
}
