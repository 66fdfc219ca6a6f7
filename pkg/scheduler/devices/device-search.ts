import type { DeviceTaint, DeviceToleration } from '../../api/generated/types.ts';
import { toleratesDeviceTaint } from '../../api/scheduling/device-tolerations.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { AllocatedDevices, Amounts } from './allocated-devices.ts';
import { type Candidate, candidatesOf } from './candidates.ts';
import { type Constraint, constraintOf } from './constraints.ts';
import { consumption, formatConsumption } from './consumable-capacity.ts';
import { type AllocatedDevice, type Claim, nameOf, type ReadClass } from './device-id.ts';
import type { WantedDevices } from './device-request.ts';
import { PoolCounters } from './pool-counters.ts';
import type { Pool } from './pools.ts';

/** The most devices that an allocation may have. Upstream's AllocationResultsMaxSize. */
export const MAX_RESULTS = 32;

/**
 * Why nothing could be allocated at all. `claim`: something is wrong with the claim or its class, on whatever node; `node`:
 * other nodes may do; `late`: the search took too long.
 */
export type AllocationErrorCode = 'claim' | 'node' | 'late';

export class AllocationError extends Error {
  override readonly name = 'AllocationError';
  readonly code: AllocationErrorCode;

  constructor(code: AllocationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface Alternative {
  readonly wanted: WantedDevices;
  readonly class: ReadClass;
  /** All there are, for a request that wants all. */
  readonly all: readonly Candidate[] | undefined;
}

/** A request with the ways to satisfy it; `chosen` is the one that the search has settled on. */
export interface RequestPlan {
  /** Whether it is a list of subrequests. */
  readonly isList: boolean;
  readonly alternatives: readonly Alternative[];
  chosen: number;
}

/** A device given to a request. */
export interface FoundDevice {
  readonly candidate: Candidate;
  readonly result: AllocatedDevice;
}

export interface DeviceSearchDeps {
  readonly allocated: AllocatedDevices;
  readonly newShareID: () => string;
  readonly isLate: () => boolean;
  /** Whether the selectors of a request of the claim match. */
  readonly isSelected: (claim: Claim, alternative: Alternative, candidate: Candidate) => boolean;
}

/** `too many`: as `none`, and no other device of an earlier request would change that. */
type Outcome = 'done' | 'none' | 'too many';

/**
 * One search on one node, claim by claim, request by request, device by device: each choice is tried, and taken back when the
 * rest cannot be satisfied with it. Devices of one request are tried in one order only.
 */
export class DeviceSearch {
  readonly #deps: DeviceSearchDeps;
  readonly #claims: readonly Claim[];
  readonly #plans: readonly (readonly RequestPlan[])[];
  readonly #candidates: readonly Candidate[];
  readonly #constraints: readonly (readonly Constraint[])[];
  readonly #results: readonly FoundDevice[][];
  /** Device -> the claims of this pod that it goes to. */
  readonly #inUse = new Map<string, Set<number>>();
  /** What this pod's claims take of shared devices. */
  readonly #consumed = new Map<string, Map<string, bigint>[]>();
  readonly #counters = new Map<string, PoolCounters>();

  constructor(
    claims: readonly Claim[],
    plans: readonly (readonly RequestPlan[])[],
    pools: readonly Pool[],
    deps: DeviceSearchDeps,
  ) {
    this.#claims = claims;
    this.#plans = plans;
    this.#candidates = pools.flatMap(candidatesOf);
    this.#deps = deps;
    this.#constraints = claims.map(constraintsOf);
    this.#results = claims.map(() => []);
  }

  /** Whether there is a solution. Throws an AllocationError. */
  run(): boolean {
    return this.#claim(0) === 'done';
  }

  /** The devices of a claim, once the search has succeeded. */
  resultsOf(claim: number): readonly FoundDevice[] {
    return this.#results[claim] ?? [];
  }

  #claim(claim: number): Outcome {
    return claim >= this.#claims.length ? 'done' : this.#request(claim, 0);
  }

  #request(claim: number, request: number): Outcome {
    const plan = this.#plans[claim]?.[request];
    if (plan === undefined) {
      // Fewer devices for an earlier claim change nothing about the limit of this one.
      const outcome = this.#claim(claim + 1);
      return outcome === 'too many' ? 'none' : outcome;
    }
    let failure: Outcome = plan.alternatives.length === 0 ? 'none' : 'too many';
    for (const [i, alternative] of plan.alternatives.entries()) {
      const outcome = this.#device(claim, request, alternative, 0, 0);
      if (outcome === 'done') {
        plan.chosen = i;
        return outcome;
      }
      if (outcome === 'none') failure = 'none';
    }
    return failure;
  }

  /** Finds the devices from number `index` on; `start` is the first candidate that has not been tried before it. */
  #device(claim: number, request: number, alternative: Alternative, index: number, start: number): Outcome {
    if (this.#deps.isLate()) throw new AllocationError('late', 'timed out trying to allocate devices');
    const { all, wanted } = alternative;
    const count = all?.length ?? wanted.count;
    if (all?.length === 0) return 'none';
    if (index >= count) return this.#request(claim, request + 1);
    if (this.resultsOf(claim).length + count - index > MAX_RESULTS) return 'too many';
    const candidates = all ?? this.#candidates;
    for (let i = all === undefined ? start : index; i < candidates.length; i++) {
      const candidate = candidates[i] as Candidate;
      const giveBack = this.#canTry(claim, alternative, candidate)
        ? this.#take(claim, alternative, candidate)
        : undefined;
      if (giveBack !== undefined) {
        const outcome = this.#device(claim, request, alternative, index + 1, i + 1);
        if (outcome === 'done') return outcome;
        giveBack();
        if (outcome === 'too many') return outcome;
      }
      // The order of all devices is no choice: one that cannot be had is the end of it.
      if (all !== undefined) return 'none';
    }
    return 'none';
  }

  /** What is cheap comes first. */
  #canTry(claim: number, alternative: Alternative, candidate: Candidate): boolean {
    const claims = this.#inUse.get(candidate.id);
    const isFree = alternative.wanted.adminAccess
      ? claims?.has(claim) !== true
      : claims === undefined && !this.#deps.allocated.isTaken(candidate.id);
    return isFree && this.#deps.isSelected(this.#claims[claim] as Claim, alternative, candidate);
  }

  /** Gives a device to a request; returns how to take it back, or undefined when it cannot have it. */
  #take(claim: number, { wanted, all }: Alternative, candidate: Candidate): (() => void) | undefined {
    const { id, device, slice } = candidate;
    const isShared = device.allowMultipleAllocations === true;
    const consumed = consumption(device, wanted.capacity, [
      this.#deps.allocated.consumed(id),
      ...(this.#consumed.get(id) ?? []),
    ]);
    if (consumed === undefined || isKeptAway(device.taints ?? [], wanted.tolerations ?? [])) return undefined;
    const isOpened = this.#consumed.has(id) || this.#deps.allocated.consumed(id) !== undefined;
    const counters =
      (device.consumesCounters ?? []).length > 0 && !(isShared && isOpened)
        ? this.#countersOf(candidate.pool)
        : undefined;
    if (counters?.take(device) === false) return undefined;
    const release = this.#constrain(claim, wanted, candidate);
    if (release === undefined) {
      counters?.giveBack(device);
      if (all === undefined) return undefined;
      const problem = `cannot add device ${id} because a claim constraint would not be satisfied`;
      throw new AllocationError(
        'claim',
        `claim ${nameOf(this.#claims[claim] as Claim)}, request ${wanted.name}: ${problem}`,
      );
    }
    const results = this.#results[claim] ?? [];
    const amounts = new Map([...consumed].map(([name, { nano }]) => [name, nano]));
    results.push({
      candidate,
      result: {
        request: wanted.ref,
        driver: slice.spec.driver,
        pool: slice.spec.pool.name,
        device: device.name,
        ...(wanted.adminAccess ? { adminAccess: true } : {}),
        ...(wanted.tolerations === undefined ? {} : { tolerations: wanted.tolerations }),
        ...(isShared ? { shareID: this.#deps.newShareID() } : {}),
        ...(isShared && consumed.size > 0 ? { consumedCapacity: formatConsumption(consumed) } : {}),
        ...bindingConditions(device),
      },
    });
    if (isShared) this.#share(id, amounts);
    else this.#use(id, claim);
    return () => {
      results.pop();
      release();
      counters?.giveBack(device);
      if (isShared) this.#unshare(id, amounts);
      else this.#unuse(id, claim);
    };
  }

  /** Takes a device into all rules of a claim or into none (undefined). */
  #constrain(claim: number, { ref }: WantedDevices, { device, slice }: Candidate): (() => void) | undefined {
    const constraints = this.#constraints[claim] ?? [];
    const refusing = constraints.findIndex((constraint) => !constraint.add(ref, slice.spec.driver, device));
    const added = refusing < 0 ? constraints : constraints.slice(0, refusing);
    const remove = (): void => {
      for (const constraint of added) constraint.remove(ref);
    };
    if (refusing < 0) return remove;
    remove();
    return undefined;
  }

  #countersOf(pool: Pool): PoolCounters {
    const known = this.#counters.get(pool.id) ?? new PoolCounters(pool, this.#deps.allocated);
    this.#counters.set(pool.id, known);
    return known;
  }

  #use(id: string, claim: number): void {
    const claims = this.#inUse.get(id) ?? new Set();
    this.#inUse.set(id, claims.add(claim));
  }

  #unuse(id: string, claim: number): void {
    const claims = this.#inUse.get(id);
    claims?.delete(claim);
    if (claims?.size === 0) this.#inUse.delete(id);
  }

  #share(id: string, amounts: Map<string, bigint>): void {
    this.#consumed.set(id, [...(this.#consumed.get(id) ?? []), amounts]);
  }

  #unshare(id: string, amounts: Amounts): void {
    const left = (this.#consumed.get(id) ?? []).filter((one) => one !== amounts);
    if (left.length > 0) this.#consumed.set(id, left);
    else this.#consumed.delete(id);
  }
}

function constraintsOf(claim: Claim): readonly Constraint[] {
  return (claim.spec.devices?.constraints ?? []).map((constraint, i) => {
    const known = constraintOf(constraint);
    if (known !== undefined) return known;
    const problem = 'empty constraint (unsupported constraint type?)';
    throw new AllocationError('claim', `claim ${nameOf(claim)}, constraint #${i}: ${problem}`);
  });
}

function bindingConditions({ bindingConditions, bindingFailureConditions }: Candidate['device']): object {
  return {
    ...(bindingConditions === undefined ? {} : { bindingConditions }),
    ...(bindingFailureConditions === undefined ? {} : { bindingFailureConditions }),
  };
}

/** Whether a taint keeps new users away that none of the tolerations tolerates. */
function isKeptAway(
  taints: readonly DeepReadonly<DeviceTaint>[],
  tolerations: readonly DeepReadonly<DeviceToleration>[],
): boolean {
  return taints.some(
    (taint) =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
      !tolerations.some((toleration) => toleratesDeviceTaint(toleration, taint)),
  );
}
