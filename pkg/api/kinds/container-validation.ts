import type { DeepReadonly } from '../../base/json.ts';
import type { Container, ContainerPort, EphemeralContainer, PodSpec, VolumeMount } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Label, isValidPortName } from '../validation/names.ts';
import {
  checkName,
  localDescendingPath,
  noBacksteps,
  oneOf,
  portNumber,
  supportedValue,
} from '../validation/values.ts';
import { validateEnv, validateEnvFrom } from './env-validation.ts';
import { validateHooksAndProbes } from './probe-validation.ts';
import { validateContainerResources } from './resource-validation.ts';
import { validateContainerSecurity } from './security-validation.ts';
import type { KnownVolumes } from './volume-validation.ts';

type FieldError = field.FieldError;
type AnyContainer = DeepReadonly<Container | EphemeralContainer>;

/** What container validation needs to know of the pod. */
export interface PodFacts {
  readonly volumes: KnownVolumes;
  readonly claims: ReadonlySet<string>;
  readonly graceSeconds: number;
  readonly hostUsers: boolean;
  readonly restartPolicy: string;
}

const protocols = ['SCTP', 'TCP', 'UDP'];
const restartPolicies = ['Always', 'Never', 'OnFailure'];
const sidecarOnly = 'may not be set for init containers without restartPolicy=Always';
const ephemeralForbidden = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

export function validateContainers(spec: DeepReadonly<PodSpec>, facts: PodFacts, path: string): FieldError[] {
  const containers = spec.containers ?? [];
  if (containers.length === 0) return [field.required(path)];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i];
    if (!container) continue;
    const at = `${path}[${i}]`;
    errors.push(...validateContainer(container, facts, at));
    if (names.has(container.name)) errors.push(field.duplicate(`${at}.name`, container.name));
    names.add(container.name);
    errors.push(...validateHooksAndProbes(container, facts.graceSeconds, at));
    errors.push(...validateRestart(container, false, at));
  }
  errors.push(...hostPortConflicts(containers, path));
  return errors;
}

export function validateInitContainers(spec: DeepReadonly<PodSpec>, facts: PodFacts, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set((spec.containers ?? []).map((container) => container.name));
  const containers = spec.initContainers ?? [];
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i];
    if (!container) continue;
    const at = `${path}[${i}]`;
    errors.push(...validateContainer(container, facts, at), ...validateRestart(container, true, at));
    if (names.has(container.name)) errors.push(field.duplicate(`${at}.name`, container.name));
    else if (container.name) names.add(container.name);
    errors.push(...hostPortConflicts([container], path));
    if (container.restartPolicy === 'Always') {
      errors.push(...validateHooksAndProbes(container, facts.graceSeconds, at));
    } else errors.push(...validateOneStep(container, at));
  }
  return errors;
}

/** An init container that runs to its end. */
function validateOneStep(container: AnyContainer, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    if (container[name]) errors.push(field.forbidden(`${path}.${name}`, sidecarOnly));
  }
  for (const [i, { restartPolicy }] of (container.resizePolicy ?? []).entries()) {
    if (restartPolicy !== 'RestartContainer') continue;
    const detail = "must not be set to 'RestartContainer' for non-sidecar initContainers";
    errors.push(field.invalid(`${path}.resizePolicy[${i}].restartPolicy`, restartPolicy, detail));
  }
  return errors;
}

export function validateEphemeralContainers(spec: DeepReadonly<PodSpec>, facts: PodFacts, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const others = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(others);
  const containers = spec.ephemeralContainers ?? [];
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i];
    if (!container) continue;
    const at = `${path}[${i}]`;
    errors.push(...validateContainer(container, facts, at), ...validateImageText(container, at));
    if (names.has(container.name)) errors.push(field.duplicate(`${at}.name`, container.name));
    names.add(container.name);
    if (container.targetContainerName && !others.has(container.targetContainerName)) {
      errors.push(field.notFound(`${at}.targetContainerName`, container.targetContainerName));
    }
    for (const name of ephemeralForbidden) {
      const value = container[name];
      if (!value || Object.keys(value).length === 0) continue;
      errors.push(field.forbidden(`${at}.${name}`, 'cannot be set for an Ephemeral Container'));
    }
    const mounts = container.volumeMounts ?? [];
    for (let j = 0; j < mounts.length; j++) {
      for (const name of ['subPath', 'subPathExpr'] as const) {
        if (!mounts[j]?.[name]) continue;
        errors.push(field.forbidden(`${at}.volumeMounts[${j}].${name}`, 'cannot be set for an Ephemeral Container'));
      }
    }
  }
  return errors;
}

/** Images of pods stand alone; templates may have blanks around theirs for whoever fills them in. */
export function validateImageText(container: AnyContainer, path: string): FieldError[] {
  const image = container.image ?? '';
  if (image === image.trim()) return [];
  return [field.invalid(`${path}.image`, image, 'must not have leading or trailing whitespace')];
}

function validateContainer(container: AnyContainer, facts: PodFacts, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!container.name) errors.push(field.required(`${path}.name`));
  else errors.push(...checkName(isDNS1123Label, container.name, `${path}.name`));
  if (!container.image) errors.push(field.required(`${path}.image`));
  const policies = ['File', 'FallbackToLogsOnError'];
  errors.push(...oneOf(container.terminationMessagePolicy, policies, `${path}.terminationMessagePolicy`));
  errors.push(...validatePorts(container.ports, `${path}.ports`));
  errors.push(...validateEnv(container.env, `${path}.env`));
  errors.push(...validateEnvFrom(container.envFrom, `${path}.envFrom`));
  errors.push(...validateMounts(container, facts.volumes, `${path}.volumeMounts`));
  errors.push(...validateDevices(container, facts.volumes, `${path}.volumeDevices`));
  errors.push(...oneOf(container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never'], `${path}.imagePullPolicy`));
  errors.push(...validateContainerResources(container.resources, facts.claims, `${path}.resources`));
  errors.push(...validateResizePolicy(container.resizePolicy, facts.restartPolicy, `${path}.resizePolicy`));
  errors.push(...validateContainerSecurity(container.securityContext, facts.hostUsers, `${path}.securityContext`));
  return errors;
}

/** How one container restarts; the rules of an init container without a policy of its own are not looked at. */
function validateRestart(container: AnyContainer, isInit: boolean, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { restartPolicy } = container;
  const rules = container.restartPolicyRules ?? [];
  if (restartPolicy === undefined || restartPolicy === null) {
    if (rules.length === 0) return [];
    errors.push(field.required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
    if (isInit) return errors;
  } else errors.push(...supportedValue(restartPolicy, restartPolicies, `${path}.restartPolicy`));
  if (rules.length > 20) errors.push(field.tooMany(`${path}.restartPolicyRules`, rules.length, 20));
  for (let i = 0; i < rules.length; i++) {
    const at = `${path}.restartPolicyRules[${i}]`;
    errors.push(...supportedValue(rules[i]?.action, ['Restart', 'RestartAllContainers'], `${at}.action`));
    const codes = rules[i]?.exitCodes;
    if (!codes) {
      errors.push(field.required(`${at}.exitCodes`, 'must be specified'));
      continue;
    }
    errors.push(...supportedValue(codes.operator, ['In', 'NotIn'], `${at}.exitCodes.operator`));
    const values = codes.values ?? [];
    if (values.length > 255) errors.push(field.tooMany(`${at}.exitCodes.values`, values.length, 255));
  }
  return errors;
}

function validateResizePolicy(policies: AnyContainer['resizePolicy'], podRestarts: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, { resourceName = '', restartPolicy = '' }] of (policies ?? []).entries()) {
    if (seen.has(resourceName)) errors.push(field.duplicate(`${path}[${i}]`, resourceName));
    seen.add(resourceName);
    if (resourceName === '') errors.push(field.required(path));
    else if (resourceName !== 'cpu' && resourceName !== 'memory') {
      errors.push(field.notSupported(path, resourceName, ['cpu', 'memory']));
    }
    errors.push(...oneOf(restartPolicy, ['NotRequired', 'RestartContainer'], path));
    if (podRestarts === 'Never' && restartPolicy !== 'NotRequired') {
      errors.push(field.invalid(path, restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
    }
  }
  return errors;
}

function validatePorts(ports: readonly DeepReadonly<ContainerPort>[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (let i = 0; i < (ports?.length ?? 0); i++) {
    const port = ports?.[i];
    if (!port) continue;
    const at = `${path}[${i}]`;
    if (port.name) {
      const wrong = checkName(isValidPortName, port.name, `${at}.name`);
      errors.push(...wrong);
      if (wrong.length === 0 && names.has(port.name)) errors.push(field.duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (!port.containerPort) errors.push(field.required(`${at}.containerPort`));
    else errors.push(...portNumber(port.containerPort, `${at}.containerPort`));
    if (port.hostPort) errors.push(...portNumber(port.hostPort, `${at}.hostPort`));
    errors.push(...oneOf(port.protocol, protocols, `${at}.protocol`));
  }
  return errors;
}

function hostPortConflicts(containers: readonly AnyContainer[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const used = new Set<string>();
  for (let i = 0; i < containers.length; i++) {
    const ports = containers[i]?.ports ?? [];
    for (let j = 0; j < ports.length; j++) {
      const port = ports[j];
      if (!port?.hostPort) continue;
      const key = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`;
      if (used.has(key)) errors.push(field.duplicate(`${path}[${i}].ports[${j}].hostPort`, key));
      used.add(key);
    }
  }
  return errors;
}

function validateMounts(container: AnyContainer, volumes: KnownVolumes, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  const devices = container.volumeDevices ?? [];
  const mounts = container.volumeMounts ?? [];
  for (let i = 0; i < mounts.length; i++) {
    const mount = mounts[i];
    if (!mount) continue;
    const at = `${path}[${i}]`;
    if (!mount.name) errors.push(field.required(`${at}.name`));
    if (!volumes.has(mount.name)) errors.push(field.notFound(`${at}.name`, mount.name ?? ''));
    if (!mount.mountPath) errors.push(field.required(`${at}.mountPath`));
    if (paths.has(mount.mountPath)) errors.push(field.invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    paths.add(mount.mountPath);
    if (devices.some((device) => device.name === mount.name)) {
      errors.push(field.invalid(`${at}.name`, mount.name, 'must not already exist in volumeDevices'));
    }
    if (devices.some((device) => device.devicePath === mount.mountPath)) {
      const detail = 'must not already exist as a path in volumeDevices';
      errors.push(field.invalid(`${at}.mountPath`, mount.mountPath, detail));
    }
    errors.push(...validateMountDetails(mount, container, at, path));
  }
  return errors;
}

function validateMountDetails(
  mount: DeepReadonly<VolumeMount>,
  container: AnyContainer,
  at: string,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (mount.subPath) errors.push(...localDescendingPath(mount.subPath, `${path}.subPath`));
  if (mount.subPathExpr) {
    if (mount.subPath) {
      const detail = 'subPathExpr and subPath are mutually exclusive';
      errors.push(field.invalid(`${at}.subPathExpr`, mount.subPathExpr, detail));
    }
    errors.push(...localDescendingPath(mount.subPathExpr, `${path}.subPathExpr`));
  }
  const propagation = mount.mountPropagation;
  if (propagation !== undefined && propagation !== null) {
    const supported = ['Bidirectional', 'HostToContainer', 'None'];
    if (!supported.includes(propagation)) {
      errors.push(field.notSupported(`${path}.mountPropagation`, propagation, supported));
    }
    if (propagation === 'Bidirectional' && container.securityContext?.privileged !== true) {
      const detail = 'Bidirectional mount propagation is available only to privileged containers';
      errors.push(field.forbidden(`${path}.mountPropagation`, detail));
    }
  }
  const recursive = mount.recursiveReadOnly;
  if (recursive !== undefined && recursive !== null) {
    const supported = ['Disabled', 'Enabled', 'IfPossible'];
    const name = `${path}.recursiveReadOnly`;
    if (!supported.includes(recursive)) errors.push(field.notSupported(name, recursive, supported));
    else if (recursive !== 'Disabled') {
      if (mount.readOnly !== true) errors.push(field.forbidden(name, 'may only be specified when readOnly is true'));
      if (propagation !== undefined && propagation !== null && propagation !== 'None') {
        errors.push(field.forbidden(name, 'may only be specified when mountPropagation is None or not specified'));
      }
    }
  }
  return errors;
}

function validateDevices(container: AnyContainer, volumes: KnownVolumes, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const paths = new Set<string>();
  const mounts = container.volumeMounts ?? [];
  const devices = container.volumeDevices ?? [];
  for (let i = 0; i < devices.length; i++) {
    const name = devices[i]?.name ?? '';
    const devicePath = devices[i]?.devicePath ?? '';
    const at = `${path}[${i}]`;
    if (name === '') errors.push(field.required(`${at}.name`));
    if (names.has(name)) errors.push(field.invalid(`${at}.name`, name, 'must be unique'));
    const volume = volumes.get(name);
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      errors.push(field.invalid(`${at}.name`, name, detail));
    }
    if (!volume) errors.push(field.notFound(`${at}.name`, name));
    if (devicePath === '') errors.push(field.required(`${at}.devicePath`));
    if (paths.has(devicePath)) errors.push(field.invalid(`${at}.devicePath`, devicePath, 'must be unique'));
    if (noBacksteps(devicePath, '').length > 0) {
      errors.push(field.invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    } else paths.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) {
      errors.push(field.invalid(`${at}.name`, name, 'must not already exist in volumeMounts'));
    }
    if (mounts.some((mount) => mount.mountPath === devicePath)) {
      const detail = 'must not already exist as a path in volumeMounts';
      errors.push(field.invalid(`${at}.devicePath`, devicePath, detail));
    }
    if (name !== '') names.add(name);
  }
  return errors;
}
