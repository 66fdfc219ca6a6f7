import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type {
  Counter,
  CounterSet,
  Device,
  DeviceAttribute,
  DeviceCounterConsumption,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  ResourcePool,
  ResourceSliceSpec,
} from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { byteLength, isDNS1123Subdomain } from '../validation/names.ts';
import { checkName, immutable } from '../validation/values.ts';
import { validateDeviceDriverName } from './csi-name-validation.ts';
import { validateDeviceCapacity } from './device-capacity-validation.ts';
import {
  validateAttributeName,
  validateBinding,
  validateEach,
  validateLabelName,
  validatePoolName,
  validateSet,
  validateTaint,
} from './device-validation.ts';
import { validateNodeSelector } from './scheduling-validation.ts';

type FieldError = field.FieldError;
type Spec = DeepReadonly<ResourceSliceSpec>;

const maxDevices = 128;
const maxDetailedDevices = 64;
const maxAttributes = 32;
const maxAttributeBytes = 64;
const maxTaints = 16;
const maxCounterSets = 8;
const maxCounters = 32;
const maxConsumptions = 2;
/** Keys of attributes longer than this are shortened in paths. */
const maxKeyLength = 63 + 1 + 32;
const semver =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

/** The devices of a pool that a driver offers, on one node or several. */
export function validateSlice(spec: Spec, old: Spec | undefined): FieldError[] {
  const errors = [...validateDeviceDriverName(spec.driver, 'spec.driver'), ...validatePool(spec.pool, 'spec.pool')];
  if (old !== undefined) {
    errors.push(
      ...immutable(spec.pool?.name, old.pool?.name, 'spec.pool.name'),
      ...immutable(spec.driver, old.driver, 'spec.driver'),
      ...immutable(spec.nodeName, old.nodeName, 'spec.nodeName'),
    );
  }
  errors.push(...validatePlace(spec));
  if (spec.sharedCounters && spec.devices) {
    errors.push(field.invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  }
  const detailed = spec.devices?.some(({ taints, consumesCounters }) => taints?.length || consumesCounters?.length);
  const checkDevice = (device: DeepReadonly<Device>, path: string): FieldError[] =>
    validateDevice(
      device,
      old?.devices?.find(({ name }) => name === device.name),
      spec.perDeviceNodeSelection === true,
      path,
    );
  const nameOf = ({ name }: { readonly name?: string }): string => name ?? '';
  errors.push(
    ...validateSet(spec.devices, detailed ? maxDetailedDevices : maxDevices, checkDevice, nameOf, 'spec.devices'),
    ...validateSet(spec.sharedCounters, maxCounterSets, validateCounterSet, nameOf, 'spec.sharedCounters'),
  );
  return errors;
}

function validatePool(pool: DeepReadonly<ResourcePool> | undefined, path: string): FieldError[] {
  const errors = validatePoolName(pool?.name, `${path}.name`);
  const { resourceSliceCount: count = 0, generation = 0 } = pool ?? {};
  if (count <= 0) errors.push(field.invalid(`${path}.resourceSliceCount`, count, 'must be greater than zero'));
  if (generation < 0) {
    errors.push(field.invalid(`${path}.generation`, generation, 'must be greater than or equal to zero'));
  }
  return errors;
}

/** Which nodes can use the devices: said in exactly one way. */
function validatePlace(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  const said: string[] = [];
  const { nodeName, nodeSelector } = spec;
  if (nodeName !== undefined && nodeName !== null) {
    if (nodeName !== '') said.push('`nodeName`');
    else errors.push(field.invalid('spec.nodeName', nodeName, 'must be either unset or set to a non-empty string'));
    if (nodeName !== '') errors.push(...checkName(isDNS1123Subdomain, nodeName, 'spec.nodeName'));
  }
  if (nodeSelector) {
    said.push('`nodeSelector`');
    errors.push(...validateNodeSelector(nodeSelector, 'spec.nodeSelector'));
    if (nodeSelector.nodeSelectorTerms?.length !== 1) {
      const detail = 'must have exactly one node selector term';
      const shown = (nodeSelector.nodeSelectorTerms ?? []).map(internalTerm);
      errors.push(field.invalid('spec.nodeSelector.nodeSelectorTerms', shown, detail));
    }
  }
  for (const name of ['allNodes', 'perDeviceNodeSelection'] as const) {
    if (spec[name] === true) said.push(`\`${name}\``);
    else if (spec[name] === false) {
      errors.push(field.invalid(`spec.${name}`, false, 'must be either unset or set to true'));
    }
  }
  const detail = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  if (said.length === 0) errors.push(field.required('spec', detail));
  else if (said.length > 1) {
    errors.push(field.invalid('spec', `{${said.join(', ')}}`, `${detail}, but multiple fields are set`));
  }
  return errors;
}

function validateDevice(
  device: DeepReadonly<Device>,
  old: DeepReadonly<Device> | undefined,
  ownPlace: boolean,
  path: string,
): FieldError[] {
  const errors = validateLabelName(device.name, `${path}.name`);
  const { attributes = {}, capacity = {}, taints } = device;
  const count = Object.keys(attributes).length + Object.keys(capacity).length;
  if (count > maxAttributes) {
    const detail = `the total number of attributes and capacities must not exceed ${maxAttributes}`;
    errors.push(field.invalid(path, count, detail));
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    const at = `${path}.attributes[${shortened(name, maxKeyLength)}]`;
    // Keys are told of where the whole map is.
    errors.push(...validateAttributeName(name, `${path}.attributes`), ...validateAttribute(attribute, at));
  }
  for (const [name, amount] of Object.entries(capacity)) {
    const at = `${path}.capacity[${shortened(name, maxKeyLength)}]`;
    errors.push(...validateAttributeName(name, `${path}.capacity`));
    errors.push(...validateDeviceCapacity(amount, device.allowMultipleAllocations === true, at));
  }
  if (old === undefined || !equalJSON(taints ?? [], old.taints ?? [])) {
    errors.push(...validateEach(taints, maxTaints, (taint, at) => validateTaint(taint, at), `${path}.taints`));
  }
  const setOf = ({ counterSet }: DeepReadonly<DeviceCounterConsumption>): string => counterSet ?? '';
  errors.push(
    ...validateSet(device.consumesCounters, maxConsumptions, validateConsumption, setOf, `${path}.consumesCounters`),
    ...(ownPlace ? validateDevicePlace(device, path) : noDevicePlace(device, path)),
    ...validateBinding(device.bindingConditions, device.bindingFailureConditions, path),
  );
  return errors;
}

/** Long keys lose their middle, as upstream shows them. */
function shortened(key: string, max: number): string {
  if (key.length <= max) return key;
  const rest = max - 3;
  return `${key.slice(0, Math.floor((rest + 1) / 2))}...${key.slice(key.length - Math.floor(rest / 2))}`;
}

function validateDevicePlace(device: DeepReadonly<Device>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const said: string[] = [];
  const { nodeName, nodeSelector, allNodes } = device;
  if (nodeName === '') errors.push(field.invalid(`${path}.nodeName`, nodeName, 'must not be empty'));
  else if (nodeName !== undefined && nodeName !== null) {
    said.push('`nodeName`');
    errors.push(...checkName(isDNS1123Subdomain, nodeName, `${path}.nodeName`));
  }
  if (nodeSelector) {
    said.push('`nodeSelector`');
    errors.push(...validateNodeSelector(nodeSelector, `${path}.nodeSelector`));
  }
  if (allNodes === true) said.push('`allNodes`');
  else if (allNodes === false) {
    errors.push(field.invalid(`${path}.allNodes`, false, 'must be either unset or set to true'));
  }
  const detail =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  if (said.length === 0) errors.push(field.required(path, detail));
  else if (said.length > 1) errors.push(field.invalid(path, `{${said.join(', ')}}`, detail));
  return errors;
}

function noDevicePlace({ nodeName, nodeSelector, allNodes }: DeepReadonly<Device>, path: string): FieldError[] {
  if (nodeName === undefined && nodeSelector === undefined && allNodes === undefined) return [];
  const detail =
    '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  return [field.invalid(path, null, detail)];
}

/** One value, alone or as a list. */
function validateAttribute(attribute: DeepReadonly<DeviceAttribute>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { string: text, version } = attribute;
  if (typeof text === 'string' && byteLength(text) > maxAttributeBytes) {
    errors.push(field.tooLong(`${path}.string`, maxAttributeBytes));
  }
  if (typeof version === 'string') {
    if (!semver.test(version)) {
      const detail = 'must be a string compatible with semver.org spec 2.0.0';
      errors.push(field.invalid(`${path}.version`, version, detail));
    }
    if (byteLength(version) > maxAttributeBytes) errors.push(field.tooLong(`${path}.version`, maxAttributeBytes));
  }
  const count = Object.values(attribute).filter((value) => value !== undefined && value !== null).length;
  if (count === 1) return errors;
  const shown = count === 0 ? '' : internalAttribute(attribute);
  return [...errors, field.invalid(path, shown, 'exactly one value must be specified')];
}

/** How errors show an attribute: as upstream's internal type has it. */
function internalAttribute(attribute: DeepReadonly<DeviceAttribute>): unknown {
  return {
    IntValue: attribute.int ?? null,
    BoolValue: attribute.bool ?? null,
    StringValue: attribute.string ?? null,
    VersionValue: attribute.version ?? null,
    IntValues: attribute.ints ?? null,
    BoolValues: attribute.bools ?? null,
    StringValues: attribute.strings ?? null,
    VersionValues: attribute.versions ?? null,
  };
}

/** The same of a term of a node selector. */
function internalTerm({ matchExpressions, matchFields }: DeepReadonly<NodeSelectorTerm>): unknown {
  return { MatchExpressions: internalRequirements(matchExpressions), MatchFields: internalRequirements(matchFields) };
}

function internalRequirements(requirements: DeepReadonly<NodeSelectorRequirement[]> | undefined): unknown {
  const shown = requirements?.map(({ key = '', operator = '', values }) => ({
    Key: key,
    Operator: operator,
    Values: values ?? null,
  }));
  return shown ?? null;
}

function validateConsumption(consumption: DeepReadonly<DeviceCounterConsumption>, path: string): FieldError[] {
  return [
    ...validateCounterName(consumption.counterSet, `${path}.counterSet`),
    ...validateCounters(consumption.counters, `${path}.counters`),
  ];
}

function validateCounterSet(set: DeepReadonly<CounterSet>, path: string): FieldError[] {
  return [...validateCounterName(set.name, `${path}.name`), ...validateCounters(set.counters, `${path}.counters`)];
}

function validateCounterName(name: string | undefined, path: string): FieldError[] {
  return name ? validateLabelName(name, path) : [field.required(path)];
}

function validateCounters(counters: DeepReadonly<Record<string, Counter>> | undefined, path: string): FieldError[] {
  const names = Object.keys(counters ?? {});
  if (names.length === 0) return [field.required(path)];
  if (names.length > maxCounters) return [field.tooMany(path, names.length, maxCounters)];
  return names.flatMap((name) => validateLabelName(name, path));
}
