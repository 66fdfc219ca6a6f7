import type { Rule } from './policy-rule.ts';

/** A rule about one verb on one kind of thing: any rule is the union of such. */
interface Atom {
  readonly verb: string;
  readonly group?: string;
  readonly resource?: string;
  readonly name?: string;
  readonly path?: string;
}

/**
 * The parts of `requested` that `owned` does not grant (upstream's validation.Covers), each as a rule with one verb on one
 * kind of thing. An empty result: everything is covered.
 */
export function uncovered(owned: readonly Rule[], requested: readonly Rule[]): Rule[] {
  const missing: Rule[] = [];
  for (const rule of requested) {
    for (const atom of atoms(rule)) {
      if (!owned.some((candidate) => coversAtom(candidate, atom))) missing.push(toRule(atom));
    }
  }
  return missing;
}

function* atoms(rule: Rule): Iterable<Atom> {
  for (const path of rule.nonResourceURLs ?? []) for (const verb of rule.verbs) yield { verb, path };
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs) {
        if (rule.resourceNames === undefined || rule.resourceNames.length === 0) yield { verb, group, resource };
        else for (const name of rule.resourceNames) yield { verb, group, resource, name };
      }
    }
  }
}

function toRule(atom: Atom): Rule {
  if (atom.path !== undefined) return { verbs: [atom.verb], nonResourceURLs: [atom.path] };
  return {
    verbs: [atom.verb],
    apiGroups: [atom.group ?? ''],
    resources: [atom.resource ?? ''],
    ...(atom.name === undefined ? {} : { resourceNames: [atom.name] }),
  };
}

function coversAtom(rule: Rule, atom: Atom): boolean {
  if (!includes(rule.verbs, atom.verb)) return false;
  if (atom.path !== undefined) return coversPath(rule.nonResourceURLs ?? [], atom.path);
  if (!includes(rule.apiGroups, atom.group ?? '') || !coversResource(rule.resources ?? [], atom.resource ?? ''))
    return false;
  if (rule.resourceNames === undefined || rule.resourceNames.length === 0) return true;
  return atom.name !== undefined && rule.resourceNames.includes(atom.name);
}

function includes(list: readonly string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes('*') || list.includes(value));
}

function coversResource(list: readonly string[], resource: string): boolean {
  if (list.includes('*') || list.includes(resource)) return true;
  const slash = resource.indexOf('/');
  return slash >= 0 && list.includes(`*${resource.slice(slash)}`);
}

function coversPath(list: readonly string[], path: string): boolean {
  return list.some(
    (item) => item === '*' || item === path || (item.endsWith('*') && path.startsWith(item.replace(/\*+$/, ''))),
  );
}

/**
 * Joins rules that differ only in their verbs, and drops what is there twice, for readable messages and answers
 * (upstream's CompactRules). Only rules about exactly one resource without names are joined.
 */
export function compactRules(rules: readonly Rule[]): Rule[] {
  const compacted: Rule[] = [];
  const simple = new Map<string, { index: number; verbs: Set<string> }>();
  for (const rule of rules) {
    const key = simpleKey(rule);
    if (key === undefined) {
      compacted.push(rule);
      continue;
    }
    const known = simple.get(key);
    if (known === undefined) {
      simple.set(key, { index: compacted.length, verbs: new Set(rule.verbs) });
      compacted.push(rule);
    } else {
      for (const verb of rule.verbs) known.verbs.add(verb);
      compacted[known.index] = { ...rule, verbs: [...known.verbs] };
    }
  }
  return compacted;
}

function simpleKey(rule: Rule): string | undefined {
  if (rule.apiGroups?.length !== 1 || rule.resources?.length !== 1 || rule.nonResourceURLs?.length) return undefined;
  if ((rule.resourceNames?.length ?? 0) > 1) return undefined;
  return JSON.stringify([rule.apiGroups[0], rule.resources[0], rule.resourceNames?.[0] ?? null]);
}
