import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding, Subject } from '../../../api/generated/types.ts';
import type { Draft } from '../../../api/object.ts';
import type { Rule } from '../policy-rule.ts';

/** A role of the bootstrap policy. `aggregate`: the roles (admin, edit, view) that this one is part of. */
export interface RoleEntry {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly aggregateTo?: string;
  /** Made of all ClusterRoles labelled with this aggregate. */
  readonly aggregates?: string;
}

export const LABELS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
export const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';
const RBAC = 'rbac.authorization.k8s.io';

export const READ = 'get list watch';
export const WRITE = 'create delete deletecollection patch update';
export const READ_WRITE = 'create delete deletecollection get list patch update watch';

/**
 * A rule in short: lists are separated by spaces, `core` is the core API group.
 * `allow('get list', 'core apps', 'pods deployments')`
 */
export function allow(verbs: string, groups: string, kinds: string, names?: string): Rule {
  return {
    verbs: verbs.split(' '),
    apiGroups: groups.split(' ').map((group) => (group === 'core' ? '' : group)),
    resources: kinds.split(' '),
    ...(names === undefined ? {} : { resourceNames: names.split(' ') }),
  };
}

/** A rule for paths that are not resources. */
export function allowPaths(verbs: string, paths: string): Rule {
  return { verbs: verbs.split(' '), nonResourceURLs: paths.split(' ') };
}

export const EVENTS = allow('create patch update', 'core events.k8s.io', 'events');

export function clusterRole(entry: RoleEntry): Draft<ClusterRole> {
  const aggregate = (role: string): string => `${RBAC}/aggregate-to-${role}`;
  return {
    metadata: {
      name: entry.name,
      annotations: { [AUTOUPDATE]: 'true' },
      labels: { ...LABELS, ...(entry.aggregateTo === undefined ? {} : { [aggregate(entry.aggregateTo)]: 'true' }) },
    },
    ...(entry.aggregates === undefined
      ? {}
      : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregate(entry.aggregates)]: 'true' } }] } }),
    rules: entry.rules,
  };
}

export function role(namespace: string, entry: RoleEntry): Draft<Role> {
  return {
    metadata: { name: entry.name, namespace, annotations: { [AUTOUPDATE]: 'true' }, labels: { ...LABELS } },
    rules: entry.rules,
  };
}

export function group(name: string): Subject {
  return { kind: 'Group', apiGroup: RBAC, name };
}

export function user(name: string): Subject {
  return { kind: 'User', apiGroup: RBAC, name };
}

export function account(name: string, namespace = 'kube-system'): Subject {
  return { kind: 'ServiceAccount', name, namespace };
}

export function clusterBinding(
  name: string,
  roleName: string,
  subjects: readonly Subject[],
): Draft<ClusterRoleBinding> {
  return {
    metadata: { name, annotations: { [AUTOUPDATE]: 'true' }, labels: { ...LABELS } },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: roleName },
    ...(subjects.length === 0 ? {} : { subjects }),
  };
}

export function binding(
  namespace: string,
  name: string,
  roleName: string,
  subjects: readonly Subject[],
): Draft<RoleBinding> {
  return {
    metadata: { name, namespace, annotations: { [AUTOUPDATE]: 'true' }, labels: { ...LABELS } },
    roleRef: { apiGroup: RBAC, kind: 'Role', name: roleName },
    subjects,
  };
}
