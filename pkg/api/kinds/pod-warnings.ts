/** Warnings about pods that are legal but hardly meant so. Upstream's pkg/api/pod/warnings.go. */
import type { DeepReadonly } from '../../base/json.ts';
import type { EnvVar, ObjectMeta, Pod, PodSpec, PodTemplateSpec } from '../generated/types.ts';
import { goQuote } from '../validation/go-format.ts';
import { ipWarnings } from '../validation/ip.ts';
import { isDNS1123Label } from '../validation/names.ts';
import { isWholeQuantity } from '../validation/quantity.ts';
import { nodeLabelWarning, nodeTermWarnings } from './node-labels.ts';
import { appArmorPrefix, seccompPod, seccompPrefix } from './pod-annotations.ts';
import { type AnyContainer, containersOf } from './pod-containers.ts';
import { portWarnings } from './port-warnings.ts';
import { volumeWarnings } from './volume-warnings.ts';

type Spec = DeepReadonly<PodSpec>;
type Annotations = DeepReadonly<ObjectMeta>['annotations'];

const deadAnnotations = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
] as const;
const useSeccompField = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const useAppArmorField = 'deprecated since v1.30; use the "appArmorProfile" field instead';
/** Resources that are counted in bytes. */
const BYTES = ['memory', 'ephemeral-storage'] as const;
const matchesNothing = 'a null labelSelector results in matching no pod';

/** Warnings about a new pod; updates have none, since people seldom write them. */
export function podWarnings(pod: DeepReadonly<Pod>): string[] {
  const warnings: string[] = [];
  if (!pod.spec) return warnings;
  for (const container of containersOf(pod.spec, 'spec')) {
    const key = `${appArmorPrefix}${container[0].name}`;
    if (pod.spec.os?.name === 'windows' || pod.metadata.annotations?.[key] === undefined) continue;
    warnings.push(`metadata.annotations[${key}]: ${useAppArmorField}`);
  }
  const problems = isDNS1123Label(pod.metadata.name ?? '');
  if (problems.length > 0) {
    warnings.push(
      `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
    );
  }
  return [...warnings, ...specWarnings(pod.spec, pod.metadata.annotations, '', false)];
}

/** Warnings about the template of a workload, new or changed; `path` is that of the template. */
export function templateWarnings(template: DeepReadonly<PodTemplateSpec> | undefined, path: string): string[] {
  if (!template?.spec) return [];
  return specWarnings(template.spec, template.metadata?.annotations, `${path}.`, true);
}

function specWarnings(spec: Spec, annotations: Annotations, prefix: string, isTemplate: boolean): string[] {
  const path = `${prefix}spec`;
  const warnings: string[] = [];
  for (const key in spec.nodeSelector ?? {}) {
    const text = nodeLabelWarning(key);
    if (text !== undefined) warnings.push(`${path}.nodeSelector[${key}]: ${text}`);
  }
  warnings.push(...nodeAffinityWarnings(spec, path), ...spreadWarnings(spec, path));
  for (const [key, text] of deadAnnotations) {
    if (annotations?.[key] !== undefined) warnings.push(`${prefix}metadata.annotations[${key}]: ${text}`);
  }
  warnings.push(
    ...volumeWarnings(spec, path),
    ...repeated(spec.hostAliases, 'ip', `${path}.hostAliases`),
    ...repeated(spec.imagePullSecrets, 'name', `${path}.imagePullSecrets`),
  );
  for (const [i, { name }] of (spec.imagePullSecrets ?? []).entries()) {
    if (!name) warnings.push(`${path}.imagePullSecrets[${i}].name: invalid empty name ""`);
  }
  for (const name of BYTES) {
    const text = fraction(spec.overhead?.[name], name, `${path}.overhead`);
    if (text !== undefined) warnings.push(text);
  }
  if (!spec.securityContext?.seccompProfile && annotations?.[seccompPod] !== undefined) {
    warnings.push(`${prefix}metadata.annotations[${seccompPod}]: ${useSeccompField}`);
  }
  for (const [container, at] of containersOf(spec, path)) {
    const context = container.securityContext;
    const seccomp = `${seccompPrefix}${container.name}`;
    if (!context?.seccompProfile && annotations?.[seccomp] !== undefined) {
      warnings.push(`${prefix}metadata.annotations[${seccomp}]: ${useSeccompField}`);
    }
    const armor = `${appArmorPrefix}${container.name}`;
    const hasField = context?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    if (isTemplate && !hasField && annotations?.[armor] !== undefined) {
      warnings.push(`${prefix}metadata.annotations[${armor}]: ${useAppArmorField}`);
    }
    warnings.push(...containerWarnings(container, at));
  }
  warnings.push(...portWarnings(spec, path));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    const text = 'must be >= 0; negative values are invalid and will be treated as 1';
    warnings.push(`${path}.terminationGracePeriodSeconds: ${text}`);
  }
  return [...warnings, ...podAffinityWarnings(spec, path), ...addressWarnings(spec, path)];
}

function addressWarnings({ dnsConfig, hostAliases }: Spec, path: string): string[] {
  return [
    ...(dnsConfig?.nameservers ?? []).flatMap((ip, i) => ipWarnings(ip, `${path}.dnsConfig.nameservers[${i}]`)),
    ...(hostAliases ?? []).flatMap(({ ip }, i) => ipWarnings(ip, `${path}.hostAliases[${i}].ip`)),
  ];
}

/** Warnings about a changed status. */
export function podStatusWarnings({ status }: DeepReadonly<Pod>): string[] {
  return (['podIPs', 'hostIPs'] as const).flatMap((list) =>
    (status?.[list] ?? []).flatMap(({ ip }, i) => (ip ? ipWarnings(ip, `status.${list}[${i}].ip`) : [])),
  );
}

function nodeAffinityWarnings(spec: Spec, path: string): string[] {
  const affinity = spec.affinity?.nodeAffinity;
  const at = `${path}.affinity.nodeAffinity`;
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...required.flatMap((term, i) =>
      nodeTermWarnings(term, `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`, false),
    ),
    ...preferred.flatMap(({ preference }, i) =>
      nodeTermWarnings(preference, `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`, true),
    ),
  ];
}

function spreadWarnings(spec: Spec, path: string): string[] {
  const warnings: string[] = [];
  for (const [i, { topologyKey, labelSelector }] of (spec.topologySpreadConstraints ?? []).entries()) {
    const at = `${path}.topologySpreadConstraints[${i}]`;
    const text = nodeLabelWarning(topologyKey);
    if (text !== undefined) warnings.push(`${at}.topologyKey: ${topologyKey} is ${text}`);
    if (!labelSelector) warnings.push(`${at}.labelSelector: ${matchesNothing}`);
  }
  return warnings;
}

function podAffinityWarnings(spec: Spec, path: string): string[] {
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap((kind) => {
    const affinity = spec.affinity?.[kind];
    const at = `${path}.affinity.${kind}`;
    const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    return [
      ...required.flatMap(({ labelSelector }, i) =>
        labelSelector
          ? []
          : [`${at}.requiredDuringSchedulingIgnoredDuringExecution[${i}].labelSelector: ${matchesNothing}`],
      ),
      ...preferred.flatMap(({ podAffinityTerm }, i) =>
        podAffinityTerm?.labelSelector
          ? []
          : [
              `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm.labelSelector: ${matchesNothing}`,
            ],
      ),
    ];
  });
}

/** Values of `field` that occur again in a list. */
function repeated<K extends string>(
  items: readonly Readonly<Partial<Record<K, string>>>[] | undefined,
  field: K,
  path: string,
): string[] {
  if (items === undefined) return [];
  const seen = new Set<string>();
  return items.flatMap((item, i) => {
    const value = item[field] ?? '';
    if (seen.has(value)) return [`${path}[${i}].${field}: duplicate ${field} ${goQuote(value)}`];
    seen.add(value);
    return [];
  });
}

/** About an amount of memory or disk that is no whole number of bytes. */
function fraction(value: string | undefined, name: string, path: string): string | undefined {
  if (value === undefined || isWholeQuantity(value)) return undefined;
  return `${path}[${name}]: fractional byte value ${goQuote(value)} is invalid, must be an integer`;
}

function containerWarnings(container: AnyContainer, path: string): string[] {
  const warnings: string[] = [];
  for (const name of BYTES) {
    for (const kind of ['limits', 'requests'] as const) {
      const text = fraction(container.resources?.[kind]?.[name], name, `${path}.resources.${kind}`);
      if (text !== undefined) warnings.push(text);
    }
  }
  const seen = new Set<string>();
  for (const [i, variable] of (container.env ?? []).entries()) {
    if (seen.has(variable.name) && !isExtension(variable)) {
      const text = `hides previous definition of ${goQuote(variable.name)}, which may be dropped when using apply`;
      warnings.push(`${path}.env[${i}]: ${text}`);
    }
    seen.add(variable.name);
  }
  return warnings;
}

/** The value contains what the variable was before. */
function isExtension({ name, value = '', valueFrom }: DeepReadonly<EnvVar>): boolean {
  const reference = `$(${name})`;
  return !valueFrom && value !== reference && value.includes(reference);
}
