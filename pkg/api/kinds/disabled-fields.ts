/**
 * Fields of features that v1.36 has switched off: what a client sets in them is dropped without a word, unless the object has
 * them already. Corresponds to upstream's DropDisabledFields.
 */
import type { DeepReadonly } from '../../base/json.ts';
import type {
  CronJob,
  Deployment,
  Pod,
  PodSpec,
  PodStatus,
  PodTemplate,
  ProjectedVolumeSource,
} from '../generated/types.ts';
import type { KubeObject } from '../object.ts';

type View = DeepReadonly<PodSpec> | undefined;
type Source = NonNullable<ProjectedVolumeSource['sources']>[number];
type Drop = (object: KubeObject, old: DeepReadonly<KubeObject> | undefined) => void;

/** ClusterTrustBundleProjection and PodCertificateRequest. */
const PROJECTIONS = ['clusterTrustBundle', 'podCertificate'] as const;

function dropFromPodSpec(spec: PodSpec | undefined, old: View): void {
  if (spec === undefined) return;
  // GenericWorkload.
  if (spec.schedulingGroup !== undefined && old?.schedulingGroup === undefined) delete spec.schedulingGroup;
  // ContainerStopSignals.
  if (!containersOf(old).some(({ lifecycle }) => lifecycle?.stopSignal !== undefined)) dropStopSignals(spec);
  for (const { projected } of spec.volumes ?? []) {
    for (const source of projected?.sources ?? []) {
      for (const name of PROJECTIONS) if (source[name] !== undefined && !isProjected(old, name)) delete source[name];
    }
  }
}

function containersOf(spec: View): NonNullable<View>['containers'] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
}

function dropStopSignals(spec: PodSpec): void {
  for (const container of containersOf(spec) as PodSpec['containers']) {
    if (container.lifecycle?.stopSignal === undefined) continue;
    delete container.lifecycle.stopSignal;
    if (Object.keys(container.lifecycle).length === 0) delete container.lifecycle;
  }
}

/** DRANodeAllocatableResources and ImageVolumeWithDigest. */
function dropFromPodStatus(status: PodStatus | undefined, old: DeepReadonly<PodStatus> | undefined): void {
  if (status === undefined) return;
  if (old?.nodeAllocatableResourceClaimStatuses === undefined) delete status.nodeAllocatableResourceClaimStatuses;
  for (const list of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    const known = old?.[list]?.some(({ volumeMounts }) => volumeMounts?.some((mount) => mount.volumeStatus)) === true;
    for (const container of known ? [] : (status[list] ?? [])) {
      for (const mount of container.volumeMounts ?? []) delete mount.volumeStatus;
    }
  }
}

function isProjected(spec: View, name: (typeof PROJECTIONS)[number]): boolean {
  const has = (source: DeepReadonly<Source>): boolean => source[name] !== undefined;
  return spec?.volumes?.some(({ projected }) => projected?.sources?.some(has)) === true;
}

function dropperOf(specOf: (object: DeepReadonly<KubeObject>) => View): Drop {
  return (object, old) =>
    dropFromPodSpec(specOf(object) as PodSpec | undefined, old === undefined ? undefined : specOf(old));
}

const dropFromOwnSpec = dropperOf((object) => (object as unknown as Pod).spec);

export const dropFromPod: Drop = (object, old) => {
  dropFromOwnSpec(object, old);
  dropFromPodStatus((object as unknown as Pod).status, (old as unknown as DeepReadonly<Pod> | undefined)?.status);
};
/** Of all kinds with `spec.template`. */
export const dropFromWorkload = dropperOf((object) => (object as unknown as Deployment).spec?.template?.spec);
export const dropFromPodTemplate = dropperOf((object) => (object as unknown as PodTemplate).template?.spec);
export const dropFromCronJob = dropperOf(
  (object) => (object as unknown as CronJob).spec?.jobTemplate?.spec?.template?.spec,
);

/** For fields of `spec`, each by itself. */
export function dropFromSpec(...names: readonly string[]): Drop {
  const specOf = (object: DeepReadonly<KubeObject> | undefined): Record<string, unknown> =>
    (object?.['spec'] ?? {}) as Record<string, unknown>;
  return (object, old) => {
    const [spec, before] = [specOf(object), specOf(old)];
    for (const name of names) {
      if (spec[name] !== undefined && (before[name] === undefined || before[name] === null)) delete spec[name];
    }
  };
}
