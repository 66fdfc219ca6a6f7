import type { DeepReadonly } from '../../base/json.ts';
import type { AppArmorProfile, PodSpec, SeccompProfile, SecurityContext } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { byteLength, rangeText } from '../validation/names.ts';
import { localDescendingPath } from '../validation/values.ts';
import { validateWindowsOptions } from './windows-validation.ts';

type FieldError = field.FieldError;

const maxID = 2_147_483_647;
const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const sysctlPattern = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const sysctlRegex = new RegExp(sysctlPattern);
const maxProfileBytes = 4095;

function validateID(id: number | undefined | null, path: string): FieldError[] {
  if (id === undefined || id === null || (id >= 0 && id <= maxID)) return [];
  return [field.invalid(path, id, rangeText(0, maxID))];
}

function validateSeccomp(profile: DeepReadonly<SeccompProfile> | undefined, path: string): FieldError[] {
  if (!profile) return [];
  const { type, localhostProfile } = profile;
  const given = localhostProfile !== undefined && localhostProfile !== null;
  const errors: FieldError[] = [];
  if (!type) errors.push(field.required(`${path}.type`, 'type is required when seccompProfile is set'));
  else if (!profileTypes.includes(type)) errors.push(field.notSupported(`${path}.type`, type, profileTypes));
  const at = `${path}.localhostProfile`;
  if (type === 'Localhost') {
    if (!given) errors.push(field.required(at, 'must be set when seccomp type is Localhost'));
    else errors.push(...localDescendingPath(localhostProfile, at));
  } else if (given) {
    // Upstream shows the profile as its internal type has it.
    const shown = { Type: type ?? '', LocalhostProfile: localhostProfile };
    errors.push(field.invalid(at, shown, 'can only be set when seccomp type is Localhost'));
  }
  return errors;
}

function validateAppArmor(profile: DeepReadonly<AppArmorProfile> | undefined, path: string): FieldError[] {
  if (!profile) return [];
  const { type, localhostProfile } = profile;
  const given = localhostProfile !== undefined && localhostProfile !== null;
  if (!type) return [field.required(`${path}.type`, 'type is required when appArmorProfile is set')];
  if (!profileTypes.includes(type)) return [field.notSupported(`${path}.type`, type, profileTypes)];
  const at = `${path}.localhostProfile`;
  if (type !== 'Localhost') {
    return given ? [field.invalid(at, localhostProfile, 'can only be set when AppArmor type is Localhost')] : [];
  }
  if (!given) return [field.required(at, 'must be set when AppArmor type is Localhost')];
  const errors: FieldError[] = [];
  if (localhostProfile !== localhostProfile.trim()) {
    errors.push(field.invalid(at, localhostProfile, 'must not be padded with whitespace'));
  } else if (localhostProfile === '') {
    errors.push(field.required(at, 'must be set when AppArmor type is Localhost'));
  }
  if (byteLength(localhostProfile) > maxProfileBytes) errors.push(field.tooLong(at, maxProfileBytes));
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
  errors.push(...oneOfGiven(context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${path}.fsGroupChangePolicy`));
  errors.push(...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`));
  errors.push(...validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`));
  errors.push(...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`));
  const groupsPolicy = context.supplementalGroupsPolicy;
  errors.push(...oneOfGiven(groupsPolicy, ['Merge', 'Strict'], `${path}.supplementalGroupsPolicy`));
  // MountOption is of use only with the feature SELinuxMount, which is off.
  errors.push(...oneOfGiven(context.seLinuxChangePolicy, ['Recursive'], `${path}.seLinuxChangePolicy`));
  return errors;
}

function oneOfGiven(value: string | undefined | null, supported: readonly string[], path: string): FieldError[] {
  if (value === undefined || value === null || supported.includes(value)) return [];
  return [field.notSupported(path, value, supported)];
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
  errors.push(...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`));
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
  errors.push(...validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`));
  errors.push(...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`));
  return errors;
}
