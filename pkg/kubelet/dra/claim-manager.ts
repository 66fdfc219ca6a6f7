import { resources } from '../../api/generated/resources.ts';
import type { PodResourceClaim, ResourceResourceClaim } from '../../api/generated/types.ts';
import { describeError } from '../../base/errors.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Logger } from '../../base/logger.ts';
import type { Client } from '../../client/index.ts';
import type { Container, EphemeralContainer, Pod } from '../types.ts';
import type { DraDriver, DriverClaim, PreparedDevice } from './dra-driver.ts';
import type { PreparedClaim, PreparedClaims } from './prepared-claims.ts';

type Claim = DeepReadonly<ResourceResourceClaim>;

export interface ClaimManagerDeps {
  readonly client: Client;
  readonly logger: Logger;
  readonly claims: PreparedClaims;
  /** The driver with this name; throws an Error when it is not here. */
  readonly driver: (name: string) => DraDriver;
  /** Whether the pod with this uid runs here, or will. */
  readonly hasPod: (uid: string) => boolean;
}

/** Has drivers make the devices of claims ready before pods start, and take them back after the last pod has ended. */
export class ClaimManager {
  readonly #deps: ClaimManagerDeps;
  /** By claim: what is under way for it. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(deps: ClaimManagerDeps) {
    this.#deps = deps;
  }

  /** Makes all claims of a pod ready. Throws an Error in upstream's words. */
  async prepare(pod: Pod, signal: AbortSignal): Promise<void> {
    if ((pod.spec.resourceClaims ?? []).length === 0 && pod.status?.extendedResourceClaimStatus === undefined) return;
    try {
      const names = claimNames(pod);
      const keys = names.map(({ name }) => `${pod.metadata.namespace}/${name}`);
      await this.#inTurn(keys, () => this.#prepare(pod, names, signal));
    } catch (error) {
      throw new Error('prepare dynamic resources', { cause: error });
    }
  }

  /** The pod has ended: claims that no other pod of this node uses are given back. Throws an Error in upstream's words. */
  async unprepare(podUID: string): Promise<void> {
    const used = this.#deps.claims.of(podUID);
    if (used.length === 0) return;
    const keys = used.map(({ namespace, name }) => `${namespace}/${name}`);
    try {
      await this.#inTurn(keys, () => this.#unprepare(podUID, used));
    } catch (error) {
      throw new Error('unprepare dynamic resources', { cause: error });
    }
  }

  /** Gives back what pods used that are no longer here: they went while no kubelet ran, or their driver was away. */
  async release(): Promise<void> {
    const gone = new Set(this.#deps.claims.all().flatMap(({ podUIDs }) => [...podUIDs]));
    for (const uid of gone) {
      if (this.#deps.hasPod(uid)) continue;
      await this.unprepare(uid).catch((error: unknown) =>
        this.#deps.logger.info(
          { pod: uid, reason: describeError(error) },
          'devices of a pod could not be given back yet',
        ),
      );
    }
  }

  /** How the runtime knows the devices of a container. Throws an Error when a claim of it is not prepared. */
  devicesOf(pod: Pod, container: Container | EphemeralContainer): readonly string[] {
    const { namespace } = pod.metadata;
    return wantedRequests(pod, container).flatMap(({ claim, request }) => {
      const prepared = this.#deps.claims.get(namespace, claim);
      if (prepared === undefined) {
        throw new Error(
          `internal error: unable to get claim info for ResourceClaim ${claim} in namespace ${namespace}`,
        );
      }
      const devices = [...prepared.drivers.values()].flat();
      return devices.filter((device) => isFor(device, request)).flatMap(({ cdiDeviceIds }) => cdiDeviceIds);
    });
  }

  /** The claims of a container that are prepared. */
  claimsOf(pod: Pod, container: Container): readonly PreparedClaim[] {
    const used = this.#deps.claims.of(pod.metadata.uid).filter(({ isPrepared }) => isPrepared);
    if (used.length === 0) return [];
    const names = new Set(wantedRequests(pod, container).map(({ claim }) => claim));
    return used.filter(({ name }) => names.has(name));
  }

  /** Drivers are asked about one claim by one pod at a time: one may come while another, the last one, goes. */
  #inTurn(keys: readonly string[], work: () => Promise<void>): Promise<void> {
    const turn = Promise.all(keys.map((key) => this.#turns.get(key))).then(work);
    const settled = turn.catch(() => {});
    for (const key of keys) this.#turns.set(key, settled);
    return turn.finally(() => {
      for (const key of keys) if (this.#turns.get(key) === settled) this.#turns.delete(key);
    });
  }

  async #unprepare(podUID: string, used: readonly PreparedClaim[]): Promise<void> {
    const { claims, driver } = this.#deps;
    const last = used.filter(({ podUIDs }) => podUIDs.size === 1);
    const batches = new Map<string, DriverClaim[]>();
    for (const claim of last) for (const name of claim.drivers.keys()) batch(batches, name, claim);
    for (const [name, batched] of batches) await driver(name).unprepare(batched);
    for (const claim of used) claim.podUIDs.delete(podUID);
    for (const claim of last) claims.delete(claim);
    await claims.save();
  }

  async #prepare(pod: Pod, names: readonly ClaimName[], signal: AbortSignal): Promise<void> {
    const { claims, driver } = this.#deps;
    const { uid, namespace } = pod.metadata;
    const found: Claim[] = [];
    for (const { name, isGenerated } of names) found.push(await this.#claim(pod, name, isGenerated, signal));
    // All drivers must be there before anything is noted: a pod that cannot start must not wait for them at its end.
    for (const claim of found) for (const name of driversOf(claim)) driver(name);
    const batches = new Map<string, DriverClaim[]>();
    const open: PreparedClaim[] = [];
    for (const { metadata, status } of found) {
      const known = claims.get(namespace, metadata.name);
      if (known !== undefined && known.uid !== metadata.uid) {
        throw new Error(
          `old ResourceClaim with same name ${metadata.name} and different UID ${known.uid} still exists (previous pod force-deleted?!)`,
        );
      }
      const claim = known ?? unprepared({ metadata, status });
      claim.podUIDs.add(uid);
      claims.add(claim);
      if (claim.isPrepared) continue;
      open.push(claim);
      for (const name of claim.drivers.keys()) batch(batches, name, claim);
    }
    await claims.save();
    for (const [name, batched] of batches) {
      const prepared = await driver(name).prepare(batched);
      for (const claim of open) {
        const devices = prepared.get(claim.uid);
        if (devices !== undefined) claim.drivers.set(name, devices);
      }
    }
    for (const claim of open) claim.isPrepared = true;
    await claims.save();
  }

  /** A claim that is allocated, and reserved for the pod. */
  async #claim(pod: Pod, name: string, isGenerated: boolean, signal: AbortSignal): Promise<Claim> {
    const { namespace, uid } = pod.metadata;
    let claim: Claim;
    try {
      claim = await this.#deps.client.get(resources.resourceclaims, { namespace, name }, signal);
    } catch (error) {
      throw new Error(`fetch ResourceClaim ${name}`, { cause: error });
    }
    const owners = claim.metadata.ownerReferences ?? [];
    if (isGenerated && !owners.some((owner) => owner.controller === true && owner.uid === uid)) {
      const of = `${namespace}/${pod.metadata.name}`;
      throw new Error(`ResourceClaim ${namespace}/${name} was not created for Pod ${of} (Pod is not owner)`);
    }
    if (!(claim.status?.reservedFor ?? []).some((consumer) => consumer.uid === uid)) {
      throw new Error(
        `pod ${pod.metadata.name} (${uid}) is not allowed to use ResourceClaim ${name} (${claim.metadata.uid})`,
      );
    }
    if (claim.status?.allocation === undefined) throw new Error(`ResourceClaim ${name}: not allocated`);
    return claim;
  }
}

interface ClaimName {
  readonly name: string;
  /** Made for the pod, by a template. */
  readonly isGenerated: boolean;
}

/** The names of a pod's claims; templates that needed none are left out. Throws an Error when a claim has not been made. */
function claimNames(pod: Pod): readonly ClaimName[] {
  const names = (pod.spec.resourceClaims ?? []).flatMap((claim) => claimName(pod, claim) ?? []);
  const extended = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  return extended === undefined ? names : [...names, { name: extended, isGenerated: false }];
}

/** Undefined: there was no need of a claim. Throws an Error when the claim has not been made. */
function claimName(
  { metadata, status }: Pod,
  { name, resourceClaimName }: DeepReadonly<PodResourceClaim>,
): ClaimName | undefined {
  if (resourceClaimName !== undefined) return { name: resourceClaimName, isGenerated: false };
  const made = status?.resourceClaimStatuses?.find((one) => one.name === name);
  if (made === undefined)
    throw new Error(`pod "${metadata.namespace}/${metadata.name}": ResourceClaim not created yet`);
  return made.resourceClaimName === undefined ? undefined : { name: made.resourceClaimName, isGenerated: true };
}

/** The requests of claims that a container refers to; an empty one is for all of a claim. */
function wantedRequests(
  pod: Pod,
  container: Container | EphemeralContainer,
): readonly { readonly claim: string; readonly request: string }[] {
  const wanted: { readonly claim: string; readonly request: string }[] = [];
  for (const { name, request = '' } of ('resources' in container ? container.resources?.claims : undefined) ?? []) {
    const podClaim = pod.spec.resourceClaims?.find((one) => one.name === name);
    const claim = podClaim === undefined ? undefined : claimName(pod, podClaim)?.name;
    if (claim !== undefined) wanted.push({ claim, request });
  }
  const extended = pod.status?.extendedResourceClaimStatus;
  for (const { containerName, requestName } of extended?.requestMappings ?? []) {
    if (containerName === container.name)
      wanted.push({ claim: extended?.resourceClaimName ?? '', request: requestName });
  }
  return wanted;
}

function driversOf({ status }: Pick<Claim, 'status'>): readonly string[] {
  return [...new Set((status?.allocation?.devices?.results ?? []).map(({ driver }) => driver))];
}

function unprepared({ metadata, status }: Pick<Claim, 'metadata' | 'status'>): PreparedClaim {
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    podUIDs: new Set(),
    isPrepared: false,
    drivers: new Map(driversOf({ status }).map((name) => [name, []])),
  };
}

function batch(batches: Map<string, DriverClaim[]>, driver: string, { namespace, name, uid }: PreparedClaim): void {
  batches.set(driver, [...(batches.get(driver) ?? []), { namespace, name, uid }]);
}

/** A request without a name is for all devices of the claim; subrequests are known by their request. */
function isFor({ requestNames }: PreparedDevice, request: string): boolean {
  return (
    request === '' ||
    requestNames.length === 0 ||
    requestNames.some((name) => name === request || name.split('/', 1)[0] === request)
  );
}
