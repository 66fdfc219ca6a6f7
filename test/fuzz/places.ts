import type { ResourceDefinition } from '../../pkg/api/definition.ts';
import { hostileKey } from './hostile.ts';
import type { Random } from './random.ts';

/** Where the fuzzer writes. Nothing outside is needed by the checks that follow it. */
export const NAMESPACES = ['fuzz-a', 'fuzz-b'] as const;
/** For kinds that would hinder all other writes of their namespace. */
export const QUOTA_NAMESPACE = 'fuzz-quota';

const NAMES = ['fz-0', 'fz-1', 'fz-2', 'fz-3', 'fz-4', 'fz-5', 'a', 'b', 'web', 'constructor', 'tostring'];

/** Kinds that change what happens to the requests of others: they are written as dry runs only. */
const FAR_REACHING: ReadonlySet<string> = new Set([
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'APIService',
  'FlowSchema',
  'PriorityLevelConfiguration',
  'CustomResourceDefinition',
]);

export function isFarReaching(kind: string): boolean {
  return FAR_REACHING.has(kind);
}

export function objectName(random: Random): string {
  return random.chance(0.93) ? random.pick(NAMES) : hostileKey(random);
}

export function namespaceFor(kind: string, random: Random): string {
  if (kind === 'ResourceQuota' || kind === 'LimitRange') return QUOTA_NAMESPACE;
  return random.chance(0.97) ? random.pick(NAMESPACES) : hostileKey(random);
}

/** `/apis/apps/v1/namespaces/fuzz-a/deployments`. */
export function collectionPath(definition: ResourceDefinition, namespace: string): string {
  const { group, version, resource, namespaced } = definition.type;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return namespaced
    ? `${root}/namespaces/${encodeURIComponent(wellFormed(namespace))}/${resource}`
    : `${root}/${resource}`;
}

export function objectPath(definition: ResourceDefinition, namespace: string, name: string): string {
  return `${collectionPath(definition, namespace)}/${encodeURIComponent(wellFormed(name))}`;
}

function wellFormed(text: string): string {
  return text.toWellFormed();
}
