import type { PersistentVolumeClaim, PodTemplateSpec, StatefulSet, Volume } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { ReadPod } from '../pod-status.ts';
import { POD_REVISION_LABEL } from '../revision-history.ts';

export type ReadStatefulSet = DeepReadonly<StatefulSet>;
export type ReadClaim = DeepReadonly<PersistentVolumeClaim>;
type Template = DeepReadonly<PodTemplateSpec>;

const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index';

export function replicasOf(set: ReadStatefulSet): number {
  return set.spec.replicas ?? 1;
}

export function startOrdinal(set: ReadStatefulSet): number {
  return set.spec.ordinals?.start ?? 0;
}

export function podName(set: ReadStatefulSet, ordinal: number): string {
  return `${set.metadata.name}-${ordinal}`;
}

/** The ordinal in a pod's name; undefined for names that are not the set's. */
export function ordinalOf(set: ReadStatefulSet, pod: ReadPod): number | undefined {
  const { name } = pod.metadata;
  const dash = name.lastIndexOf('-');
  const digits = name.slice(dash + 1);
  if (name.slice(0, dash) !== set.metadata.name || !/^\d{1,10}$/.test(digits)) return undefined;
  return Number(digits);
}

export function isInRange(set: ReadStatefulSet, ordinal: number): boolean {
  const start = startOrdinal(set);
  return ordinal >= start && ordinal < start + replicasOf(set);
}

export function claimName(
  set: ReadStatefulSet,
  template: DeepReadonly<PersistentVolumeClaim>,
  ordinal: number,
): string {
  return `${template.metadata.name}-${podName(set, ordinal)}`;
}

/** The claims of a pod, by the name of the volume. */
export function claimsOf(set: ReadStatefulSet, ordinal: number): Map<string, ReadClaim> {
  const { namespace } = set.metadata;
  return new Map(
    (set.spec.volumeClaimTemplates ?? []).map((template) => {
      const labels = { ...template.metadata.labels, ...set.spec.selector.matchLabels };
      const metadata = { ...template.metadata, name: claimName(set, template, ordinal), namespace, labels };
      return [template.metadata.name, { ...template, metadata } as ReadClaim];
    }),
  );
}

/** Name, labels and template of the pod with an ordinal, made from a revision's template. */
export function podFor(set: ReadStatefulSet, template: Template, revision: string, ordinal: number) {
  const name = podName(set, ordinal);
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    metadata: {
      name,
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace,
      labels: { ...labels, ...identityLabels(name, ordinal), [POD_REVISION_LABEL]: revision },
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    spec: {
      containers: [],
      ...template.spec,
      hostname: name,
      ...(set.spec.serviceName ? { subdomain: set.spec.serviceName } : {}),
      volumes: withClaims(set, ordinal, template.spec?.volumes ?? []),
    },
  };
}

/** Labels that an existing pod lacks. Undefined: none. */
export function missingLabels(pod: ReadPod, ordinal: number): Record<string, string> | undefined {
  const wanted = identityLabels(pod.metadata.name, ordinal);
  const has = Object.entries(wanted).every(([label, value]) => pod.metadata.labels?.[label] === value);
  return has ? undefined : wanted;
}

function identityLabels(name: string, ordinal: number): Record<string, string> {
  return { [POD_NAME_LABEL]: name, [POD_INDEX_LABEL]: String(ordinal) };
}

/** Claims replace volumes of the same name. */
function withClaims(set: ReadStatefulSet, ordinal: number, volumes: readonly DeepReadonly<Volume>[]) {
  const claims = claimsOf(set, ordinal);
  const own = [...claims].map(([name, claim]) => ({
    name,
    persistentVolumeClaim: { claimName: claim.metadata.name },
  }));
  return [...own, ...volumes.filter(({ name }) => !claims.has(name))];
}

export function revisionOf(pod: ReadPod): string | undefined {
  return pod.metadata.labels?.[POD_REVISION_LABEL];
}
