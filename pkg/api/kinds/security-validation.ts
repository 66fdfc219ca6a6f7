import type { DeepReadonly } from '../../base/json.ts';
import type { AppArmorProfile, PodSpec, SeccompProfile, SecurityContext } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { rangeText } from '../validation/names.ts';
import { localDescendingPath } from '../validation/values.ts';

type FieldError = field.FieldError;

const maxID = 2_147_483_647;
const sysctlPattern = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const sysctlRegex = new RegExp(sysctlPattern);
const windowsForbidden = 'cannot be set for a windows pod';

function validateID(id: number | undefined | null, path: string): FieldError[] {
  if (id === undefined || id === null || (id >= 0 && id <= maxID)) return [];
  return [field.invalid(path, id, rangeText(0, maxID))];
}

function validateProfile(
  profile: DeepReadonly<SeccompProfile | AppArmorProfile> | undefined,
  what: 'seccomp' | 'AppArmor',
  path: string,
): FieldError[] {
  if (!profile) return [];
  const types = ['Localhost', 'RuntimeDefault', 'Unconfined'];
  const { type, localhostProfile } = profile;
  const errors: FieldError[] = [];
  if (!type) errors.push(field.required(`${path}.type`, `type is required when ${what.toLowerCase()}Profile is set`));
  else if (!types.includes(type)) errors.push(field.notSupported(`${path}.type`, type, types));
  const at = `${path}.localhostProfile`;
  if (type === 'Localhost') {
    if (!localhostProfile) errors.push(field.required(at, `must be set when ${what} type is Localhost`));
    else if (what === 'seccomp') errors.push(...localDescendingPath(localhostProfile, at));
  } else if (localhostProfile !== undefined && localhostProfile !== null) {
    errors.push(field.invalid(at, localhostProfile, `can only be set when ${what} type is Localhost`));
  }
  return errors;
}

/** The pod's security context, and host namespaces that conflict with it. */
export function validatePodSecurity(spec: DeepReadonly<PodSpec>, specPath: string): FieldError[] {
  const errors: FieldError[] = [];
  const path = `${specPath}.securityContext`;
  const context = spec.securityContext ?? {};
  errors.push(...validateID(context.fsGroup, `${path}.fsGroup`));
  errors.push(...validateID(context.runAsUser, `${path}.runAsUser`));
  errors.push(...validateID(context.runAsGroup, `${path}.runAsGroup`));
  const groups = context.supplementalGroups ?? [];
  for (let i = 0; i < groups.length; i++) errors.push(...validateID(groups[i], `${path}.supplementalGroups[${i}]`));
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(field.invalid(`${path}.shareProcessNamespace`, true, detail));
  }
  errors.push(...validateSysctls(spec, `${path}.sysctls`));
  const choices = [
    ['fsGroupChangePolicy', ['Always', 'OnRootMismatch']],
    ['supplementalGroupsPolicy', ['Merge', 'Strict']],
    ['seLinuxChangePolicy', ['MountOption', 'Recursive']],
  ] as const;
  for (const [name, supported] of choices) {
    const value = context[name];
    if (value && !(supported as readonly string[]).includes(value)) {
      errors.push(field.notSupported(`${path}.${name}`, value, supported));
    }
  }
  errors.push(...validateProfile(context.seccompProfile, 'seccomp', `${path}.seccompProfile`));
  errors.push(...validateProfile(context.appArmorProfile, 'AppArmor', `${path}.appArmorProfile`));
  return errors;
}

function validateSysctls(spec: DeepReadonly<PodSpec>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const sysctls = spec.securityContext?.sysctls ?? [];
  for (let i = 0; i < sysctls.length; i++) {
    const name = sysctls[i]?.name ?? '';
    const at = `${path}[${i}].name`;
    if (name === '') errors.push(field.required(at));
    else if (name.length > 253 || !sysctlRegex.test(name)) {
      errors.push(field.invalid(at, name, `must have at most 253 characters and match regex ${sysctlPattern}`));
    } else if (names.has(name)) errors.push(field.duplicate(at, name));
    const dotted = name.replaceAll('/', '.');
    if (spec.hostNetwork === true && dotted.startsWith('net.')) {
      errors.push(field.invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    }
    if (
      spec.hostIPC === true &&
      (/^kernel\.(shm|msg)/.test(dotted) || dotted === 'kernel.sem' || dotted.startsWith('fs.mqueue.'))
    ) {
      errors.push(field.invalid(at, name, "may not be specified when 'hostIPC' is true"));
    }
    names.add(name);
  }
  return errors;
}

/** A container's security context; `hostUsers` is false for pods in a user namespace. */
export function validateContainerSecurity(
  context: DeepReadonly<SecurityContext> | undefined,
  hostUsers: boolean,
  path: string,
): FieldError[] {
  if (!context) return [];
  const errors = [
    ...validateID(context.runAsUser, `${path}.runAsUser`),
    ...validateID(context.runAsGroup, `${path}.runAsGroup`),
  ];
  if (context.procMount !== undefined && context.procMount !== null) {
    if (context.procMount !== 'Default' && context.procMount !== 'Unmasked') {
      errors.push(field.notSupported(`${path}.procMount`, context.procMount, ['Default', 'Unmasked']));
    } else if (context.procMount === 'Unmasked' && hostUsers) {
      errors.push(field.invalid(`${path}.procMount`, context.procMount, '`hostUsers` must be false to use `Unmasked`'));
    }
  }
  errors.push(...validateProfile(context.seccompProfile, 'seccomp', `${path}.seccompProfile`));
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true';
      errors.push(field.invalid(path, context, detail));
    }
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN';
      errors.push(field.invalid(path, context, detail));
    }
  }
  errors.push(...validateProfile(context.appArmorProfile, 'AppArmor', `${path}.appArmorProfile`));
  return errors;
}

/** What the pod's operating system rules out. */
export function validatePodOS(spec: DeepReadonly<PodSpec>, path: string): FieldError[] {
  const name = spec.os?.name;
  if (spec.os === undefined || spec.os === null) return [];
  if (!name) return [field.required(`${path}.os.name`, 'cannot be empty')];
  if (name === 'linux') return linuxErrors(spec, path);
  if (name === 'windows') return windowsErrors(spec, path);
  return [field.notSupported(`${path}.os`, name, ['linux', 'windows'])];
}

function* containersOf(spec: DeepReadonly<PodSpec>, path: string): Generator<[DeepReadonly<SecurityContext>, string]> {
  for (const list of ['containers', 'initContainers', 'ephemeralContainers'] as const) {
    const containers = spec[list] ?? [];
    for (let i = 0; i < containers.length; i++) {
      const context = containers[i]?.securityContext;
      if (context) yield [context, `${path}.${list}[${i}].securityContext`];
    }
  }
}

function linuxErrors(spec: DeepReadonly<PodSpec>, path: string): FieldError[] {
  const detail = 'windows options cannot be set for a linux pod';
  const errors: FieldError[] = [];
  if (spec.securityContext?.windowsOptions)
    errors.push(field.forbidden(`${path}.securityContext.windowsOptions`, detail));
  for (const [context, at] of containersOf(spec, path)) {
    if (context.windowsOptions) errors.push(field.forbidden(`${at}.windowsOptions`, detail));
  }
  return errors;
}

function windowsErrors(spec: DeepReadonly<PodSpec>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const forbid = (object: object, names: readonly string[], at: string): void => {
    const fields = object as Readonly<Record<string, unknown>>;
    for (const name of names) {
      const value = fields[name];
      if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) continue;
      errors.push(field.forbidden(`${at}.${name}`, windowsForbidden));
    }
  };
  const shared = ['appArmorProfile', 'seLinuxOptions', 'seccompProfile'];
  if (spec.hostUsers !== undefined) errors.push(field.forbidden(`${path}.hostUsers`, windowsForbidden));
  if (spec.hostPID === true) errors.push(field.forbidden(`${path}.securityContext.hostPID`, windowsForbidden));
  if (spec.hostIPC === true) errors.push(field.forbidden(`${path}.securityContext.hostIPC`, windowsForbidden));
  if (spec.securityContext) {
    const names = [
      ...shared,
      'fsGroup',
      'fsGroupChangePolicy',
      'sysctls',
      'runAsUser',
      'runAsGroup',
      'supplementalGroups',
      'supplementalGroupsPolicy',
      'seLinuxChangePolicy',
    ];
    forbid(spec.securityContext, names, `${path}.securityContext`);
  }
  if (spec.shareProcessNamespace !== undefined) {
    errors.push(field.forbidden(`${path}.securityContext.shareProcessNamespace`, windowsForbidden));
  }
  for (const [context, at] of containersOf(spec, path)) {
    const names = [
      ...shared,
      'capabilities',
      'readOnlyRootFilesystem',
      'privileged',
      'allowPrivilegeEscalation',
      'procMount',
      'runAsUser',
      'runAsGroup',
    ];
    forbid(context, names, at);
  }
  return errors;
}
