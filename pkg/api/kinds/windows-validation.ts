/** What the pod's operating system rules out, and the options of Windows containers. */
import type { DeepReadonly } from '../../base/json.ts';
import type { PodSpec, WindowsSecurityContextOptions } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Subdomain } from '../validation/names.ts';
import { checkName } from '../validation/values.ts';
import { containersOf } from './pod-containers.ts';

type FieldError = field.FieldError;
type Spec = DeepReadonly<PodSpec>;
type Options = DeepReadonly<WindowsSecurityContextOptions> | undefined;

const notOnWindows = 'cannot be set for a windows pod';
const maxSpecKiB = 64;
const maxDomain = 256;
const maxUser = 104;
const netBIOSName = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const dnsLabel = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const dnsName = new RegExp(`^${dnsLabel}(?:\\.${dnsLabel})*$`);

export function validateWindowsOptions(options: Options, path: string): FieldError[] {
  if (!options) return [];
  const errors: FieldError[] = [];
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options;
  if (gmsaCredentialSpecName !== undefined) {
    errors.push(...checkName(isDNS1123Subdomain, gmsaCredentialSpecName, `${path}.gmsaCredentialSpecName`));
  }
  if (gmsaCredentialSpec === '') {
    const detail = 'gmsaCredentialSpec cannot be an empty string';
    errors.push(field.invalid(`${path}.gmsaCredentialSpec`, gmsaCredentialSpec, detail));
  } else if ((gmsaCredentialSpec?.length ?? 0) > maxSpecKiB * 1024) {
    const detail = `gmsaCredentialSpec size must be under ${maxSpecKiB} KiB`;
    errors.push(field.invalid(`${path}.gmsaCredentialSpec`, gmsaCredentialSpec, detail));
  }
  if (runAsUserName !== undefined) {
    for (const text of userNameProblems(runAsUserName)) {
      errors.push(field.invalid(`${path}.runAsUserName`, runAsUserName, text));
    }
  }
  return errors;
}

function userNameProblems(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string'];
  if (/\p{Cc}/u.test(name)) return ['runAsUserName cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const problems: string[] = [];
  const user = parts.at(-1) ?? '';
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined;
  if (domain !== undefined && domain.length >= maxDomain) {
    problems.push(`runAsUserName's Domain length must be under ${maxDomain} characters`);
  }
  if (domain !== undefined && !netBIOSName.test(domain) && !dnsName.test(domain)) {
    problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === '') problems.push("runAsUserName's User cannot be empty");
  else if (user.length > maxUser) {
    problems.push(`runAsUserName's User length must not be longer than ${maxUser} characters`);
  }
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    problems.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  }
  return problems;
}

/** Containers with the rights of the host: all of a pod or none, and on the host's network. */
export function validateHostProcess(spec: Spec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const inherited = spec.securityContext?.windowsOptions?.hostProcess;
  let all = 0;
  let privileged = 0;
  for (const [container, at] of containersOf(spec, path)) {
    const own = container.securityContext?.windowsOptions?.hostProcess;
    all++;
    if (inherited !== undefined && own !== undefined && inherited !== own) {
      const detail = `pod hostProcess value must be identical if both are specified, was ${inherited}`;
      errors.push(field.invalid(`${at}.securityContext.windowsOptions.hostProcess`, own, detail));
    }
    if (own ?? inherited ?? false) privileged++;
  }
  if (privileged === 0) return errors;
  if (privileged !== all) {
    const detail = 'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    errors.push(field.invalid(path, '', detail));
  }
  if (spec.hostNetwork !== true) {
    const detail = 'hostNetwork must be true if pod contains any hostProcess containers';
    errors.push(field.invalid(`${path}.hostNetwork`, false, detail));
  }
  return errors;
}

/** What `spec.os` rules out. */
export function validatePodOS(spec: Spec, path: string): FieldError[] {
  if (spec.os === undefined || spec.os === null) return [];
  const { name } = spec.os;
  if (!name) return [field.required(`${path}.os.name`)];
  if (name === 'linux') return linuxErrors(spec, path);
  if (name === 'windows') return windowsErrors(spec, path);
  return [field.notSupported(`${path}.os`, name, ['linux', 'windows'])];
}

function linuxErrors(spec: Spec, path: string): FieldError[] {
  const detail = 'windows options cannot be set for a linux pod';
  const errors: FieldError[] = [];
  if (spec.securityContext?.windowsOptions) {
    errors.push(field.forbidden(`${path}.securityContext.windowsOptions`, detail));
  }
  for (const [container, at] of containersOf(spec, path)) {
    if (!container.securityContext?.windowsOptions) continue;
    errors.push(field.forbidden(`${at}.securityContext.windowsOptions`, detail));
  }
  return errors;
}

const podOptions = ['appArmorProfile', 'seLinuxOptions'];
const podFields = ['hostUsers', 'hostPID', 'hostIPC'];
const morePodOptions = ['seccompProfile', 'fsGroup', 'fsGroupChangePolicy', 'sysctls'];
const lastPodOptions = [
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
];
const containerOptions = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
];

function windowsErrors(spec: Spec, path: string): FieldError[] {
  const context = spec.securityContext ?? {};
  const at = `${path}.securityContext`;
  const errors = [
    ...forbidSet(context, podOptions, at),
    ...forbidSet({ ...spec, hostPID: spec.hostPID || undefined, hostIPC: spec.hostIPC || undefined }, podFields, path),
    ...forbidSet(context, morePodOptions, at),
    ...forbidSet(spec, ['shareProcessNamespace'], path),
    ...forbidSet(context, lastPodOptions, at),
  ];
  for (const [container, containerPath] of containersOf(spec, path)) {
    if (!container.securityContext) continue;
    errors.push(...forbidSet(container.securityContext, containerOptions, `${containerPath}.securityContext`));
  }
  return errors;
}

function forbidSet(object: object, names: readonly string[], path: string): FieldError[] {
  const fields = object as Readonly<Record<string, unknown>>;
  return names
    .filter((name) => {
      const value = fields[name];
      return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
    })
    .map((name) => field.forbidden(`${path}.${name}`, notOnWindows));
}
