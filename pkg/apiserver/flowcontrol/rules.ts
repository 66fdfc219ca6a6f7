import type { FlowSchema, PolicyRulesWithSubjects } from '../../api/generated/types.ts';
import type { UserInfo } from '../../api/user.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { parseServiceAccountUsername } from '../authentication/service-account-user.ts';
import type { RequestInfo } from '../contract.ts';

type Rules = DeepReadonly<PolicyRulesWithSubjects>;

/** The rules of a schema whose subjects include the user. */
export function rulesForUser(schema: DeepReadonly<FlowSchema>, user: UserInfo): Rules[] {
  return (schema.spec.rules ?? []).filter((rules) => rules.subjects.some((subject) => subjectMatches(subject, user)));
}

/** Whether one of the rules covers the request (upstream's matchesAPolicyRule). */
export function matchesRequest(rules: readonly Rules[], info: RequestInfo): boolean {
  for (const one of rules) {
    const covered = info.isResourceRequest
      ? one.resourceRules?.some((rule) => resourceRuleMatches(rule, info))
      : one.nonResourceRules?.some(
          (rule) => has(rule.verbs, info.verb) && pathMatches(rule.nonResourceURLs, info.path),
        );
    if (covered === true) return true;
  }
  return false;
}

function subjectMatches(subject: Rules['subjects'][number], user: UserInfo): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.user?.name === '*' || subject.user?.name === user.username;
    case 'Group':
      return subject.group?.name === '*' || user.groups.includes(subject.group?.name ?? '');
    case 'ServiceAccount': {
      const account = parseServiceAccountUsername(user.username);
      const wanted = subject.serviceAccount;
      if (account === undefined || wanted === undefined || account.namespace !== wanted.namespace) return false;
      return wanted.name === '*' || wanted.name === account.name;
    }
    default:
      return false;
  }
}

function resourceRuleMatches(rule: NonNullable<Rules['resourceRules']>[number], info: RequestInfo): boolean {
  if (!has(rule.verbs, info.verb) || !has(rule.apiGroups, info.group)) return false;
  const resource = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`;
  if (!has(rule.resources, resource)) return false;
  return info.namespace === '' ? rule.clusterScope === true : has(rule.namespaces, info.namespace);
}

function pathMatches(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*')
      ? path.startsWith(pattern.slice(0, -1))
      : pattern === path || pattern === path.replace(/\/+$/, ''),
  );
}

function has(list: readonly string[] | undefined, value: string): boolean {
  return list?.some((item) => item === '*' || item === value) === true;
}
