import type {
  ComponentStatus,
  ConfigMap,
  Endpoints,
  Namespace,
  PersistentVolume,
  PersistentVolumeClaim,
  PodTemplate,
  ReplicationController,
  ResourceQuota,
  Secret,
  ServiceAccount,
} from '../generated/types.ts';
import { eventPrinter } from './event.ts';
import { containerCells, firstFew, formatLabels, hostPort } from './format.ts';
import { nodePrinter } from './node.ts';
import { podPrinter } from './pod.ts';
import {
  age,
  ageColumn,
  createdAtPrinter,
  definePrinter,
  integer,
  nameColumn,
  type Printable,
  type PrinterTable,
  text,
  wide,
} from './printer.ts';
import { servicePrinter } from './service.ts';

const namespacePrinter = definePrinter<Namespace>(
  [nameColumn, text('Status', 'Whether the namespace is active or being removed.'), ageColumn],
  (namespace, nowMs) => [namespace.metadata.name, namespace.status?.phase ?? '', age(namespace, nowMs)],
);

const configMapPrinter = definePrinter<ConfigMap>(
  [nameColumn, text('Data', 'How many entries it has.'), ageColumn],
  (configMap, nowMs) => [
    configMap.metadata.name,
    Object.keys(configMap.data ?? {}).length + Object.keys(configMap.binaryData ?? {}).length,
    age(configMap, nowMs),
  ],
);

const secretPrinter = definePrinter<Secret>(
  [nameColumn, text('Type', 'What kind of secret it is.'), text('Data', 'How many entries it has.'), ageColumn],
  (secret, nowMs) => [
    secret.metadata.name,
    secret.type ?? '',
    Object.keys(secret.data ?? {}).length,
    age(secret, nowMs),
  ],
);

const serviceAccountPrinter = definePrinter<ServiceAccount>(
  [nameColumn, text('Secrets', 'How many secrets it lists.'), ageColumn],
  (account, nowMs) => [account.metadata.name, account.secrets?.length ?? 0, age(account, nowMs)],
);

const endpointsPrinter = definePrinter<Endpoints>(
  [nameColumn, text('Endpoints', 'The first ready addresses with their ports.'), ageColumn],
  (endpoints, nowMs) => [endpoints.metadata.name, readyEndpoints(endpoints), age(endpoints, nowMs)],
);

function readyEndpoints(endpoints: Printable<Endpoints>): string {
  const subsets = endpoints.subsets ?? [];
  if (subsets.length === 0) return '<none>';
  const list = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip = '' }) => ip)
      : ports.flatMap(({ port = 0 }) => addresses.map(({ ip = '' }) => hostPort(ip, port))),
  );
  return firstFew(list, 3);
}

const podTemplatePrinter = definePrinter<PodTemplate>(
  [
    nameColumn,
    text('Containers', 'The names of the containers.'),
    text('Images', 'The images of the containers.'),
    text('Pod Labels', 'The labels that pods made from it get.'),
  ],
  (object) => [
    object.metadata.name,
    ...containerCells(object.template?.spec?.containers),
    formatLabels(object.template?.metadata?.labels),
  ],
);

const replicationControllerPrinter = definePrinter<ReplicationController>(
  [
    nameColumn,
    integer('Desired', 'How many pods there should be.'),
    integer('Current', 'How many pods there are.'),
    integer('Ready', 'How many pods are ready.'),
    ageColumn,
    wide('Containers', 'The names of the containers.'),
    wide('Images', 'The images of the containers.'),
    wide('Selector', 'The labels of its pods.'),
  ],
  (controller, nowMs) => [
    controller.metadata.name,
    controller.spec?.replicas ?? 0,
    controller.status?.replicas ?? 0,
    controller.status?.readyReplicas ?? 0,
    age(controller, nowMs),
    ...containerCells(controller.spec?.template?.spec?.containers),
    formatLabels(controller.spec?.selector),
  ],
);

const resourceQuotaPrinter = definePrinter<ResourceQuota>(
  [
    nameColumn,
    ageColumn,
    text('Request', 'What is used of what the quota allows.'),
    text('Limit', 'What is used of the limits that the quota allows.'),
  ],
  (quota, nowMs) => {
    const hard = quota.status?.hard ?? {};
    const used = quota.status?.used ?? {};
    const names = Object.keys(hard).sort();
    const show = (name: string): string => `${name}: ${used[name] ?? '0'}/${hard[name]}`;
    return [
      quota.metadata.name,
      age(quota, nowMs),
      names
        .filter((name) => !name.startsWith('limits'))
        .map(show)
        .join(', '),
      names
        .filter((name) => name.startsWith('limits'))
        .map(show)
        .join(', '),
    ];
  },
);

const accessModeNames: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function accessModes(modes: readonly string[] | undefined): string {
  return Object.keys(accessModeNames)
    .filter((mode) => modes?.includes(mode))
    .map((mode) => accessModeNames[mode])
    .join(',');
}

const betaClassAnnotation = 'volume.beta.kubernetes.io/storage-class';

function storageClass(object: {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly storageClassName?: string };
}): string {
  return object.metadata.annotations?.[betaClassAnnotation] ?? object.spec?.storageClassName ?? '';
}

const persistentVolumePrinter = definePrinter<PersistentVolume>(
  [
    nameColumn,
    text('Capacity', 'How large the volume is.'),
    text('Access Modes', 'The ways in which it can be mounted.'),
    text('Reclaim Policy', 'What happens to it when its claim is deleted.'),
    text('Status', 'Whether it is available, bound or released.'),
    text('Claim', 'The claim that it is bound to.'),
    text('StorageClass', 'The storage class that it belongs to.'),
    text('VolumeAttributesClass', 'The class of its changeable attributes.'),
    text('Reason', 'Why it is in that state.'),
    ageColumn,
    wide('VolumeMode', 'Whether it is a file system or a block device.'),
  ],
  (volume, nowMs) => {
    const claim = volume.spec?.claimRef;
    return [
      volume.metadata.name,
      volume.spec?.capacity?.storage ?? '0',
      accessModes(volume.spec?.accessModes),
      volume.spec?.persistentVolumeReclaimPolicy ?? '',
      volume.metadata.deletionTimestamp === undefined ? (volume.status?.phase ?? '') : 'Terminating',
      claim === undefined ? '' : `${claim.namespace ?? ''}/${claim.name ?? ''}`,
      storageClass(volume),
      volume.spec?.volumeAttributesClassName ?? '<unset>',
      volume.status?.reason ?? '',
      age(volume, nowMs),
      volume.spec?.volumeMode ?? '<unset>',
    ];
  },
);

const persistentVolumeClaimPrinter = definePrinter<PersistentVolumeClaim>(
  [
    nameColumn,
    text('Status', 'Whether it is bound to a volume.'),
    text('Volume', 'The volume that it is bound to.'),
    text('Capacity', 'How large the volume is.'),
    text('Access Modes', 'The ways in which the volume can be mounted.'),
    text('StorageClass', 'The storage class that it asks for.'),
    text('VolumeAttributesClass', 'The class of changeable attributes that it asks for.'),
    ageColumn,
    wide('VolumeMode', 'Whether it asks for a file system or a block device.'),
  ],
  (claim, nowMs) => {
    const bound = (claim.spec?.volumeName ?? '') !== '';
    return [
      claim.metadata.name,
      claim.metadata.deletionTimestamp === undefined ? (claim.status?.phase ?? '') : 'Terminating',
      claim.spec?.volumeName ?? '',
      bound ? (claim.status?.capacity?.storage ?? '0') : '',
      bound ? accessModes(claim.status?.accessModes) : '',
      storageClass(claim),
      claim.spec?.volumeAttributesClassName ?? '<unset>',
      age(claim, nowMs),
      claim.spec?.volumeMode ?? '<unset>',
    ];
  },
);

const componentStatusPrinter = definePrinter<ComponentStatus>(
  [
    nameColumn,
    text('Status', 'Whether the component is healthy.'),
    text('Message', 'What the component says.'),
    text('Error', 'What is wrong with it.'),
  ],
  (component) => {
    const healthy = component.conditions?.find((condition) => condition.type === 'Healthy');
    const status = healthy === undefined ? 'Unknown' : healthy.status === 'True' ? 'Healthy' : 'Unhealthy';
    return [component.metadata.name, status, healthy?.message ?? '', healthy?.error ?? ''];
  },
);

export const corePrinters: PrinterTable = {
  ComponentStatus: componentStatusPrinter,
  ConfigMap: configMapPrinter,
  Endpoints: endpointsPrinter,
  Event: eventPrinter,
  LimitRange: createdAtPrinter,
  Namespace: namespacePrinter,
  Node: nodePrinter,
  PersistentVolume: persistentVolumePrinter,
  PersistentVolumeClaim: persistentVolumeClaimPrinter,
  Pod: podPrinter,
  PodTemplate: podTemplatePrinter,
  ReplicationController: replicationControllerPrinter,
  ResourceQuota: resourceQuotaPrinter,
  Secret: secretPrinter,
  Service: servicePrinter,
  ServiceAccount: serviceAccountPrinter,
};
