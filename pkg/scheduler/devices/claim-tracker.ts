import type { ResourceResourceClaim } from '../../api/generated/types.ts';
import { keyOf } from '../../api/object.ts';
import type { Informer, InformerHandler } from '../../client/index.ts';
import { AllocatedDevices } from './allocated-devices.ts';
import type { AllocatedDevice, Allocation, Claim } from './device-id.ts';

type Handler = InformerHandler<ResourceResourceClaim>;

/**
 * The claims as the scheduler believes them to be: as the API server has them, or newer where the scheduler wrote one itself
 * and has not seen it come back; with the allocations that it has decided on and not written yet. Upstream: claimTracker and
 * its assume cache.
 */
export class ClaimTracker {
  readonly allocated = new AllocatedDevices();
  readonly #claims: Informer<ResourceResourceClaim>;
  /** What the API server answered to our writes, until the informer has it too. */
  readonly #assumed = new Map<string, Claim>();
  /** By the claim's uid: allocations on their way to the API server. */
  readonly #pending = new Map<string, { readonly claim: Claim; readonly devices: readonly AllocatedDevice[] }>();
  /** What each claim takes away. */
  readonly #held = new Map<string, readonly AllocatedDevice[]>();
  readonly #handlers = new Set<Handler>();

  constructor(claims: Informer<ResourceResourceClaim>) {
    this.#claims = claims;
  }

  /** Follows the informer; returns the end of it. */
  follow(): () => void {
    return this.#claims.addHandler({
      onAdd: (claim) => this.#seen(claim),
      onUpdate: (claim, old) => this.#seen(claim, old),
      onDelete: (claim) => {
        const key = keyOf(claim);
        this.#assumed.delete(key);
        this.#hold(key, []);
        for (const handler of this.#handlers) handler.onDelete?.(claim);
      },
    });
  }

  /** Hears of every change, also of those that the informer does not tell; returns the end of it. */
  addHandler(handler: Handler): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  /** The newest that is known of a claim, by `namespace/name`. */
  get(key: string): Claim | undefined {
    const seen = this.#claims.lister.get(key);
    return seen === undefined ? undefined : (this.#assumed.get(key) ?? seen);
  }

  isPending(uid: string): boolean {
    return this.#pending.has(uid);
  }

  /** From now on the devices of the allocation are taken, although nobody has been told. */
  reserve(claim: Claim, allocation: Allocation): void {
    const devices = allocation.devices?.results ?? [];
    this.#pending.set(claim.metadata.uid, { claim: { ...claim, status: { ...claim.status, allocation } }, devices });
    this.allocated.add(devices);
  }

  /** The allocation was not written: its devices are free again. */
  release(uid: string): void {
    const pending = this.#unpend(uid);
    if (pending === undefined) return;
    const now = this.get(keyOf(pending.claim)) ?? { ...pending.claim, status: {} };
    for (const handler of this.#handlers) handler.onUpdate?.(now, pending.claim);
  }

  /** What the API server answered to a write of ours. */
  assume(claim: Claim): void {
    const key = keyOf(claim);
    const old = this.get(key);
    this.#unpend(claim.metadata.uid);
    if (versionOf(old) > versionOf(claim)) return;
    if (versionOf(this.#claims.lister.get(key)) < versionOf(claim)) this.#assumed.set(key, claim);
    this.#hold(key, claim.status?.allocation?.devices?.results ?? []);
    if (old !== undefined) for (const handler of this.#handlers) handler.onUpdate?.(claim, old);
  }

  #seen(claim: Claim, old?: Claim): void {
    const key = keyOf(claim);
    const assumed = this.#assumed.get(key);
    if (versionOf(assumed) > versionOf(claim)) return;
    this.#assumed.delete(key);
    this.#hold(key, claim.status?.allocation?.devices?.results ?? []);
    for (const handler of this.#handlers) {
      if (old === undefined) handler.onAdd?.(claim);
      else handler.onUpdate?.(claim, assumed ?? old);
    }
  }

  #unpend(uid: string): { readonly claim: Claim } | undefined {
    const pending = this.#pending.get(uid);
    if (pending === undefined) return undefined;
    this.#pending.delete(uid);
    this.allocated.remove(pending.devices);
    return pending;
  }

  #hold(key: string, devices: readonly AllocatedDevice[]): void {
    this.allocated.remove(this.#held.get(key) ?? []);
    this.allocated.add(devices);
    if (devices.length > 0) this.#held.set(key, devices);
    else this.#held.delete(key);
  }
}

function versionOf(claim: Claim | undefined): number {
  return claim === undefined ? -1 : Number(claim.metadata.resourceVersion);
}
