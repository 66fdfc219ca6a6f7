/** What the cluster knows of CSI drivers, of their nodes and of the capacity that they report. */

import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { CSIDriver, CSINode, CSINodeDriver, CSIStorageCapacity } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import { isDNS1123Subdomain, isQualifiedName } from '../validation/names.ts';
import { quantitySign } from '../validation/quantity.ts';
import { checkName, immutable, negativeText, nonNegative, supportedValue } from '../validation/values.ts';
import { validateDriverName } from './csi-name-validation.ts';
import { dropFromSpec } from './disabled-fields.ts';
import { nodeSelectorWarnings } from './node-labels.ts';
import { childObject, defaultPointer, isZero } from './shape.ts';

type Driver = DeepReadonly<CSIDriver>;
type Node = DeepReadonly<CSINode>;

const minTokenSeconds = 600;
const maxTokenSeconds = 2 ** 32;
const minAllocatablePeriodSeconds = 10;
const maxNodeIDLength = 256;
const tokensInAttributes =
  'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes';

export const csiDriverStrategy: Strategy = {
  // VolumeLimitScaling.
  dropDisabled: dropFromSpec('preventPodSchedulingIfMissing'),
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
  validate: (object) => validateDriver((object as unknown as Driver).spec),
  validateUpdate(object, old) {
    const { spec } = object as unknown as Driver;
    const before = (old as unknown as Driver).spec;
    return [
      ...validateDriver(spec),
      ...immutable(spec.attachRequired, before.attachRequired, 'spec.attachedRequired'),
      ...immutable(spec.volumeLifecycleModes, before.volumeLifecycleModes, 'spec.volumeLifecycleModes'),
    ];
  },
  warnings(object, old) {
    const { tokenRequests = [], serviceAccountTokenInSecrets } = (object as unknown as Partial<Driver>).spec ?? {};
    const before = (old as unknown as Driver | undefined)?.spec.tokenRequests ?? [];
    if (tokenRequests.length === 0 || typeof serviceAccountTokenInSecrets === 'boolean') return [];
    return equalJSON(tokenRequests, before) ? [] : [tokensInAttributes];
  },
};

function validateDriver(spec: Driver['spec']): field.FieldError[] {
  const policies = ['File', 'None', 'ReadWriteOnceWithFSType'];
  const errors = supportedValue(spec.fsGroupPolicy, policies, 'spec.fsGroupPolicy');
  errors.push(...validateTokenRequests(spec.tokenRequests, 'spec.tokenRequests'));
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (mode === 'Persistent' || mode === 'Ephemeral') continue;
    errors.push(field.notSupported('spec.volumeLifecycleModes', mode, ['Persistent', 'Ephemeral']));
  }
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (typeof period === 'number' && period < minAllocatablePeriodSeconds) {
    const detail = `must be greater than or equal to ${minAllocatablePeriodSeconds} seconds`;
    errors.push(field.invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, detail));
  }
  const inSecrets = spec.serviceAccountTokenInSecrets;
  if (typeof inSecrets === 'boolean' && (spec.tokenRequests?.length ?? 0) === 0) {
    const detail = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified';
    errors.push(field.invalid('spec.serviceAccountTokenInSecrets', inSecrets, detail));
  }
  return errors;
}

/** Each audience once; tokens live between ten minutes and 2^32 seconds. */
function validateTokenRequests(requests: Driver['spec']['tokenRequests'], path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < (requests?.length ?? 0); i++) {
    const { audience = '', expirationSeconds: seconds } = requests?.[i] ?? {};
    if (seen.has(audience)) {
      errors.push(field.duplicate(`${path}[${i}].audience`, audience));
      continue;
    }
    seen.add(audience);
    if (typeof seconds !== 'number') continue;
    const at = `${path}[${i}].expirationSeconds`;
    if (seconds < minTokenSeconds) {
      errors.push(field.invalid(at, seconds, 'may not specify a duration less than 10 minutes'));
    }
    if (seconds > maxTokenSeconds) {
      errors.push(field.invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds'));
    }
  }
  return errors;
}

export const csiNodeStrategy: Strategy = {
  allowUnconditionalUpdate: false,
  default(object) {
    childObject(object, 'spec');
  },
  validate: (object) => validateNode(object as unknown as Node),
  validateUpdate(object, old) {
    const errors = validateNode(object as unknown as Node);
    for (const before of (old as unknown as Node).spec?.drivers ?? []) {
      for (const driver of (object as unknown as Node).spec?.drivers ?? []) {
        const same = driver.name !== before.name || equalJSON(fixedPart(driver), fixedPart(before));
        if (!same) errors.push(field.invalid('spec.drivers', fixedPart(driver), 'field is immutable'));
      }
    }
    return errors;
  },
};

/** How much a driver can attach may change; nothing else may. */
function fixedPart(driver: DeepReadonly<CSINodeDriver>): object {
  const { allocatable: _, ...rest } = driver;
  return rest;
}

function validateNode(node: Node): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const names = new Set<string>();
  const drivers = node.spec?.drivers ?? [];
  for (let i = 0; i < drivers.length; i++) {
    const { name = '', nodeID = '', topologyKeys, allocatable } = drivers[i] ?? {};
    const path = `spec.drivers[${i}]`;
    errors.push(...validateDriverName(name, `${path}.name`));
    if (nodeID === '') errors.push(field.required(`${path}.nodeID`));
    if (nodeID.length > maxNodeIDLength) {
      errors.push(field.invalid(`${path}.nodeID`, nodeID, `must be ${maxNodeIDLength} characters or less`));
    }
    errors.push(...nonNegative(allocatable?.count, `${path}.allocatable.count`));
    if (names.has(name)) errors.push(field.duplicate(`${path}.name`, name));
    names.add(name);
    errors.push(...validateTopologyKeys(topologyKeys ?? [], path));
  }
  return errors;
}

/** All is reported at the driver. */
function validateTopologyKeys(keys: readonly string[], path: string): field.FieldError[] {
  return keys.flatMap((key, i) => [
    ...(key === '' ? [field.required(path)] : []),
    ...(keys.indexOf(key) < i ? [field.duplicate(path, key)] : []),
    ...checkName(isQualifiedName, key, path),
  ]);
}

export const csiStorageCapacityStrategy: Strategy = {
  allowUnconditionalUpdate: false,
  validate: (object) => validateCapacity(object as unknown as DeepReadonly<CSIStorageCapacity>),
  validateUpdate: (object, old) => [
    ...validateCapacity(object as unknown as DeepReadonly<CSIStorageCapacity>),
    ...immutable(object.nodeTopology, old.nodeTopology, 'nodeTopology'),
    ...immutable(object.storageClassName, old.storageClassName, 'storageClassName'),
  ],
  warnings: (object) =>
    nodeSelectorWarnings((object as unknown as DeepReadonly<CSIStorageCapacity>).nodeTopology, 'nodeTopology'),
};

function validateCapacity(object: DeepReadonly<CSIStorageCapacity>): field.FieldError[] {
  const errors = validateLabelSelector(object.nodeTopology, 'nodeTopology');
  errors.push(...checkName(isDNS1123Subdomain, object.storageClassName, 'storageClassName'));
  if (quantitySign(object.capacity) < 0) errors.push(field.invalid('capacity', object.capacity, negativeText));
  return errors;
}
