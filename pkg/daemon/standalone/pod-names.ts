import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6 } from 'node:net';
import { resources } from '../../api/generated/resources.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';
import { type Component, component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { AsyncQueue } from '../../base/queue.ts';
import type { Client, Informers } from '../../client/index.ts';

/** What a Service, and so a name, may be called. */
const LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

export interface PodNamesDeps {
  /** Of the pods. */
  readonly informers: Informers;
  /** Where the name server finds Services and EndpointSlices: they are nobody else's. */
  readonly client: Client;
  readonly logger: Logger;
}

/**
 * Lets pods find each other by name without a cluster: each is the one backend of a headless Service of its own name. A pod whose
 * name is no name of a Service has none.
 */
export function podNames({ informers, client, logger }: PodNamesDeps): Component {
  const pods = informers.for(resources.pods);
  return component('pod-names', async (signal, ready) => {
    await pods.synced(signal);
    const changes = new AsyncQueue<undefined>();
    const changed = (): void => changes.push(undefined);
    const remove = pods.addHandler({ onAdd: changed, onUpdate: changed, onDelete: changed });
    signal.addEventListener('abort', () => changes.end(), { once: true });
    const told = new Map<string, readonly string[]>();
    ready();
    try {
      for await (const _ of changes) {
        await tell(addressesByName(pods.lister.list()), told, client).catch((error: unknown) => {
          if (!signal.aborted) logger.warn({ err: error }, 'the names of the pods could not be told');
        });
      }
    } finally {
      remove();
    }
  });
}

/** The addresses of pods that have some, by `namespace/name`. Pure. */
export function addressesByName(pods: Iterable<DeepReadonly<Pod>>): Map<string, readonly string[]> {
  const addresses = new Map<string, readonly string[]>();
  for (const { metadata, status } of pods) {
    const { namespace = 'default', name = '' } = metadata;
    const ips = (status?.podIPs ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
    const hasEnded = status?.phase === 'Succeeded' || status?.phase === 'Failed';
    if (LABEL.test(name) && ips.length > 0 && !hasEnded) addresses.set(`${namespace}/${name}`, ips);
  }
  return addresses;
}

async function tell(
  wanted: ReadonlyMap<string, readonly string[]>,
  told: Map<string, readonly string[]>,
  client: Client,
): Promise<void> {
  for (const [key, before] of told) {
    if (equalJSON(wanted.get(key), before)) continue;
    const [namespace = '', name = ''] = key.split('/');
    for (const ip of before) await client.delete(resources.endpointslices, { namespace, name: sliceName(name, ip) });
    await client.delete(resources.services, { namespace, name });
    told.delete(key);
  }
  for (const [key, ips] of wanted) {
    if (told.has(key)) continue;
    const [namespace = '', name = ''] = key.split('/');
    await client.create(resources.services, { metadata: { namespace, name }, spec: { clusterIP: 'None' }, status: {} });
    for (const ip of ips) {
      await client.create(resources.endpointslices, {
        metadata: { namespace, name: sliceName(name, ip), labels: { 'kubernetes.io/service-name': name } },
        addressType: isIPv6(ip) ? 'IPv6' : 'IPv4',
        endpoints: [{ addresses: [ip], conditions: { ready: true } }],
        ports: [],
      });
    }
    told.set(key, ips);
  }
}

function sliceName(name: string, ip: string): string {
  return `${name}-${isIPv6(ip) ? 'ipv6' : 'ipv4'}`;
}

/** Where the pods of a data directory find their name server: an address of this machine alone (RFC 3927), and of no other agent. */
export function nameServerAddress(dataDir: string): string {
  const hash = createHash('sha256').update(dataDir).digest();
  // The first and the last 256 of the block are reserved; clouds have servers of their own at 169.254.169.
  return `169.254.${1 + ((hash[0] ?? 0) % 160)}.${1 + ((hash[1] ?? 0) % 254)}`;
}

/** An address of this machine alone on which nobody else listens by name. */
const PROBE = '127.169.254.1';

/** Whether a name server can listen: not when another one does on all addresses of the machine. */
export async function isNamePortFree(port = 53): Promise<boolean> {
  const udp = createSocket('udp4');
  const tcp = createServer();
  try {
    udp.bind(port, PROBE);
    await once(udp, 'listening');
    tcp.listen(port, PROBE);
    await once(tcp, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    udp.close();
    tcp.close();
  }
}
