import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Node, NodeAddress, NodeSpec, NodeStatus, Taint } from '../generated/types.ts';
import { cidrWarnings, legacyCIDR } from '../validation/cidr.ts';
import * as field from '../validation/field-error.ts';
import { goQuote } from '../validation/go-format.ts';
import { byteLength, isLabelValue, isQualifiedName, maxLengthText } from '../validation/names.ts';
import { checkName } from '../validation/values.ts';
import { dropFromSpec } from './disabled-fields.ts';
import { validateResourceQuantity } from './resource-validation.ts';
import { roundAmounts } from './round-amounts.ts';
import { validateTaintEffect } from './scheduling-validation.ts';
import { childObject, defaultPointer, dropZero } from './shape.ts';

type Object = DeepReadonly<Node>;

const maxFeatureBytes = 253;
const featureName = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/;
const featureText =
  "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes";
const infoFields = [
  'machineID',
  'systemUUID',
  'bootID',
  'kernelVersion',
  'osImage',
  'containerRuntimeVersion',
  'kubeletVersion',
  'kubeProxyVersion',
  'operatingSystem',
  'architecture',
];

/** Nodes. A kubelet registers itself with a status, so creation keeps it. */
export const nodeStrategy: Strategy = {
  // DynamicKubeletConfig, which is gone.
  dropDisabled(object, old) {
    dropFromSpec('configSource')(object, old);
    const status = object.status as NodeStatus | undefined;
    if ((old?.status as DeepReadonly<NodeStatus> | undefined)?.config === undefined) delete status?.config;
  },
  default(object) {
    const spec = childObject<NodeSpec>(object, 'spec');
    dropZero(spec, ['podCIDR', 'podCIDRs', 'providerID', 'unschedulable', 'taints', 'externalID']);
    if (spec.podCIDR && spec.podCIDR !== spec.podCIDRs?.[0]) spec.podCIDRs = [spec.podCIDR];
    else if (spec.podCIDRs?.[0] && !spec.podCIDR) spec.podCIDR = spec.podCIDRs[0];
    for (const taint of spec.taints ?? []) dropZero(taint, ['value']);
    defaultStatus(childObject(object, 'status'));
  },
  prepareForCreate() {},
  validate: (object) => validateNode(object as unknown as Object),
  validateUpdate(object, old, { subresource }) {
    const node = object as unknown as Object;
    const errors = subresource === 'status' ? validateTaintsAndAmounts(node) : validateNode(node);
    return [...errors, ...validateNodeUpdate(node, old as unknown as Object)];
  },
  warnings(object) {
    const { spec } = object as unknown as Object;
    const warnings: string[] = [];
    if (spec?.externalID) {
      warnings.push('spec.externalID: this field is deprecated, and is unused by Kubernetes');
    }
    for (const [i, range] of (spec?.podCIDRs ?? []).entries()) {
      warnings.push(...cidrWarnings(range, `spec.podCIDRs[${i}]`));
    }
    return warnings;
  },
  selectableFields: (object) => ({
    'spec.unschedulable': String((object as unknown as Object).spec?.unschedulable ?? false),
  }),
};

function defaultStatus(status: NodeStatus): void {
  roundAmounts(status.capacity, status.allocatable);
  if (status.capacity && !status.allocatable) status.allocatable = { ...status.capacity };
  const endpoint = childObject(childObject(status, 'daemonEndpoints'), 'kubeletEndpoint');
  defaultPointer(endpoint, 'Port', 0);
  const info = childObject(status, 'nodeInfo');
  for (const name of infoFields) defaultPointer(info, name, '');
  for (const condition of status.conditions ?? []) {
    defaultPointer(condition, 'lastHeartbeatTime', null);
    defaultPointer(condition, 'lastTransitionTime', null);
  }
}

function validateTaintsAndAmounts(node: Object): field.FieldError[] {
  const errors = validateTaints(node.spec?.taints, 'metadata.taints');
  for (const list of ['capacity', 'allocatable'] as const) {
    const amounts = node.status?.[list] ?? {};
    for (const name in amounts) {
      errors.push(...validateResourceQuantity(name, amounts[name] ?? '0', `status.${list}.${name}`));
    }
  }
  return [...errors, ...validateFeatures(node.status?.declaredFeatures ?? [], 'status.declaredFeatures')];
}

/** Features that a node tells of: well-formed names, sorted, each once. */
function validateFeatures(features: readonly string[], path: string): field.FieldError[] {
  return features.flatMap((name, i) => {
    const errors: field.FieldError[] = [];
    const quoted = `invalid feature name ${goQuote(name)}`;
    if (byteLength(name) > maxFeatureBytes) {
      errors.push(field.invalid(`${path}[${i}]`, name, `${quoted}: ${maxLengthText(maxFeatureBytes)}`));
    } else if (!featureName.test(name)) {
      errors.push(field.invalid(`${path}[${i}]`, name, `${quoted}: ${featureText}`));
    }
    const next = features[i + 1];
    if (next === undefined || name < next) return errors;
    const at = `${path}[${i + 1}]`;
    const wrong =
      name === next ? field.duplicate(at, next) : field.invalid(at, next, 'list must be sorted alphabetically');
    return [...errors, wrong];
  });
}

function validateNode(node: Object): field.FieldError[] {
  const errors = validateTaintsAndAmounts(node);
  const path = 'spec.podCIDRs';
  const ranges = node.spec?.podCIDRs ?? [];
  for (const [i, range] of ranges.entries()) errors.push(...legacyCIDR(range, `${path}[${i}]`));
  if (ranges.length < 2) return errors;
  const families = new Set(ranges.map((range) => range.includes(':')));
  if (ranges.length > 2 || families.size === 1) {
    errors.push(field.invalid(path, ranges, 'may specify no more than one CIDR for each IP family'));
  }
  for (const [i, range] of ranges.entries()) {
    if (ranges.indexOf(range) < i) errors.push(field.duplicate(`${path}[${i}]`, range));
  }
  return errors;
}

function validateTaints(taints: readonly DeepReadonly<Taint>[] | undefined, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < (taints?.length ?? 0); i++) {
    const taint = taints?.[i];
    const at = `${path}[${i}]`;
    errors.push(...checkName(isQualifiedName, taint?.key, `${at}.key`));
    const texts = isLabelValue(taint?.value ?? '');
    if (texts.length > 0) errors.push(field.invalid(`${at}.value`, taint?.value ?? '', texts.join(';')));
    errors.push(...validateTaintEffect(taint?.effect, false, `${at}.effect`));
    const key = `${taint?.key}:${taint?.effect}`;
    if (seen.has(key)) {
      const error = field.duplicate(at, taint);
      errors.push({ ...error, message: `${error.message}: taints must be unique by key and effect pair` });
    }
    seen.add(key);
  }
  return errors;
}

function validateNodeUpdate(node: Object, old: Object): field.FieldError[] {
  const errors = validateAddresses(node.status?.addresses, 'status.addresses');
  const before = old.spec ?? {};
  if ((before.podCIDRs?.length ?? 0) > 0 && !equalJSON(node.spec?.podCIDRs, before.podCIDRs)) {
    const detail = 'node updates may not change podCIDR except from "" to valid';
    errors.push(field.forbidden('spec.podCIDRs', detail));
  }
  if (before.providerID && node.spec?.providerID !== before.providerID) {
    const detail = 'node updates may not change providerID except from "" to valid';
    errors.push(field.forbidden('spec.providerID', detail));
  }
  if ((node.spec?.externalID ?? '') !== (before.externalID ?? '')) {
    errors.push(field.forbidden('spec.externalID', 'may not be updated'));
  }
  return errors;
}

function validateAddresses(
  addresses: readonly DeepReadonly<NodeAddress>[] | undefined,
  path: string,
): field.FieldError[] {
  const seen = new Set<string>();
  return (addresses ?? []).flatMap((address, i) => {
    const key = JSON.stringify([address.type, address.address]);
    if (seen.has(key)) return [field.duplicate(`${path}[${i}]`, address)];
    seen.add(key);
    return [];
  });
}
