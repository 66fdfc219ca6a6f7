import { aggregatedRules } from '../../../api/aggregated-rules.ts';
import { isStatusError } from '../../../api/errors.ts';
import { resources } from '../../../api/generated/resources.ts';
import type { ClusterRole, Subject } from '../../../api/generated/types.ts';
import { type DeepReadonly, type Draft, keyOf, type ResourceType, type StoredMeta } from '../../../api/object.ts';
import { equalJSON } from '../../../base/json.ts';
import type { Client } from '../../../client/client.ts';
import { uncovered } from '../covers.ts';
import type { Rule } from '../policy-rule.ts';
import {
  bootstrapClusterRoleBindings,
  bootstrapClusterRoles,
  bootstrapNamespaces,
  bootstrapRoleBindings,
  bootstrapRoles,
} from './policy.ts';
import { AUTOUPDATE } from './rule.ts';

/** What the reconciliation of one object needs: nothing, a write, or a new object in place of the old one. */
export type Step<T> =
  | { readonly action: 'none' }
  | { readonly action: 'create' | 'update' | 'recreate'; readonly object: Draft<T> };

/**
 * Creates the bootstrap roles and bindings that are missing and adds to the others what they lack. What a user added stays;
 * objects annotated `rbac.authorization.kubernetes.io/autoupdate: "false"` are left alone. admin, edit and view get the
 * rules of everything labelled for them. `client` must be of a user in system:masters. Throws what the API answers.
 */
export async function ensureBootstrapRBAC(client: Client, signal?: AbortSignal): Promise<void> {
  await Promise.all(bootstrapNamespaces.map((name) => ensureNamespace(client, name, signal)));
  const [clusterRoles, clusterBindings, roles, bindings] = await Promise.all([
    client.list(resources.clusterroles, {}, signal),
    client.list(resources.clusterrolebindings, {}, signal),
    client.list(resources.roles, {}, signal),
    client.list(resources.rolebindings, {}, signal),
  ]);
  await Promise.all([
    ...planClusterRoles(clusterRoles.items).map((step) => apply(client, resources.clusterroles, step, signal)),
    ...planAll(bootstrapRoles, roles.items, planRole).map((step) => apply(client, resources.roles, step, signal)),
  ]);
  await Promise.all([
    ...planAll(bootstrapClusterRoleBindings, clusterBindings.items, planBinding).map((step) =>
      apply(client, resources.clusterrolebindings, step, signal),
    ),
    ...planAll(bootstrapRoleBindings, bindings.items, planBinding).map((step) =>
      apply(client, resources.rolebindings, step, signal),
    ),
  ]);
}

async function ensureNamespace(client: Client, name: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await client.get(resources.namespaces, { name }, signal);
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
    await create(client, resources.namespaces, { metadata: { name } }, signal);
  }
}

async function apply<T>(
  client: Client,
  type: ResourceType<T>,
  step: Step<T>,
  signal: AbortSignal | undefined,
): Promise<void> {
  switch (step.action) {
    case 'none':
      return;
    case 'create':
      return create(client, type, step.object, signal);
    case 'update':
      await client.update(type, step.object, {}, signal);
      return;
    case 'recreate': {
      const { name = '', namespace } = (step.object as { readonly metadata: Partial<StoredMeta> }).metadata;
      await client.delete(type, { name, ...(namespace === undefined ? {} : { namespace }) }, {}, signal);
      return create(client, type, step.object, signal);
    }
  }
}

async function create<T>(
  client: Client,
  type: ResourceType<T>,
  object: Draft<T>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await client.create(type, object, {}, signal);
  } catch (error) {
    // Another server of the same cluster may be starting as well.
    if (!isStatusError(error, 'AlreadyExists')) throw error;
  }
}

interface Metadata {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

function planAll<W extends { readonly metadata: Metadata }, E extends { readonly metadata: Metadata }, T>(
  wanted: readonly W[],
  existing: readonly E[],
  plan: (wanted: W, existing: E | undefined) => Step<T>,
): Step<T>[] {
  const known = new Map(existing.map((object) => [keyOf(object), object]));
  return wanted.map((object) => plan(object, known.get(keyOf(object))));
}

interface AnyRole {
  readonly metadata: Metadata;
  readonly rules?: readonly Rule[];
}

/** Merges rules, labels and annotations of one role. */
export function planRole<W extends AnyRole, E extends AnyRole>(wanted: W, existing: E | undefined): Step<never> {
  if (existing === undefined) return { action: 'create', object: wanted as never };
  if (existing.metadata.annotations?.[AUTOUPDATE] === 'false') return { action: 'none' };
  const missing = uncovered(existing.rules ?? [], wanted.rules ?? []);
  const merged = { ...existing, metadata: mergeMetadata(wanted.metadata, existing.metadata) };
  const object = missing.length === 0 ? merged : { ...merged, rules: [...(existing.rules ?? []), ...missing] };
  return equalJSON(object, existing) ? { action: 'none' } : { action: 'update', object: object as never };
}

function planClusterRoles(existing: readonly DeepReadonly<ClusterRole>[]): Step<ClusterRole>[] {
  const known = new Map<string, DeepReadonly<ClusterRole> | Draft<ClusterRole>>(
    existing.map((role) => [role.metadata.name, role]),
  );
  const steps = new Map<string, Step<ClusterRole>>();
  for (const wanted of bootstrapClusterRoles) {
    const name = wanted.metadata.name ?? '';
    const step: Step<ClusterRole> = planRole(wanted, known.get(name));
    steps.set(name, step);
    if (step.action !== 'none') known.set(name, step.object);
  }
  // In this order: edit contains view, admin contains edit.
  for (const name of ['view', 'edit', 'admin']) {
    const role = known.get(name);
    if (role === undefined || role.metadata.annotations?.[AUTOUPDATE] === 'false') continue;
    const rules = aggregatedRules(role, known.values());
    if (equalJSON(rules, role.rules ?? [])) continue;
    const object = { ...role, rules } as Draft<ClusterRole>;
    known.set(name, object);
    const planned = steps.get(name)?.action;
    steps.set(name, { action: planned === 'create' ? 'create' : 'update', object });
  }
  return [...steps.values()];
}

interface AnyBinding {
  readonly metadata: Metadata;
  readonly roleRef: unknown;
  readonly subjects?: readonly DeepReadonly<Subject>[];
}

/** Merges subjects, labels and annotations of one binding; another roleRef needs a new object. */
export function planBinding<W extends AnyBinding, E extends AnyBinding>(
  wanted: W,
  existing: E | undefined,
): Step<never> {
  if (existing === undefined) return { action: 'create', object: wanted as never };
  if (existing.metadata.annotations?.[AUTOUPDATE] === 'false') return { action: 'none' };
  if (!equalJSON(wanted.roleRef, existing.roleRef)) return { action: 'recreate', object: wanted as never };
  const present = existing.subjects ?? [];
  const missing = (wanted.subjects ?? []).filter((subject) => !present.some((known) => equalJSON(known, subject)));
  const merged = { ...existing, metadata: mergeMetadata(wanted.metadata, existing.metadata) };
  const object = missing.length === 0 ? merged : { ...merged, subjects: [...present, ...missing] };
  return equalJSON(object, existing) ? { action: 'none' } : { action: 'update', object: object as never };
}

function mergeMetadata(wanted: Metadata, existing: Metadata): Metadata {
  return {
    ...existing,
    labels: { ...existing.labels, ...wanted.labels },
    annotations: { ...existing.annotations, ...wanted.annotations },
  };
}
