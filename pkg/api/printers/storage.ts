import type { CSIDriver, CSINode, StorageClass, VolumeAttachment, VolumeAttributesClass } from '../generated/types.ts';
import {
  age,
  ageColumn,
  boolean,
  createdAtPrinter,
  definePrinter,
  integer,
  nameColumn,
  type PrinterTable,
  text,
} from './printer.ts';

const defaultClassAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

const storageClassPrinter = definePrinter<StorageClass>(
  [
    nameColumn,
    text('Provisioner', 'What makes its volumes.'),
    text('ReclaimPolicy', 'What happens to a volume when its claim is deleted.'),
    text('VolumeBindingMode', 'Whether a volume is made at once or when a pod needs it.'),
    text('AllowVolumeExpansion', 'Whether volumes can grow.'),
    ageColumn,
  ],
  (storageClass, nowMs) => {
    const { name, annotations } = storageClass.metadata;
    const isDefault = defaultClassAnnotations.some((annotation) => annotations?.[annotation] === 'true');
    return [
      isDefault ? `${name} (default)` : name,
      storageClass.provisioner ?? '',
      storageClass.reclaimPolicy ?? 'Delete',
      storageClass.volumeBindingMode ?? 'Immediate',
      storageClass.allowVolumeExpansion ?? false,
      age(storageClass, nowMs),
    ];
  },
);

const csiDriverPrinter = definePrinter<CSIDriver>(
  [
    nameColumn,
    boolean('AttachRequired', 'Whether volumes must be attached to a node.'),
    boolean('PodInfoOnMount', 'Whether the driver is told about the pod.'),
    boolean('StorageCapacity', 'Whether the scheduler considers how much storage is left.'),
    text('TokenRequests', 'The audiences of the tokens that the driver needs.'),
    boolean('RequiresRepublish', 'Whether mounted volumes are published again and again.'),
    text('Modes', 'Whether it serves persistent or ephemeral volumes.'),
    ageColumn,
  ],
  (driver, nowMs) => {
    const { attachRequired, podInfoOnMount, storageCapacity, requiresRepublish } = driver.spec ?? {};
    const audiences = (driver.spec?.tokenRequests ?? []).map((request) => request.audience ?? '');
    const modes = driver.spec?.volumeLifecycleModes ?? [];
    return [
      driver.metadata.name,
      attachRequired ?? true,
      podInfoOnMount ?? false,
      storageCapacity ?? false,
      audiences.length === 0 ? '<unset>' : audiences.join(','),
      requiresRepublish ?? false,
      modes.length === 0 ? '<none>' : modes.join(','),
      age(driver, nowMs),
    ];
  },
);

const csiNodePrinter = definePrinter<CSINode>(
  [nameColumn, integer('Drivers', 'How many drivers run on the node.'), ageColumn],
  (node, nowMs) => [node.metadata.name, node.spec?.drivers?.length ?? 0, age(node, nowMs)],
);

const volumeAttachmentPrinter = definePrinter<VolumeAttachment>(
  [
    nameColumn,
    { ...text('Attacher', 'The driver that attaches the volume.'), format: 'name' },
    text('PV', 'The volume.'),
    text('Node', 'The node that the volume is for.'),
    boolean('Attached', 'Whether the volume is attached.'),
    ageColumn,
  ],
  (attachment, nowMs) => [
    attachment.metadata.name,
    attachment.spec?.attacher ?? '',
    attachment.spec?.source?.persistentVolumeName ?? '',
    attachment.spec?.nodeName ?? '',
    attachment.status?.attached ?? false,
    age(attachment, nowMs),
  ],
);

const volumeAttributesClassPrinter = definePrinter<VolumeAttributesClass>(
  [nameColumn, text('DriverName', 'The driver that the class is for.'), ageColumn],
  (attributesClass, nowMs) => [
    attributesClass.metadata.name,
    attributesClass.driverName ?? '',
    age(attributesClass, nowMs),
  ],
);

export const storagePrinters: PrinterTable = {
  CSIDriver: csiDriverPrinter,
  CSINode: csiNodePrinter,
  CSIStorageCapacity: createdAtPrinter,
  StorageClass: storageClassPrinter,
  VolumeAttachment: volumeAttachmentPrinter,
  VolumeAttributesClass: volumeAttributesClassPrinter,
};
