import { DeviceSelectorError, type DeviceSelectors } from '../../api/scheduling/device-selectors.ts';
import type { SelectableNode } from '../../api/scheduling/node-selector.ts';
import type { Clock } from '../../base/clock.ts';
import type { AllocatedDevices } from './allocated-devices.ts';
import { allocationOf } from './allocation-result.ts';
import { type Candidate, candidatesOf } from './candidates.ts';
import { type Allocation, type Claim, nameOf, type ReadClass } from './device-id.ts';
import { alternativesOf, type WantedDevices } from './device-request.ts';
import { AllocationError, DeviceSearch, MAX_RESULTS, type RequestPlan } from './device-search.ts';
import { gatherPools, isForNode, type Pool } from './pools.ts';
import type { SliceIndex } from './slice-index.ts';

export interface AllocatorDeps {
  readonly slices: SliceIndex;
  readonly allocated: AllocatedDevices;
  readonly classOf: (name: string) => ReadClass | undefined;
  readonly selectors: DeviceSelectors;
  readonly newShareID: () => string;
  /** How long the search on one node may take. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/**
 * Finds devices for claims on one node: the first full solution of a search through all of them. For one pod; what it finds out
 * of devices is kept from one node to the next. Corresponds to upstream's allocator with the features that are on in v1.36.
 */
export class Allocator {
  readonly #deps: AllocatorDeps;
  /** Claim, request and device -> whether the selectors match. */
  readonly #selected = new Map<string, boolean>();

  constructor(deps: AllocatorDeps) {
    this.#deps = deps;
  }

  /** One allocation a claim, or undefined when the node cannot have them all. Throws an AllocationError. */
  allocate(node: SelectableNode, claims: readonly Claim[]): readonly Allocation[] | undefined {
    const pools = gatherPools(node, this.#deps.slices);
    const plans = claims.map((claim) => this.#planClaim(claim, pools, node));
    const { allocated, newShareID, clock, timeoutMs } = this.#deps;
    const deadlineMs = clock.monotonic() + timeoutMs;
    const search = new DeviceSearch(claims, plans, pools, {
      allocated,
      newShareID,
      isLate: () => clock.monotonic() > deadlineMs,
      isSelected: (claim, plan, candidate) => this.#isSelected(claim, plan, candidate, node),
    });
    if (!search.run()) {
      if (pools.some(({ isInvalid }) => isInvalid))
        throw new AllocationError('node', 'invalid resource pools were encountered');
      return undefined;
    }
    return claims.map((claim, i) => allocationOf(claim, plans[i] ?? [], search.resultsOf(i), node.name));
  }

  #planClaim(claim: Claim, pools: readonly Pool[], node: SelectableNode): readonly RequestPlan[] {
    const plans = (claim.spec.devices?.requests ?? []).map((request): RequestPlan => {
      const alternatives = alternativesOf(request).map((wanted) => {
        const plan = { wanted, class: this.#classOf(claim, wanted) };
        if (!wanted.isAll) return { ...plan, all: undefined };
        const isSelected = (candidate: Candidate): boolean => this.#isSelected(claim, plan, candidate, node);
        return { ...plan, all: allOf(claim, wanted, pools).filter(isSelected) };
      });
      return { isList: request.exactly === undefined, alternatives, chosen: 0 };
    });
    let least = 0;
    for (const { alternatives } of plans) {
      least += Math.min(...alternatives.map(({ all, wanted }) => all?.length ?? wanted.count));
    }
    if (least > MAX_RESULTS) {
      const problem = `number of requested devices ${least} exceeds the claim limit of ${MAX_RESULTS}`;
      throw new AllocationError('claim', `claim ${nameOf(claim)}: ${problem}`);
    }
    return plans;
  }

  #classOf(claim: Claim, { name, deviceClassName }: WantedDevices): ReadClass {
    const found = this.#deps.classOf(deviceClassName);
    if (found !== undefined) return found;
    const quoted = JSON.stringify(deviceClassName);
    throw new AllocationError(
      'claim',
      `claim ${nameOf(claim)}, request ${name}: could not retrieve device class ${deviceClassName}: deviceclass.resource.k8s.io ${quoted} not found`,
    );
  }

  /** Whether the class and the request select a device, and the device is for the node. */
  #isSelected(
    claim: Claim,
    { wanted, class: deviceClass }: { readonly wanted: WantedDevices; readonly class: ReadClass },
    { id, device, slice }: Candidate,
    node: SelectableNode,
  ): boolean {
    if (slice.spec.perDeviceNodeSelection && !isForNode(device, node)) return false;
    const key = `${claim.metadata.uid} ${wanted.ref} ${id}`;
    let isSelected = this.#selected.get(key);
    if (isSelected === undefined) {
      const { driver } = slice.spec;
      isSelected =
        this.#matches(`class ${deviceClass.metadata.name}`, deviceClass.spec.selectors ?? [], driver, device) &&
        this.#matches(`claim ${nameOf(claim)}`, wanted.selectors, driver, device);
      this.#selected.set(key, isSelected);
    }
    return isSelected;
  }

  #matches(owner: string, selectors: WantedDevices['selectors'], driver: string, device: Candidate['device']): boolean {
    return selectors.every(({ cel }, i) => {
      try {
        return this.#deps.selectors.matches(cel?.expression ?? '', driver, device);
      } catch (error) {
        if (!(error instanceof DeviceSelectorError)) throw error;
        throw new AllocationError('claim', `${owner}: selector #${i}: ${error.message}`, { cause: error });
      }
    });
  }
}

/** Every device that a node may use: a request for all must know what all is. */
function allOf(claim: Claim, { name }: WantedDevices, pools: readonly Pool[]): readonly Candidate[] {
  return pools.flatMap((pool) => {
    const state = pool.isIncomplete ? 'being updated' : pool.isInvalid ? 'invalid' : undefined;
    if (state !== undefined) {
      const problem = `asks for all devices, but resource pool ${pool.id} is currently ${state}`;
      throw new AllocationError('claim', `claim ${nameOf(claim)}, request ${name}: ${problem}`);
    }
    return candidatesOf(pool);
  });
}
