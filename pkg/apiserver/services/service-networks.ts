import { isIPv6 } from 'node:net';
import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { IPAddress, Service } from '../../api/generated/types.ts';
import { type DeepReadonly, type Draft, keyOf, parseKey } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import { aborted } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import type { Client } from '../../client/client.ts';
import type { ObjectReader } from '../contract.ts';
import { ALLOCATOR, addressesOf, MANAGED_BY } from './service-addresses.ts';

export interface ServiceNetworksDeps {
  readonly reader: ObjectReader;
  /** Of a user in system:masters. */
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The ServiceCIDR that the configuration makes. */
export const DEFAULT_SERVICE_CIDR = 'kubernetes';
const IP_FAMILY = 'ipaddress.kubernetes.io/ip-family';
const RETRY_MS = 1000;

/**
 * Keeps the ServiceCIDR `kubernetes` and an IPAddress object for each cluster IP of a Service. Upstream: the default
 * ServiceCIDR controller and the repair loop of the API server, and its allocator, which writes the object before the Service.
 */
export class ServiceNetworks implements Component {
  readonly name = 'service-networks';
  readonly #cidrs: readonly string[];
  readonly #deps: ServiceNetworksDeps;
  /** Service by address, and the addresses of each. */
  readonly #owners = new Map<string, string>();
  readonly #addresses = new Map<string, readonly string[]>();
  readonly #dirty = new Set<string>();
  #wake: () => void = () => {};

  constructor(cidrs: readonly string[], deps: ServiceNetworksDeps) {
    this.#cidrs = cidrs;
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { reader, logger, clock } = this.#deps;
    const stops = [
      reader.onChange(resources.services, (service, change) => this.#serviceChanged(service, change === 'DELETED')),
      reader.onChange(resources.ipaddresses, ({ metadata: { name } }) => this.#touch(name)),
      reader.onChange(resources.servicecidrs, ({ metadata: { name } }, change) => {
        if (name === DEFAULT_SERVICE_CIDR && change === 'DELETED') this.#touch('');
      }),
    ];
    for (const service of reader.list(resources.services)) this.#serviceChanged(service, false);
    for (const { metadata } of reader.list(resources.ipaddresses)) this.#touch(metadata.name);
    const stopped = aborted(signal);
    try {
      await this.#ensureDefault();
      ready();
      while (!signal.aborted) {
        const [next] = this.#dirty;
        if (next === undefined) {
          await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), stopped]);
          continue;
        }
        this.#dirty.delete(next);
        try {
          await (next === '' ? this.#ensureDefault() : this.#ensureAddress(next));
        } catch (error) {
          if (signal.aborted) return;
          logger.warn({ err: error, address: next }, 'the object of a Service address could not be written');
          this.#dirty.add(next);
          await clock.sleep(RETRY_MS, signal);
        }
      }
    } finally {
      for (const stop of stops) stop();
    }
  }

  #serviceChanged(service: DeepReadonly<Service>, gone: boolean): void {
    const key = keyOf(service);
    const next = gone ? [] : addressesOf(service.spec);
    const before = this.#addresses.get(key) ?? [];
    if (equalJSON(next, before)) return;
    if (next.length === 0) this.#addresses.delete(key);
    else this.#addresses.set(key, next);
    for (const ip of before) {
      if (this.#owners.get(ip) === key) this.#owners.delete(ip);
      this.#touch(ip);
    }
    for (const ip of next) {
      this.#owners.set(ip, key);
      this.#touch(ip);
    }
  }

  #touch(address: string): void {
    this.#dirty.add(address);
    this.#wake();
  }

  /** Creates it when it is missing; one with other networks stays as it is (as upstream): they are a matter for its owner. */
  async #ensureDefault(): Promise<void> {
    const { reader, client, clock, logger } = this.#deps;
    const key = { name: DEFAULT_SERVICE_CIDR };
    const existing = reader.get(resources.servicecidrs, key);
    if (existing !== undefined) {
      if (!equalJSON(existing.spec.cidrs, this.#cidrs))
        logger.warn(
          { has: existing.spec.cidrs, configured: this.#cidrs },
          'ServiceCIDR kubernetes is not as configured',
        );
      return;
    }
    try {
      const cidr = await client.create(resources.servicecidrs, { metadata: key, spec: { cidrs: [...this.#cidrs] } });
      const ready = {
        type: 'Ready',
        status: 'True',
        reason: '',
        message: 'Kubernetes default Service CIDR is ready',
        lastTransitionTime: formatTime(clock.now()),
      };
      await client.updateStatus(resources.servicecidrs, { ...cidr, status: { conditions: [ready] } });
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists') && !isStatusError(error, 'Conflict')) throw error;
    }
  }

  async #ensureAddress(name: string): Promise<void> {
    const { reader, client } = this.#deps;
    const existing = reader.get(resources.ipaddresses, { name });
    const owner = this.#owners.get(name);
    // Somebody else's object only keeps the address from being given away.
    if (existing !== undefined && existing.metadata.labels?.[MANAGED_BY] !== ALLOCATOR) return;
    const wanted = owner === undefined ? undefined : addressObject(name, owner);
    if (existing !== undefined && wanted !== undefined && equalJSON(existing.spec, wanted.spec)) return;
    try {
      if (existing !== undefined) await client.delete(resources.ipaddresses, { name });
      if (wanted !== undefined) await client.create(resources.ipaddresses, wanted);
    } catch (error) {
      if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'AlreadyExists')) throw error;
    }
  }
}

/** As it is stored: the core group is the absent one. */
function addressObject(name: string, service: string): Draft<IPAddress> {
  const labels = { [IP_FAMILY]: isIPv6(name) ? 'IPv6' : 'IPv4', [MANAGED_BY]: ALLOCATOR };
  const parentRef = { resource: 'services', ...parseKey(service) };
  return { metadata: { name, labels }, spec: { parentRef } };
}
