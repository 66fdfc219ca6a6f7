import { randomInt } from 'node:crypto';
import { resources } from '../api/generated/resources.ts';
import type { ConfigMap } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import { aborted } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { networkMatcher } from '../base/network-matcher.ts';
import type { Informers } from '../client/client.ts';
import { normalAddress } from './addresses.ts';
import { createDNSMetrics } from './dns-metrics.ts';
import { Forwarder } from './forwarder.ts';
import { type Listener, listenTCP, listenUDP, type Respond } from './listeners.ts';
import { resolvConfUpstreams } from './resolv-conf.ts';
import { parseResolverConfig, RESOLVER_CONFIG, type ResolverConfig, stubFor } from './resolver-config.ts';
import { Responder } from './responder.ts';
import { type Exchange, networkExchange, type Upstream } from './upstream.ts';
import {
  addressesOf,
  clusterIPsOf,
  SERVICES_BY_IP,
  SLICES_BY_ADDRESS,
  SLICES_BY_SERVICE,
  serviceKeyOf,
  Zone,
} from './zone.ts';

export interface DNSOptions {
  /** Addresses to answer on; they must exist on the host. */
  readonly addresses: readonly string[];
  /** Default 53. */
  readonly port?: number;
  /** `cluster.local` */
  readonly clusterDomain: string;
  /** Pod and Service networks: their reverse names are ours. */
  readonly clusterNetworks: readonly string[];
  /** Resolvers for everything else; default: those of `resolvConf`. */
  readonly upstreams?: readonly Upstream[];
  /** Default /etc/resolv.conf. */
  readonly resolvConf?: string;
}

export interface DNSDeps {
  readonly informers: Informers;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  readonly exchange?: Exchange;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** Ready when it answers with the whole cluster's names. Fails when an address cannot be bound. */
export function createDNS(options: DNSOptions, deps: DNSDeps): Component {
  return { name: 'dns', run: (signal, ready) => run(options, deps, signal, ready) };
}

async function run(options: DNSOptions, deps: DNSDeps, signal: AbortSignal, ready: () => void): Promise<void> {
  const logger = deps.logger;
  const listeners: Listener[] = [];
  try {
    const responder = await createResponder(options, deps, logger, signal);
    const { addresses, port = 53 } = options;
    for (const address of addresses) {
      for (const listen of [listenUDP, listenTCP])
        listeners.push(await listen(address, port, guarded(responder, logger), logger));
    }
    ready();
    await aborted(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await Promise.all(listeners.map((listener) => listener.close()));
  }
}

/** Whatever a packet does to us, the next one is answered. */
function guarded(responder: Responder, logger: Logger): Respond {
  const failed = (error: unknown): undefined => {
    logger.error({ err: error }, 'a DNS query could not be answered');
  };
  return (packet, transport) => {
    try {
      const answer = responder.respond(packet, transport);
      return answer instanceof Promise ? answer.catch(failed) : answer;
    } catch (error) {
      return failed(error);
    }
  };
}

/** Names outside the cluster are answered before the ConfigMap is known: not every server lets this node read it. */
function followResolverConfig(
  informers: Informers,
  signal: AbortSignal,
  changed: (configMap: DeepReadonly<ConfigMap> | undefined) => void,
): void {
  const { namespace, name } = RESOLVER_CONFIG;
  const remove = informers
    .for(resources.configmaps, { namespace, fieldSelector: `metadata.name=${name}` })
    .addHandler({ onAdd: changed, onUpdate: changed, onDelete: () => changed(undefined) });
  signal.addEventListener('abort', remove, { once: true });
}

async function createResponder(
  options: DNSOptions,
  deps: DNSDeps,
  logger: Logger,
  signal: AbortSignal,
): Promise<Responder> {
  const { informers, clock, random = Math.random } = deps;
  const services = informers.for(resources.services, { indexers: { [SERVICES_BY_IP]: clusterIPsOf } });
  const slices = informers.for(resources.endpointslices, {
    indexers: { [SLICES_BY_SERVICE]: serviceKeyOf, [SLICES_BY_ADDRESS]: addressesOf },
  });
  const namespaces = informers.for(resources.namespaces);
  for (const informer of [services, slices, namespaces]) await informer.synced(signal);
  const zone = new Zone(
    {
      domain: options.clusterDomain,
      addresses: options.addresses,
      isClusterAddress: networkMatcher(options.clusterNetworks),
    },
    {
      services: services.lister,
      slices: slices.lister,
      namespaces: namespaces.lister,
      random,
      now: () => clock.now(),
    },
  );
  const own = new Set(options.addresses.map(normalAddress));
  const { upstreams, resolvConf = '/etc/resolv.conf' } = options;
  const ofHost = upstreams === undefined ? resolvConfUpstreams(resolvConf, own, clock) : async () => upstreams;
  let custom: ResolverConfig = { stubDomains: new Map() };
  const metrics = createDNSMetrics(deps.metrics, () => forwarder.size);
  const forwarder = new Forwarder({
    clock,
    logger,
    exchange: deps.exchange ?? networkExchange,
    randomID: () => randomInt(65_536),
    upstreams: async (name) => stubFor(name, custom.stubDomains) ?? custom.upstreams ?? (await ofHost()),
    onExchange: metrics.exchanged,
  });
  followResolverConfig(informers, signal, (configMap) => {
    const { config, problems } = parseResolverConfig(configMap, own);
    if (problems.length > 0) logger.warn({ problems }, 'ConfigMap kube-system/kube-dns: some of it is not used');
    custom = config;
    forwarder.forget();
  });
  return new Responder({ zone, forwarder, metrics, now: () => clock.monotonic() });
}
