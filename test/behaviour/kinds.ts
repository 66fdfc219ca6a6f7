/** Where the kinds of the recordings are served. */
export interface Kind {
  readonly kind: string;
  /** `v1`, or `group/version`. */
  readonly apiVersion: string;
  readonly resource: string;
  readonly namespaced: boolean;
}

const rows: readonly (readonly [apiVersion: string, namespaced: boolean, kinds: string])[] = [
  [
    'v1',
    true,
    'Pod Service Endpoints ConfigMap Secret ServiceAccount ReplicationController PersistentVolumeClaim ResourceQuota LimitRange PodTemplate',
  ],
  ['v1', false, 'Node Namespace PersistentVolume'],
  ['apps/v1', true, 'Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision'],
  ['batch/v1', true, 'Job CronJob'],
  ['policy/v1', true, 'PodDisruptionBudget'],
  ['discovery.k8s.io/v1', true, 'EndpointSlice'],
  ['networking.k8s.io/v1', true, 'Ingress NetworkPolicy'],
  ['autoscaling/v2', true, 'HorizontalPodAutoscaler'],
  ['rbac.authorization.k8s.io/v1', true, 'Role RoleBinding'],
  ['rbac.authorization.k8s.io/v1', false, 'ClusterRole ClusterRoleBinding'],
  ['storage.k8s.io/v1', false, 'StorageClass'],
  ['scheduling.k8s.io/v1', false, 'PriorityClass'],
  ['node.k8s.io/v1', false, 'RuntimeClass'],
  ['certificates.k8s.io/v1', false, 'CertificateSigningRequest'],
];

/** Kinds whose every object in the scenario's namespace is watched. */
export const OBSERVED =
  'Pod Service Endpoints ConfigMap Secret ServiceAccount ReplicationController PersistentVolumeClaim ResourceQuota LimitRange Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision Job CronJob PodDisruptionBudget EndpointSlice Node Namespace PersistentVolume CertificateSigningRequest'.split(
    ' ',
  );

const kinds: ReadonlyMap<string, Kind> = new Map(
  rows.flatMap(([apiVersion, namespaced, names]) =>
    names
      .split(' ')
      .map((kind) => [kind, { kind, apiVersion, resource: resourceOf(kind), namespaced }] as [string, Kind]),
  ),
);

function resourceOf(kind: string): string {
  const lower = kind.toLowerCase();
  if (lower === 'endpoints') return lower;
  if (lower.endsWith('s')) return `${lower}es`;
  return lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}

/** Throws for a kind that no recording has. */
export function kindOf(name: string): Kind {
  const found = kinds.get(name);
  if (found === undefined) throw new Error(`kind ${name} is not in the table`);
  return found;
}

/** The path of an object, or of the collection when `name` is ''. */
export function pathOf({ apiVersion, resource, namespaced }: Kind, namespace: string, name: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${root}${namespaced ? `/namespaces/${namespace}` : ''}/${resource}${name === '' ? '' : `/${name}`}`;
}
