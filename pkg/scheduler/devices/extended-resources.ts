import type { Container, ContainerExtendedResourceRequest, DeviceRequest, Pod } from '../../api/generated/types.ts';
import { quantityValue } from '../../api/quantity.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Claim } from './device-id.ts';

type ReadPod = DeepReadonly<Pod>;

/** Says of a claim that the scheduler made it for the extended resources of its pod. */
const ANNOTATION = 'resource.kubernetes.io/extended-resource-claim';
/** Resources of this prefix stand for the device class that follows. */
export const CLASS_PREFIX = 'deviceclass.resource.kubernetes.io/';

/** The claim that stands for a pod's extended resources on one node, and which containers use which of its requests. */
export interface ExtendedClaim {
  readonly claim: Claim;
  readonly mappings: readonly ContainerExtendedResourceRequest[];
}

/** The claim as it will be made, with a uid of its own until then. `classes`: resource -> the name of its device class. */
export function extendedClaim(pod: ReadPod, classes: ReadonlyMap<string, string>): ExtendedClaim {
  const { name, namespace, uid } = pod.metadata;
  const { requests, mappings } = requestsOf(pod, classes);
  const metadata = {
    name: '<extended-resources>',
    namespace,
    uid: `extended-resources-of-${uid}`,
    generateName: `${name}-extended-resources-`,
    annotations: { [ANNOTATION]: 'true' },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true }],
  };
  const claim = { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata, status: {} };
  return { claim: { ...claim, spec: { devices: { requests } } } as unknown as Claim, mappings };
}

/** The claim that was made for the pod before, in an attempt that failed. */
export function madeClaim({ metadata }: ReadPod, claims: Iterable<Claim>): Claim | undefined {
  for (const claim of claims) {
    const { annotations, ownerReferences = [] } = claim.metadata;
    if (annotations?.[ANNOTATION] !== 'true') continue;
    if (ownerReferences.some(({ uid, controller }) => uid === metadata.uid && controller === true)) return claim;
  }
  return undefined;
}

interface Use {
  readonly index: number;
  readonly container: DeepReadonly<Container>;
  /** Of the resource. */
  readonly count: number;
}

/**
 * A request for each container that keeps its devices while the pod runs, by resource; init containers that end before use what
 * later ones will, and together one request for what they need beyond that. Upstream: createRequestsAndMappings.
 */
function requestsOf(
  { spec }: ReadPod,
  classes: ReadonlyMap<string, string>,
): { readonly requests: readonly DeviceRequest[]; readonly mappings: readonly ContainerExtendedResourceRequest[] } {
  const inits = spec.initContainers ?? [];
  const containers = [...inits, ...spec.containers];
  const requests: DeviceRequest[] = [];
  const mappings: ContainerExtendedResourceRequest[] = [];
  for (const resource of [...classes.keys()].sort()) {
    const deviceClassName = classes.get(resource) ?? '';
    const uses = containers.map((container, index): Use => {
      const amount = container.resources?.requests?.[resource];
      return { index, container, count: amount === undefined ? 0 : quantityValue(amount) };
    });
    const isShort = ({ index, container }: Use): boolean =>
      index < inits.length && container.restartPolicy !== 'Always';
    const map = ({ container }: Use, requestName: string): void => {
      mappings.push({ containerName: container.name, resourceName: resource, requestName });
    };
    const request = (use: Use, count: number): DeviceRequest => ({
      name: requestName(use, resource),
      exactly: { deviceClassName, allocationMode: 'ExactCount', count },
    });
    const long = uses.filter((use) => !isShort(use) && use.count > 0);
    for (const use of long) map(use, requestName(use, resource));
    const short = uses.filter((use) => isShort(use) && use.count > 0);
    const extra = shared(short, long);
    if (extra !== undefined) requests.push(request(extra.use, extra.count));
    for (const use of short) {
      const { reused, missing } = reuse(use, long);
      for (const later of reused) map(use, requestName(later, resource));
      if (missing > 0 && extra !== undefined) map(use, requestName(extra.use, resource));
    }
    requests.push(...long.map((use) => request(use, use.count)));
  }
  return { requests: requests.sort((a, b) => (a.name < b.name ? -1 : 1)), mappings };
}

/** The most that an init container needs beyond what later containers have, and whose need that is. */
function shared(
  short: readonly Use[],
  long: readonly Use[],
): { readonly use: Use; readonly count: number } | undefined {
  let most: { readonly use: Use; readonly count: number } | undefined;
  for (const use of short) {
    const { missing } = reuse(use, long);
    if (missing > (most?.count ?? 0)) most = { use, count: missing };
  }
  return most;
}

/** Whose devices an init container can use that ends before those start, and how many more it needs. */
function reuse(use: Use, long: readonly Use[]): { readonly reused: readonly Use[]; readonly missing: number } {
  const reused: Use[] = [];
  let missing = use.count;
  for (const later of long) {
    if (later.index < use.index || missing <= 0) continue;
    reused.push(later);
    missing -= later.count;
  }
  return { reused, missing };
}

/** `container-INDEX-request-INDEX`: the second is that of the resource among the container's requests, by name. */
function requestName({ index, container }: Use, resource: string): string {
  const names = Object.keys(container.resources?.requests ?? {}).sort();
  return `container-${index}-request-${names.indexOf(resource)}`;
}
