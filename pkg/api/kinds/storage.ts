/** Kinds of storage.k8s.io. */
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import { isDNS1123Subdomain, isQualifiedName } from '../validation/names.ts';
import { quantitySign } from '../validation/quantity.ts';
import { checkName, immutable, negativeText, oneOf } from '../validation/values.ts';
import { childObject, defaultPointer, defaultStatus, dropZero, isZero } from './shape.ts';

type Class = DeepReadonly<StorageClass>;

export const storageClassStrategy: Strategy = {
  default(object) {
    dropZero(object, ['parameters', 'mountOptions', 'allowedTopologies']);
    defaultPointer(object, 'reclaimPolicy', 'Delete');
    defaultPointer(object, 'volumeBindingMode', 'Immediate');
  },
  validate: (object) => validateClass(object as unknown as Class),
  validateUpdate(object, old) {
    const errors = validateClass(object as unknown as Class);
    for (const name of ['parameters', 'provisioner', 'reclaimPolicy'] as const) {
      if (immutable(object[name], old[name], name).length === 0) continue;
      errors.push(field.forbidden(name, `updates to ${name} are forbidden.`));
    }
    errors.push(...immutable(object.volumeBindingMode, old.volumeBindingMode, 'volumeBindingMode'));
    return errors;
  },
};

function validateClass(object: Class): field.FieldError[] {
  const errors: field.FieldError[] = [];
  if (!object.provisioner) errors.push(field.required('provisioner'));
  else errors.push(...checkName(isQualifiedName, object.provisioner.toLowerCase(), 'provisioner'));
  const parameters = object.parameters ?? {};
  for (const key in parameters) {
    if (key === '') errors.push(field.invalid('parameters', key, 'field can not be empty.'));
  }
  errors.push(...oneOf(object.reclaimPolicy, ['Delete', 'Retain'], 'reclaimPolicy'));
  errors.push(...oneOf(object.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'], 'volumeBindingMode'));
  return errors;
}

export const csiDriverStrategy: Strategy = {
  allowUnconditionalUpdate: false,
  default(object) {
    const spec = childObject<CSIDriver['spec']>(object, 'spec');
    defaultPointer(spec, 'attachRequired', true);
    for (const name of ['podInfoOnMount', 'storageCapacity', 'requiresRepublish', 'seLinuxMount']) {
      defaultPointer(spec, name, false);
    }
    if (isZero(spec.volumeLifecycleModes)) spec.volumeLifecycleModes = ['Persistent'];
    defaultPointer(spec, 'fsGroupPolicy', 'ReadWriteOnceWithFSType');
  },
  validate: (object) => validateDriver(object as unknown as DeepReadonly<CSIDriver>),
  validateUpdate(object, old) {
    const { spec } = object as unknown as DeepReadonly<CSIDriver>;
    const before = (old as unknown as DeepReadonly<CSIDriver>).spec;
    return [
      ...validateDriver(object as unknown as DeepReadonly<CSIDriver>),
      ...immutable(spec.attachRequired, before.attachRequired, 'spec.attachedRequired'),
      ...immutable(spec.volumeLifecycleModes, before.volumeLifecycleModes, 'spec.volumeLifecycleModes'),
    ];
  },
};

function validateDriver(driver: DeepReadonly<CSIDriver>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const name = driver.metadata.name ?? '';
  if (name.length > 63) errors.push(field.tooLong('metadata.name', 63));
  const policies = ['File', 'None', 'ReadWriteOnceWithFSType'];
  errors.push(...oneOf(driver.spec.fsGroupPolicy, policies, 'spec.fsGroupPolicy'));
  for (const mode of driver.spec.volumeLifecycleModes ?? []) {
    if (mode === 'Persistent' || mode === 'Ephemeral') continue;
    errors.push(field.notSupported('spec.volumeLifecycleModes', mode, ['Persistent', 'Ephemeral']));
  }
  return errors;
}

export const csiNodeStrategy: Strategy = {
  allowUnconditionalUpdate: false,
  validate: (object) => validateCSINode(object as unknown as DeepReadonly<CSINode>),
  validateUpdate: (object) => validateCSINode(object as unknown as DeepReadonly<CSINode>),
};

function validateCSINode(node: DeepReadonly<CSINode>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const names = new Set<string>();
  const drivers = node.spec?.drivers ?? [];
  for (let i = 0; i < drivers.length; i++) {
    const { name = '', nodeID = '', topologyKeys = [], allocatable } = drivers[i] ?? {};
    const path = `spec.drivers[${i}]`;
    if (name === '') errors.push(field.required(`${path}.name`));
    errors.push(...checkName(isDNS1123Subdomain, name.toLowerCase(), `${path}.name`));
    if (nodeID === '') errors.push(field.required(`${path}.nodeID`));
    if (nodeID.length > 256) errors.push(field.invalid(`${path}.nodeID`, nodeID, 'must be 256 characters or less'));
    if (names.has(name)) errors.push(field.duplicate(`${path}.name`, name));
    names.add(name);
    const count = allocatable?.count;
    if (typeof count === 'number' && count < 0) {
      errors.push(field.invalid(`${path}.allocatable.count`, count, negativeText));
    }
    const keys = new Set<string>();
    for (const key of topologyKeys ?? []) {
      if (keys.has(key)) errors.push(field.duplicate(path, key));
      keys.add(key);
      errors.push(...checkName(isQualifiedName, key, path));
    }
  }
  return errors;
}

export const csiStorageCapacityStrategy: Strategy = {
  allowUnconditionalUpdate: false,
  validate: (object) => validateCapacity(object as unknown as DeepReadonly<CSIStorageCapacity>),
  validateUpdate: (object, old) => [
    ...validateCapacity(object as unknown as DeepReadonly<CSIStorageCapacity>),
    ...immutable(object.nodeTopology, old.nodeTopology, 'nodeTopology'),
    ...immutable(object.storageClassName, old.storageClassName, 'storageClassName'),
  ],
};

function validateCapacity(object: DeepReadonly<CSIStorageCapacity>): field.FieldError[] {
  const errors = checkName(isDNS1123Subdomain, object.storageClassName, 'storageClassName');
  for (const name of ['capacity', 'maximumVolumeSize'] as const) {
    if (quantitySign(object[name]) < 0) errors.push(field.invalid(name, object[name], negativeText));
  }
  errors.push(...validateLabelSelector(object.nodeTopology, 'nodeTopology'));
  return errors;
}

export const volumeAttachmentStrategy: Strategy = {
  allowUnconditionalUpdate: false,
  default: (object) => defaultStatus(object, { attached: false }),
  prepareForCreate(object) {
    object.status = { attached: false };
  },
  validate: (object) => validateAttachment(object as unknown as DeepReadonly<VolumeAttachment>),
  validateUpdate: (object, old, { subresource }) =>
    subresource === 'status' ? [] : immutable(object.spec, old.spec, 'spec'),
};

function validateAttachment(object: DeepReadonly<VolumeAttachment>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { attacher, nodeName, source } = object.spec ?? {};
  if (!attacher) errors.push(field.required('spec.attacher'));
  else errors.push(...checkName(isDNS1123Subdomain, attacher.toLowerCase(), 'spec.attacher'));
  if (!source?.persistentVolumeName && !source?.inlineVolumeSpec) {
    errors.push(field.required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  }
  errors.push(...checkName(isDNS1123Subdomain, nodeName, 'spec.nodeName'));
  return errors;
}
