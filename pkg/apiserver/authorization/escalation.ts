/**
 * Nobody may grant what they do not have: checks before a role or binding is written, unless the user holds the verb
 * `escalate` on the role or `bind` on the role that is bound. Corresponds to upstream's registry/rbac/*\/policybased.
 */
import { forbidden, notFound } from '../../api/errors.ts';
import type { UserInfo } from '../../api/user.ts';
import { MASTERS_GROUP } from '../../api/user.ts';
import { equalJSON } from '../../base/json.ts';
import type { AdmissionAttributes, AdmissionPlugin, Authorizer } from '../contract.ts';
import { compactRules, uncovered } from './covers.ts';
import type { Rule } from './policy-rule.ts';
import type { RBACAuthorizer } from './rbac.ts';

const GROUP = 'rbac.authorization.k8s.io';
const ROLES = new Set(['roles', 'clusterroles']);
const BINDINGS = new Set(['rolebindings', 'clusterrolebindings']);

export interface EscalationDeps {
  readonly rbac: RBACAuthorizer;
  readonly authorizer: Authorizer;
}

/** The check as an admission plugin; the last one, so that it sees what will be stored. */
export function rbacEscalationCheck(deps: EscalationDeps): AdmissionPlugin {
  return {
    name: 'RBACEscalationCheck',
    handles: (operation, { type }) =>
      (operation === 'CREATE' || operation === 'UPDATE') &&
      type.group === GROUP &&
      (ROLES.has(type.resource) || BINDINGS.has(type.resource)),
    async validate(attributes) {
      if (attributes.user.groups.includes(MASTERS_GROUP)) return;
      if (ROLES.has(attributes.definition.type.resource)) await checkRole(attributes, deps);
      else await checkBinding(attributes, deps);
    },
  };
}

async function checkRole(attributes: AdmissionAttributes, deps: EscalationDeps): Promise<void> {
  const { object, oldObject, definition, user } = attributes;
  if (object === undefined) return;
  const unchanged =
    oldObject !== undefined &&
    equalJSON(object['rules'] ?? [], oldObject['rules'] ?? []) &&
    equalJSON(object['aggregationRule'], oldObject['aggregationRule']);
  if (unchanged) return;
  if (await may(deps, user, 'escalate', definition.type.resource, attributes.namespace, object.metadata.name)) return;
  const { name } = object.metadata;
  const { resource } = definition.type;
  // What a rule of aggregation gathers cannot be known: only somebody with every right may have one.
  if (aggregates(object) || aggregates(oldObject)) {
    if (missingRules(deps, user, attributes.namespace, EVERYTHING).length > 0)
      throw forbidden(
        { group: GROUP, resource },
        name,
        'must have cluster-admin privileges to use the aggregationRule',
      );
  }
  const rules = (object['rules'] ?? []) as readonly Rule[];
  const missing = missingRules(deps, user, attributes.namespace, rules);
  if (missing.length > 0) throw refuse(resource, name, user, missing);
}

function aggregates(role: AdmissionAttributes['oldObject']): boolean {
  const rule = role?.['aggregationRule'] as { readonly clusterRoleSelectors?: readonly unknown[] } | undefined;
  return (rule?.clusterRoleSelectors?.length ?? 0) > 0;
}

async function checkBinding(attributes: AdmissionAttributes, deps: EscalationDeps): Promise<void> {
  const { object, oldObject, definition, user } = attributes;
  if (object === undefined) return;
  const unchanged =
    oldObject !== undefined &&
    equalJSON(object['subjects'] ?? [], oldObject['subjects'] ?? []) &&
    equalJSON(object['roleRef'], oldObject['roleRef']);
  if (unchanged) return;
  const { kind = '', name = '' } = (object['roleRef'] ?? {}) as { kind?: string; name?: string };
  const roleResource = kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  if (await may(deps, user, 'bind', roleResource, attributes.namespace, name)) return;
  const rules = deps.rbac.rulesOfRole(kind, attributes.namespace, name);
  if (rules === undefined) throw notFound({ group: GROUP, resource: roleResource }, name);
  const missing = missingRules(deps, user, attributes.namespace, rules);
  if (missing.length > 0) throw refuse(definition.type.resource, object.metadata.name, user, missing);
}

const EVERYTHING: readonly Rule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

async function may(
  deps: EscalationDeps,
  user: UserInfo,
  verb: string,
  resource: string,
  namespace: string,
  name: string,
): Promise<boolean> {
  const result = await deps.authorizer.authorize({
    isResourceRequest: true,
    path: '',
    verb,
    group: GROUP,
    version: 'v1',
    resource,
    subresource: '',
    namespace,
    name,
    subpath: '',
    user,
  });
  return result.decision === 'allow';
}

function missingRules(deps: EscalationDeps, user: UserInfo, namespace: string, requested: readonly Rule[]): Rule[] {
  return compactRules(uncovered(deps.rbac.rulesFor(user, namespace).rules, requested));
}

function refuse(resource: string, name: string, user: UserInfo, missing: readonly Rule[]): Error {
  const lines = missing.map(describeRule).sort();
  const groups = `groups=[${user.groups.map((group) => JSON.stringify(group)).join(' ')}]`;
  return forbidden(
    { group: GROUP, resource },
    name,
    `user ${JSON.stringify(user.username)} (${groups}) is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}`,
  );
}

function describeRule(rule: Rule): string {
  const parts: string[] = [];
  const list = (values: readonly string[] | undefined, title: string): void => {
    if (values !== undefined && values.length > 0)
      parts.push(`${title}:[${values.map((value) => JSON.stringify(value)).join(', ')}]`);
  };
  list(rule.apiGroups, 'APIGroups');
  list(rule.resources, 'Resources');
  list(rule.resourceNames, 'ResourceNames');
  list(rule.nonResourceURLs, 'NonResourceURLs');
  list(rule.verbs, 'Verbs');
  return `{${parts.join(', ')}}`;
}
