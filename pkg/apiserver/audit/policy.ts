import type { UserInfo } from '../../api/user.ts';
import { type ConfigNode, readConfigFile } from '../../config/index.ts';
import type { RequestInfo } from '../contract.ts';

export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type Level = (typeof LEVELS)[number];
export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type Stage = (typeof STAGES)[number];

/** audit.k8s.io/v1 Policy. */
export interface AuditPolicy {
  readonly rules: readonly AuditRule[];
  readonly omitStages: readonly Stage[];
  readonly omitManagedFields: boolean;
}

export interface AuditRule {
  readonly level: Level;
  /** Empty lists match everything. */
  readonly users: readonly string[];
  readonly userGroups: readonly string[];
  readonly verbs: readonly string[];
  readonly resources: readonly GroupResources[];
  readonly namespaces: readonly string[];
  readonly nonResourceURLs: readonly string[];
  readonly omitStages: readonly Stage[];
  /** undefined: as the policy has it. */
  readonly omitManagedFields: boolean | undefined;
}

export interface GroupResources {
  readonly group: string;
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}

/** What is audited of one request. */
export interface AuditDecision {
  readonly level: Level;
  readonly omitStages: readonly Stage[];
  readonly omitManagedFields: boolean;
}

const NOTHING: AuditDecision = { level: 'None', omitStages: [], omitManagedFields: false };

/** The first rule that matches decides; what no rule matches is not audited. */
export function decide(policy: AuditPolicy, info: RequestInfo, user: UserInfo | undefined): AuditDecision {
  const rule = policy.rules.find((one) => ruleMatches(one, info, user));
  if (rule === undefined) return NOTHING;
  return {
    level: rule.level,
    omitStages: [...policy.omitStages, ...rule.omitStages],
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields,
  };
}

function ruleMatches(rule: AuditRule, info: RequestInfo, user: UserInfo | undefined): boolean {
  if (rule.users.length > 0 && (user === undefined || !rule.users.includes(user.username))) return false;
  if (rule.userGroups.length > 0 && !rule.userGroups.some((group) => user?.groups.includes(group))) return false;
  if (rule.verbs.length > 0 && !rule.verbs.some((verb) => verb === '*' || verb === info.verb)) return false;
  if (rule.namespaces.length > 0 || rule.resources.length > 0) {
    if (!info.isResourceRequest) return false;
    if (rule.namespaces.length > 0 && !rule.namespaces.includes(info.namespace)) return false;
    return rule.resources.length === 0 || rule.resources.some((one) => resourcesMatch(one, info));
  }
  if (rule.nonResourceURLs.length === 0) return true;
  return !info.isResourceRequest && rule.nonResourceURLs.some((pattern) => pathMatches(pattern, info.path));
}

function resourcesMatch({ group, resources, resourceNames }: GroupResources, info: RequestInfo): boolean {
  if (group !== info.group) return false;
  if (resources.length === 0) return true;
  if (resourceNames.length > 0 && !resourceNames.includes(info.name)) return false;
  const whole = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`;
  return resources.some(
    (one) =>
      one === '*' ||
      one === whole ||
      one === `${info.resource}/*` ||
      (info.subresource !== '' && one === `*/${info.subresource}`),
  );
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}

/** Reads a policy file. Throws ConfigError that names file, line and field. */
export async function readAuditPolicy(file: string): Promise<AuditPolicy> {
  return auditPolicy(await readConfigFile(file, ['audit.k8s.io/v1'], 'Policy'));
}

export function auditPolicy(root: ConfigNode): AuditPolicy {
  root.onlyFields(['metadata', 'rules', 'omitStages', 'omitManagedFields']);
  const rules = root.field('rules').items();
  if (rules.length === 0) root.field('rules').fail('at least one rule is needed');
  return {
    rules: rules.map(auditRule),
    omitStages: stagesOf(root),
    omitManagedFields: root.field('omitManagedFields').boolean(),
  };
}

function auditRule(node: ConfigNode): AuditRule {
  node.onlyFields([
    'level',
    'users',
    'userGroups',
    'verbs',
    'resources',
    'namespaces',
    'nonResourceURLs',
    'omitStages',
    'omitManagedFields',
  ]);
  const resources = node.field('resources').items().map(groupResources);
  const namespaces = node.field('namespaces').strings();
  const paths = node.field('nonResourceURLs');
  if (paths.items().length > 0 && resources.length + namespaces.length > 0)
    paths.fail('rules cannot apply to both regular resources and non-resource URLs');
  const omitManagedFields = node.field('omitManagedFields');
  return {
    level: node.field('level').oneOf(LEVELS),
    users: node.field('users').strings(),
    userGroups: node.field('userGroups').strings(),
    verbs: node.field('verbs').strings(),
    resources,
    namespaces,
    nonResourceURLs: paths.items().map(pathPattern),
    omitStages: stagesOf(node),
    omitManagedFields: omitManagedFields.present ? omitManagedFields.boolean() : undefined,
  };
}

function groupResources(node: ConfigNode): GroupResources {
  node.onlyFields(['group', 'resources', 'resourceNames']);
  const group = node.field('group').string();
  if (group.includes('/')) node.field('group').fail(`${JSON.stringify(group)} is not a group; leave out the version`);
  const resources = node.field('resources').strings();
  const resourceNames = node.field('resourceNames').strings();
  if (resourceNames.length > 0 && resources.length === 0)
    node.field('resourceNames').fail('using resourceNames requires at least one resource');
  return { group, resources, resourceNames };
}

function pathPattern(node: ConfigNode): string {
  const pattern = node.string();
  if (pattern === '*') return pattern;
  if (!pattern.startsWith('/')) return node.fail(`${JSON.stringify(pattern)} must start with "/" or be "*"`);
  if (pattern.slice(0, -1).includes('*')) return node.fail(`${JSON.stringify(pattern)} may have "*" only at its end`);
  return pattern;
}

function stagesOf(node: ConfigNode): Stage[] {
  return node
    .field('omitStages')
    .items()
    .map((stage) => stage.oneOf(STAGES));
}
