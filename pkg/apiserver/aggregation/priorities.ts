/** Where a group stands among the groups, and a version among the versions of its group: higher comes first. */
export interface Priority {
  readonly group: number;
  readonly version: number;
}

/** Groups of the server itself, in the order in which discovery shows them. */
const GROUPS: Readonly<Record<string, number>> = {
  'apiregistration.k8s.io': 20_000,
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'resource.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'internal.apiserver.k8s.io': 16_000,
  'storagemigration.k8s.io': 15_800,
  extensions: 15_700,
  // As metrics-server registers itself.
  'metrics.k8s.io': 100,
};

/** Versions whose priority is another than that of their kind (stable, beta, alpha). */
const VERSIONS: Readonly<Record<string, number>> = {
  '/v1': 1,
  'autoscaling/v2': 30,
  'flowcontrol.apiserver.k8s.io/v1': 21,
  'metrics.k8s.io/v1beta1': 100,
  'resource.k8s.io/v1': 21,
};

export const CUSTOM_PRIORITY: Priority = { group: 1000, version: 100 };

/** The priority of a version that the server serves by itself; undefined for groups that are not built in. */
export function builtinPriority(group: string, version: string): Priority | undefined {
  const minimum = GROUPS[group];
  if (minimum === undefined) return undefined;
  const usual = version.includes('alpha') ? 1 : version.includes('beta') ? 9 : 15;
  return { group: minimum, version: VERSIONS[`${group}/${version}`] ?? usual };
}
