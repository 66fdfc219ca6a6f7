import { isStatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { Lease, OwnerReference } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import { formatMicroTime } from '../api/time.ts';
import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Client } from './client.ts';
import { ignoreNotFound } from './retry.ts';

export interface LeaseHolderOptions {
  readonly namespace: string;
  readonly name: string;
  /** Who holds the lease; two holders must not share it. */
  readonly identity: string;
  readonly durationSeconds: number;
  readonly renewIntervalMs: number;
  /** Set on creation (node leases belong to their Node); asked until it has an answer. */
  readonly owner?: () => OwnerReference | undefined;
  /** Ends with an error when somebody else has taken the lease (leader election). Default: keeps trying (heartbeats). */
  readonly failWhenLost?: boolean;
  /** Gives the lease up when stopped, so that another holder need not wait. */
  readonly releaseOnStop?: boolean;
}

export interface LeaseHolderDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when the server answers again after a try that it did not answer. */
  readonly answeredAgain?: () => void;
}

/**
 * A try that takes longer than the interval, and than this, is given up: after a link was cut its connection is silent for long,
 * where another one gets through at once.
 */
const MIN_TRY_MS = 5_000;

/**
 * Takes a Lease, waiting while somebody else holds it, and renews it. Ready when it is held. Serves node heartbeats and
 * leader election. A foreign lease counts as expired when it was not renewed for its duration by our own clock.
 */
export class LeaseHolder implements Component {
  readonly name: string;
  readonly #options: LeaseHolderOptions;
  readonly #deps: LeaseHolderDeps;
  #held: DeepReadonly<Lease> | undefined;
  /** The last try has got no answer. */
  #isSilent = false;
  /** The renewTime last seen of another holder, and when we saw it. */
  #foreign: { renewTime: string | undefined; seenMs: number } | undefined;

  constructor(options: LeaseHolderOptions, deps: LeaseHolderDeps) {
    this.name = `lease ${options.namespace}/${options.name}`;
    this.#options = options;
    this.#deps = deps;
  }

  get held(): boolean {
    return this.#held !== undefined;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { renewIntervalMs, durationSeconds } = this.#options;
    let announced = false;
    let renewedMs = this.#deps.clock.monotonic();
    while (!signal.aborted) {
      const held = await this.#tryOnce(signal);
      if (held) {
        renewedMs = this.#deps.clock.monotonic();
        if (!announced) ready();
        announced = true;
      } else if (announced && this.#options.failWhenLost) {
        const overdue = this.#deps.clock.monotonic() - renewedMs >= durationSeconds * 1000;
        if (this.#held === undefined || overdue) throw new Error(`${this.name} was lost`);
      }
      const waitMs = held ? renewIntervalMs : Math.min(renewIntervalMs, 2000);
      await this.#deps.clock.sleep(waitMs, signal);
    }
    if (this.#options.releaseOnStop && this.#held !== undefined) await this.#release(this.#held);
  }

  async #tryOnce(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#deps;
    const limitMs = Math.max(MIN_TRY_MS, this.#options.renewIntervalMs);
    const slow = new AbortController();
    const cancel = clock.after(limitMs, () => slow.abort(new Error(`no answer within ${limitMs / 1000} s`)));
    try {
      this.#held = await this.#acquireOrRenew(AbortSignal.any([signal, slow.signal]));
      this.#hasAnswered();
    } catch (error) {
      if (signal.aborted) return false;
      if (isStatusError(error)) this.#hasAnswered();
      else this.#isSilent = true;
      // The next try reads the lease afresh.
      this.#deps.logger.warn({ err: error, lease: this.#options.name }, 'lease was not renewed');
      if (!isStatusError(error, 'Conflict')) return false;
      const current = await ignoreNotFound(this.#read(signal)).catch(() => undefined);
      this.#held = current?.spec.holderIdentity === this.#options.identity ? current : undefined;
      return false;
    } finally {
      cancel();
    }
    return this.#held !== undefined;
  }

  #hasAnswered(): void {
    if (this.#isSilent) this.#deps.answeredAgain?.();
    this.#isSilent = false;
  }

  #read(signal?: AbortSignal): Promise<DeepReadonly<Lease>> {
    return this.#deps.client.get(resources.leases, this.#options, signal);
  }

  async #acquireOrRenew(signal: AbortSignal): Promise<DeepReadonly<Lease> | undefined> {
    const { namespace, name, identity, durationSeconds, owner } = this.#options;
    const { client, clock } = this.#deps;
    const now = formatMicroTime(clock.now());
    // A lease we hold is renewed without reading it: nobody else writes it.
    const current = this.#held ?? (await ignoreNotFound(this.#read(signal)));
    const ownerReference = owner?.();
    if (current === undefined) {
      return client.create(
        resources.leases,
        {
          metadata: { namespace, name, ...(ownerReference === undefined ? {} : { ownerReferences: [ownerReference] }) },
          spec: {
            holderIdentity: identity,
            leaseDurationSeconds: durationSeconds,
            ...(this.#options.failWhenLost ? { acquireTime: now, leaseTransitions: 0 } : {}),
            renewTime: now,
          },
        },
        undefined,
        signal,
      );
    }
    const mine = current.spec.holderIdentity === identity;
    if (!mine && current.spec.holderIdentity && !this.#expired(current)) return undefined;
    const taken = mine ? {} : { acquireTime: now, leaseTransitions: (current.spec.leaseTransitions ?? 0) + 1 };
    const { ownerReferences = ownerReference === undefined ? undefined : [ownerReference] } = current.metadata;
    try {
      return await client.update(
        resources.leases,
        {
          ...current,
          metadata: { ...current.metadata, ...(ownerReferences === undefined ? {} : { ownerReferences }) },
          spec: {
            ...current.spec,
            holderIdentity: identity,
            leaseDurationSeconds: durationSeconds,
            ...taken,
            renewTime: now,
          },
        },
        undefined,
        signal,
      );
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      this.#held = undefined;
      return this.#acquireOrRenew(signal);
    }
  }

  #expired(lease: DeepReadonly<Lease>): boolean {
    const nowMs = this.#deps.clock.monotonic();
    if (this.#foreign === undefined || this.#foreign.renewTime !== lease.spec.renewTime) {
      this.#foreign = { renewTime: lease.spec.renewTime, seenMs: nowMs };
    }
    return nowMs - this.#foreign.seenMs >= (lease.spec.leaseDurationSeconds ?? 0) * 1000;
  }

  async #release(lease: DeepReadonly<Lease>): Promise<void> {
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 };
    await this.#deps.client.update(resources.leases, { ...lease, spec }).catch((error: unknown) => {
      this.#deps.logger.warn({ err: error, lease: this.#options.name }, 'lease was not released');
    });
  }
}
