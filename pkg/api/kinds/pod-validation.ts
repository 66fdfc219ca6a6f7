import type { DeepReadonly } from '../../base/json.ts';
import type { HostAlias, PodDNSConfig, PodSpec, PodTemplateSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateLabels } from '../validation/label-selector.ts';
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isDNS1123SubdomainWithUnderscore,
  isQualifiedName,
  rangeText,
} from '../validation/names.ts';
import { validateAnnotations } from '../validation/object-meta.ts';
import { checkName, ipAddress, oneOf } from '../validation/values.ts';
import {
  type PodFacts,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from './container-validation.ts';
import { validatePodAnnotations, validateProfilesMatch } from './pod-annotations.ts';
import { containersOf } from './pod-containers.ts';
import { validateContainerResources, validatePodLevelResources } from './resource-validation.ts';
import { validateAffinity, validateTolerations, validateTopologySpread } from './scheduling-validation.ts';
import { validatePodSecurity } from './security-validation.ts';
import { validateVolumes } from './volume-validation.ts';
import { validateHostProcess, validatePodOS } from './windows-validation.ts';

type FieldError = field.FieldError;
type Spec = DeepReadonly<PodSpec>;

const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const maxInt32 = 2_147_483_647;
const maxNameservers = 3;
const maxSearches = 32;
const maxSearchCharacters = 2048;

/**
 * A pod spec in a pod (`path` is `spec`) or in a template. `pod` is the pod's name; '' means a template, for which names of
 * what is made for the pod cannot be checked.
 */
export function validatePodSpec(spec: Spec | undefined, path: string, pod = ''): FieldError[] {
  if (!spec) return [field.required(`${path}.containers`)];
  const { errors, known } = validateVolumes(spec.volumes, `${path}.volumes`, pod);
  const facts: PodFacts = {
    volumes: known,
    claims: new Set((spec.resourceClaims ?? []).map((claim) => claim.name).filter(Boolean)),
    graceSeconds: spec.terminationGracePeriodSeconds ?? 0,
    hostUsers: spec.hostUsers !== false,
    restartPolicy: spec.restartPolicy ?? '',
  };
  errors.push(
    ...validateResourceClaims(spec, `${path}.resourceClaims`),
    ...validateContainers(spec, facts, `${path}.containers`),
    ...validateInitContainers(spec, facts, `${path}.initContainers`),
    ...validateEphemeralContainers(spec, facts, `${path}.ephemeralContainers`),
    ...validatePodLevelResources(spec, facts.claims, `${path}.resources`),
    ...validateHostNetwork(spec, path),
    ...oneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`),
    ...oneOf(spec.dnsPolicy, dnsPolicies, `${path}.dnsPolicy`),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurity(spec, path),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDNSConfig(spec.dnsConfig, spec.dnsPolicy, `${path}.dnsConfig`),
    ...validateGates(spec, path),
    ...validateTopologySpread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...validateHostProcess(spec, path),
    ...validateHostUsers(spec, path),
    ...validateNames(spec, path),
    ...validateTolerations(spec.tolerations, `${path}.tolerations`),
    ...validateHostAliases(spec.hostAliases, `${path}.hostAliases`),
    ...validateClasses(spec, path),
  );
  if (spec.overhead) {
    errors.push(...validateContainerResources({ limits: spec.overhead }, new Set(), `${path}.overhead`));
  }
  errors.push(...validatePodOS(spec, path), ...validateFileReferences(spec, path));
  return errors;
}

/** Files that variables are read from lie in directories of the pod's own. */
function validateFileReferences(spec: Spec, path: string): FieldError[] {
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name ?? '', volume]));
  const errors: FieldError[] = [];
  for (const [{ env }, container] of containersOf(spec, path)) {
    for (const [i, { valueFrom }] of (env ?? []).entries()) {
      if (!valueFrom?.fileKeyRef) continue;
      const at = `${container}.env[${i}].valueFrom.fileKeyRef.volumeName`;
      const name = valueFrom.fileKeyRef.volumeName ?? '';
      const volume = volumes.get(name);
      if (volume === undefined) errors.push(field.notFound(at, name));
      else if (!volume.emptyDir) errors.push(field.invalid(at, name, 'referenced volume must be of type emptyDir'));
    }
  }
  return errors;
}

/** The template of a workload. */
export function validatePodTemplate(template: DeepReadonly<PodTemplateSpec> | undefined, path: string): FieldError[] {
  const metadata = template?.metadata;
  const errors = [
    ...validateLabels(metadata?.labels, `${path}.labels`),
    ...validateAnnotations(metadata?.annotations, `${path}.annotations`),
    ...validatePodAnnotations(metadata?.annotations, template?.spec, `${path}.annotations`),
    ...validatePodSpec(template?.spec, `${path}.spec`),
    ...validateProfilesMatch(metadata, template?.spec, `${path}.spec`),
  ];
  if ((template?.spec?.ephemeralContainers?.length ?? 0) > 0) {
    errors.push(
      field.forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'),
    );
  }
  return errors;
}

function validateHostNetwork(spec: Spec, path: string): FieldError[] {
  if (spec.hostNetwork !== true) return [];
  const errors: FieldError[] = [];
  const containers = spec.containers ?? [];
  for (let i = 0; i < containers.length; i++) {
    const ports = containers[i]?.ports ?? [];
    for (let j = 0; j < ports.length; j++) {
      const hostPort = ports[j]?.hostPort;
      if (!hostPort || hostPort === ports[j]?.containerPort) continue;
      const detail = 'must match `containerPort` when `hostNetwork` is true';
      errors.push(field.invalid(`${path}.containers[${i}].ports[${j}].hostPort`, hostPort, detail));
    }
  }
  return errors;
}

function validateResourceClaims(spec: Spec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const claims = spec.resourceClaims ?? [];
  for (let i = 0; i < claims.length; i++) {
    const { name = '', resourceClaimName, resourceClaimTemplateName } = claims[i] ?? {};
    const at = `${path}[${i}]`;
    if (name === '') errors.push(field.required(`${at}.name`));
    else if (names.has(name)) errors.push(field.duplicate(`${at}.name`, name));
    else errors.push(...checkName(isDNS1123Label, name, `${at}.name`));
    names.add(name);
    // Upstream shows the item as its internal type has it.
    const shown = {
      Name: name,
      ResourceClaimName: resourceClaimName ?? null,
      ResourceClaimTemplateName: resourceClaimTemplateName ?? null,
    };
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const detail = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
      errors.push(field.invalid(at, shown, detail));
    } else if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      const detail = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`';
      errors.push(field.invalid(at, shown, detail));
    }
    for (const part of ['resourceClaimName', 'resourceClaimTemplateName'] as const) {
      const value = claims[i]?.[part];
      if (value !== undefined) errors.push(...checkName(isDNS1123Subdomain, value, `${at}.${part}`));
    }
  }
  return errors;
}

function validateGates(spec: Spec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const readiness = spec.readinessGates ?? [];
  for (let i = 0; i < readiness.length; i++) {
    errors.push(
      ...checkName(isQualifiedName, readiness[i]?.conditionType, `${path}.readinessGates[${i}].conditionType`),
    );
  }
  const seen = new Set<string>();
  const scheduling = spec.schedulingGates ?? [];
  for (let i = 0; i < scheduling.length; i++) {
    const name = scheduling[i]?.name ?? '';
    const at = `${path}.schedulingGates[${i}]`;
    errors.push(...checkName(isQualifiedName, name, at));
    if (seen.has(name)) errors.push(field.duplicate(at, name));
    seen.add(name);
  }
  return errors;
}

/** Pods with a user namespace of their own. Upstream names the two host namespaces as its internal types do. */
function validateHostUsers(spec: Spec, path: string): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const fields = [
    ['hostNetwork', spec.hostNetwork],
    ['HostPID', spec.hostPID],
    ['HostIPC', spec.hostIPC],
  ] as const;
  const detail = 'when `hostUsers` is false';
  const errors = fields
    .filter(([, value]) => value === true)
    .map(([name]) => field.forbidden(`${path}.${name}`, detail));
  for (const [container, at] of containersOf(spec, path)) {
    if ((container.volumeDevices?.length ?? 0) > 0) errors.push(field.forbidden(`${at}.volumeDevices`, detail));
  }
  return errors;
}

function validateNames(spec: Spec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of ['serviceAccountName', 'nodeName'] as const) {
    if (spec[name]) errors.push(...checkName(isDNS1123Subdomain, spec[name], `${path}.${name}`));
  }
  const deadline = spec.activeDeadlineSeconds;
  if (typeof deadline === 'number' && (deadline < 1 || deadline > maxInt32)) {
    errors.push(field.invalid(`${path}.activeDeadlineSeconds`, deadline, rangeText(1, maxInt32)));
  }
  for (const name of ['hostname', 'subdomain'] as const) {
    if (spec[name]) errors.push(...checkName(isDNS1123Label, spec[name], `${path}.${name}`));
  }
  return [...errors, ...validateHostnameOverride(spec, path)];
}

function validateHostnameOverride(spec: Spec, path: string): FieldError[] {
  const name = spec.hostnameOverride;
  if (name === undefined || name === null) return [];
  const at = `${path}.hostnameOverride`;
  const errors: FieldError[] = [];
  if (spec.setHostnameAsFQDN === true) {
    errors.push(field.forbidden(at, 'may not be specified when setHostnameAsFQDN is true'));
  }
  if (spec.hostNetwork === true) errors.push(field.forbidden(at, 'may not be specified when hostNetwork is true'));
  if (name.length > 64) errors.push(field.tooLong(at, 64));
  return [...errors, ...checkName(isDNS1123Subdomain, name, at)];
}

function validateClasses(spec: Spec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { priorityClassName, runtimeClassName, preemptionPolicy } = spec;
  if (priorityClassName) errors.push(...checkName(isDNS1123Subdomain, priorityClassName, `${path}.priorityClassName`));
  if (runtimeClassName !== undefined && runtimeClassName !== null) {
    errors.push(...checkName(isDNS1123Subdomain, runtimeClassName, `${path}.runtimeClassName`));
  }
  if (preemptionPolicy !== undefined && preemptionPolicy !== null) {
    errors.push(...oneOf(preemptionPolicy, ['PreemptLowerPriority', 'Never'], `${path}.preemptionPolicy`));
  }
  return errors;
}

function validateDNSConfig(
  config: DeepReadonly<PodDNSConfig> | undefined,
  policy: string | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const nameservers = config?.nameservers ?? [];
  if (policy === 'None') {
    if (!config) return [field.required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    if (nameservers.length === 0) {
      const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
      return [field.required(`${path}.nameservers`, detail)];
    }
  }
  if (!config) return errors;
  if (nameservers.length > maxNameservers) {
    const detail = `must not have more than ${maxNameservers} nameservers`;
    errors.push(field.invalid(`${path}.nameservers`, nameservers, detail));
  }
  for (let i = 0; i < nameservers.length; i++) {
    errors.push(...ipAddress(nameservers[i], `${path}.nameservers[${i}]`));
  }
  const searches = config.searches ?? [];
  if (searches.length > maxSearches) {
    errors.push(field.invalid(`${path}.searches`, searches, `must not have more than ${maxSearches} search paths`));
  }
  if (searches.join(' ').length > maxSearchCharacters) {
    const detail = `must not have more than ${maxSearchCharacters} characters (including spaces) in the search list`;
    errors.push(field.invalid(`${path}.searches`, searches, detail));
  }
  for (let i = 0; i < searches.length; i++) {
    const search = searches[i] ?? '';
    if (search === '.') continue;
    const trimmed = search.endsWith('.') ? search.slice(0, -1) : search;
    errors.push(...checkName(isDNS1123SubdomainWithUnderscore, trimmed, `${path}.searches[${i}]`));
  }
  const options = config.options ?? [];
  for (let i = 0; i < options.length; i++) {
    if (!options[i]?.name) errors.push(field.required(`${path}.options[${i}]`, 'must not be empty'));
  }
  return errors;
}

function validateHostAliases(aliases: readonly DeepReadonly<HostAlias>[] | undefined, path: string): FieldError[] {
  return (aliases ?? []).flatMap(({ ip, hostnames }, i) => [
    ...ipAddress(ip, `${path}[${i}].ip`),
    ...(hostnames ?? []).flatMap((name, j) => checkName(isDNS1123Subdomain, name, `${path}[${i}].hostnames[${j}]`)),
  ]);
}
