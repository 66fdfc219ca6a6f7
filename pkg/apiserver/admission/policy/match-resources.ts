import type { ResourceDefinition } from '../../../api/definition.ts';
import type { MatchResources, NamedRuleWithOperations } from '../../../api/generated/types.ts';
import type { DeepReadonly } from '../../../base/json.ts';
import type { AdmissionAttributes, ObjectReader, Operation } from '../../contract.ts';
import { type Rule, ruleMatches } from '../matching/rules.ts';
import { matchesNamespaceSelector, matchesObjectSelector } from '../matching/selectors.ts';
import type { Versions } from '../matching/versions.ts';

type Resources = DeepReadonly<MatchResources>;
type NamedRules = DeepReadonly<NamedRuleWithOperations[]> | undefined;

export interface MatchDeps {
  readonly reader: ObjectReader;
  readonly versions: Versions;
}

/**
 * The version in which a policy or binding is about a request; undefined: it is not about it. Throws NotFound for a namespace
 * that is not there.
 */
export function matchRequest(
  match: Resources | undefined,
  attributes: AdmissionAttributes,
  { reader, versions }: MatchDeps,
): ResourceDefinition | undefined {
  const { definition } = attributes;
  if (match === undefined) return definition;
  if (!matchesObjectSelector(match.objectSelector, attributes)) return undefined;
  const { operation, subresource } = attributes;
  const name = attributes.name ?? '';
  const find = (rules: NamedRules): ResourceDefinition | undefined =>
    versionFor(rules, match.matchPolicy, versions, { operation, definition, subresource, name });
  if (find(match.excludeResourceRules) !== undefined) return undefined;
  const found = (match.resourceRules ?? []).length === 0 ? definition : find(match.resourceRules);
  if (found === undefined) return undefined;
  return matchesNamespaceSelector(match.namespaceSelector, attributes, reader) ? found : undefined;
}

/** Whether a policy may be about such requests, whatever their names and labels. */
export function mayMatch(
  match: Resources | undefined,
  versions: Versions,
  operation: Operation,
  definition: ResourceDefinition,
  subresource: string,
): boolean {
  const rules = match?.resourceRules ?? [];
  if (rules.length === 0) return true;
  return versionFor(rules, match?.matchPolicy, versions, { operation, definition, subresource }) !== undefined;
}

interface Wanted {
  readonly operation: Operation;
  readonly definition: ResourceDefinition;
  readonly subresource: string;
  /** Absent: any. */
  readonly name?: string;
}

function versionFor(
  rules: NamedRules,
  matchPolicy: string | undefined,
  versions: Versions,
  { operation, definition, subresource, name }: Wanted,
): ResourceDefinition | undefined {
  const named = (rules ?? []).filter(
    ({ resourceNames = [] }) => name === undefined || resourceNames.length === 0 || resourceNames.includes(name),
  ) as readonly Rule[];
  if (named.some((rule) => ruleMatches(rule, operation, definition.type, subresource))) return definition;
  if (matchPolicy === 'Exact' || named.length === 0) return undefined;
  const equivalents = versions.equivalents(definition);
  for (const rule of named) {
    const found = equivalents.find((other) => ruleMatches(rule, operation, other.type, subresource));
    if (found !== undefined) return found;
  }
  return undefined;
}
