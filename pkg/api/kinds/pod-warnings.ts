import type { DeepReadonly } from '../../base/json.ts';
import type { Container, EphemeralContainer, PodSpec, PodTemplateSpec } from '../generated/types.ts';
import { goQuote } from '../validation/go-format.ts';
import { isWholeQuantity } from '../validation/quantity.ts';

type AnyContainer = DeepReadonly<Container | EphemeralContainer>;

const deprecatedNodeLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** Warnings about a pod spec that is legal but hardly meant so. */
export function podWarnings(spec: DeepReadonly<PodSpec> | undefined, path: string): string[] {
  if (!spec) return [];
  const warnings: string[] = [];
  for (const key in spec.nodeSelector ?? {}) {
    const text = deprecatedNodeLabels[key];
    if (text) warnings.push(`${path}.nodeSelector[${key}]: ${text}`);
  }
  const spreads = spec.topologySpreadConstraints ?? [];
  for (let i = 0; i < spreads.length; i++) {
    const spread = spreads[i];
    const text = deprecatedNodeLabels[spread?.topologyKey ?? ''];
    const at = `${path}.topologySpreadConstraints[${i}]`;
    if (text) warnings.push(`${at}.topologyKey: ${spread?.topologyKey} is ${text}`);
    if (!spread?.labelSelector) warnings.push(`${at}.labelSelector: a null labelSelector results in matching no pod`);
  }
  for (let i = 0; i < (spec.volumes?.length ?? 0); i++) {
    if (spec.volumes?.[i]?.gitRepo) {
      warnings.push(`${path}.volumes[${i}].gitRepo: deprecated in v1.11, and disabled by default in v1.33+`);
    }
  }
  warnings.push(...duplicates(spec.imagePullSecrets, (secret) => secret.name ?? '', `${path}.imagePullSecrets`));
  const grace = spec.terminationGracePeriodSeconds;
  if (typeof grace === 'number' && grace < 0) {
    const text = 'must be >= 0; negative values are invalid and will be treated as 1';
    warnings.push(`${path}.terminationGracePeriodSeconds: ${text}`);
  }
  for (const list of ['initContainers', 'containers'] as const) {
    for (let i = 0; i < (spec[list]?.length ?? 0); i++) {
      const container = spec[list]?.[i];
      if (container) warnings.push(...containerWarnings(container, `${path}.${list}[${i}]`));
    }
  }
  return warnings;
}

/** Warnings about the template of a workload. */
export function templateWarnings(template: DeepReadonly<PodTemplateSpec> | undefined, path: string): string[] {
  return podWarnings(template?.spec, `${path}.spec`);
}

function duplicates<T>(items: readonly T[] | undefined, nameOf: (item: T) => string, path: string): string[] {
  const seen = new Set<string>();
  return (items ?? []).flatMap((item, i) => {
    const name = nameOf(item);
    if (name === '') return [`${path}[${i}].name: invalid empty name ""`];
    if (seen.has(name)) return [`${path}[${i}].name: duplicate name ${goQuote(name)}`];
    seen.add(name);
    return [];
  });
}

function containerWarnings(container: AnyContainer, path: string): string[] {
  const warnings: string[] = [];
  const variables = new Set<string>();
  const env = container.env ?? [];
  for (let i = 0; i < env.length; i++) {
    const name = env[i]?.name ?? '';
    const refersToItself = env[i]?.value?.includes(`$(${name})`) === true;
    if (variables.has(name) && !refersToItself) {
      warnings.push(
        `${path}.env[${i}]: hides previous definition of ${goQuote(name)}, which may be dropped when using apply`,
      );
    }
    variables.add(name);
  }
  for (const part of ['limits', 'requests'] as const) {
    for (const name of ['memory', 'ephemeral-storage']) {
      const value = container.resources?.[part]?.[name];
      if (value === undefined || isWholeQuantity(value)) continue;
      warnings.push(
        `${path}.resources.${part}[${name}]: fractional byte value ${goQuote(value)} is invalid, must be an integer`,
      );
    }
  }
  const ports = container.ports ?? [];
  for (let i = 0; i < ports.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [ports[i], ports[j]];
      if (a?.containerPort !== b?.containerPort || a?.protocol !== b?.protocol) continue;
      if (a?.hostIP !== b?.hostIP || a?.hostPort !== b?.hostPort) continue;
      warnings.push(`${path}.ports[${i}]: duplicate port definition with ${path}.ports[${j}]`);
      break;
    }
  }
  return warnings;
}
