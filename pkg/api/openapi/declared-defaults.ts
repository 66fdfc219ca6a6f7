/**
 * Defaults that upstream's types declare for fields whose zero value is another one or that have none, by `package.Type` and
 * field. They are told in OpenAPI; the defaulting itself is that of the kinds.
 */
export function declaredDefault(typeName: string | undefined, field: string): unknown {
  return typeName === undefined ? undefined : DECLARED.get(`${typeName}.${field}`);
}

const RBD = { keyring: '/etc/ceph/keyring', pool: 'rbd', user: 'admin' };
const SCALE_IO = { fsType: 'xfs', storageMode: 'ThinProvisioned' };
const NAME = { name: '' };

const TYPES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'autoscaling.v1.ScaleSpec': { replicas: 0 },
  'core.v1.AzureDiskVolumeSource': { cachingMode: 'ReadWrite', fsType: 'ext4', kind: 'Shared', readOnly: false },
  'core.v1.ConfigMapEnvSource': NAME,
  'core.v1.ConfigMapKeySelector': NAME,
  'core.v1.ConfigMapProjection': NAME,
  'core.v1.ConfigMapVolumeSource': NAME,
  'core.v1.ContainerPort': { protocol: 'TCP' },
  'core.v1.FileKeySelector': { optional: false },
  'core.v1.GRPCAction': { service: '' },
  'core.v1.ISCSIPersistentVolumeSource': { iscsiInterface: 'default' },
  'core.v1.ISCSIVolumeSource': { iscsiInterface: 'default' },
  'core.v1.LocalObjectReference': NAME,
  'core.v1.RBDPersistentVolumeSource': RBD,
  'core.v1.RBDVolumeSource': RBD,
  'core.v1.ReplicationControllerSpec': { minReadySeconds: 0, replicas: 1 },
  'core.v1.ScaleIOPersistentVolumeSource': SCALE_IO,
  'core.v1.ScaleIOVolumeSource': SCALE_IO,
  'core.v1.SecretEnvSource': NAME,
  'core.v1.SecretKeySelector': NAME,
  'core.v1.SecretProjection': NAME,
  'core.v1.ServicePort': { protocol: 'TCP' },
  'resource.v1.DeviceToleration': { operator: 'Equal' },
  'resource.v1beta1.DeviceToleration': { operator: 'Equal' },
  'resource.v1beta2.DeviceToleration': { operator: 'Equal' },
};

const DECLARED: ReadonlyMap<string, unknown> = new Map(
  Object.entries(TYPES).flatMap(([type, fields]) =>
    Object.entries(fields).map(([field, value]) => [`${type}.${field}`, value] as const),
  ),
);
