import type { Element, Plan } from './plan.ts';

/** What has to change in the table, in any order; `render.ts` knows the right one. */
export interface Changes {
  readonly addSets: readonly (readonly [name: string, definition: SetDefinition])[];
  readonly removeSets: readonly (readonly [name: string, kind: SetDefinition['kind']])[];
  /** Also chains that exist and get other rules. */
  readonly setChains: readonly (readonly [name: string, rules: readonly string[], exists: boolean])[];
  readonly removeChains: readonly string[];
  readonly addElements: readonly Element[];
  readonly removeElements: readonly Element[];
}

export interface SetDefinition {
  readonly kind: 'set' | 'map';
  readonly text: string;
}

interface Claim {
  readonly set: string;
  readonly key: string;
  /** By owner; the one that came first counts. */
  readonly data: Map<string, string | undefined>;
}

/** A chain or a set, and who wants it. */
interface Named<V> {
  value: V;
  readonly owners: Set<string>;
}

/** `undefined` is a set element's data; `absent` an element that is not there. */
const absent = Symbol('absent');

/**
 * All owners' plans together, and what of it the kernel has. Changing one owner's plan costs what differs, whatever the
 * size of the rest.
 */
export class Ruleset {
  readonly #plans = new Map<string, Plan>();
  readonly #claims = new Map<string, Claim>();
  readonly #chains = new Map<string, Named<readonly string[]>>();
  readonly #sets = new Map<string, Named<SetDefinition>>();
  /** The order in which owners came: of two that want one frontend, all of it goes to one. */
  readonly #ranks = new Map<string, number>();
  #nextRank = 0;
  readonly #dirtyElements = new Map<string, { set: string; key: string }>();
  readonly #dirtyChains = new Set<string>();
  readonly #dirtySets = new Set<string>();
  readonly #appliedElements = new Map<string, string | undefined>();
  readonly #appliedChains = new Map<string, readonly string[]>();
  readonly #appliedSets = new Map<string, SetDefinition['kind']>();

  /** Owners that have a plan. */
  owners(): Iterable<string> {
    return this.#plans.keys();
  }

  planOf(owner: string): Plan | undefined {
    return this.#plans.get(owner);
  }

  /** Replaces an owner's plan; undefined removes it. */
  set(owner: string, plan: Plan | undefined): void {
    const old = this.#plans.get(owner);
    if (plan === undefined) {
      this.#plans.delete(owner);
      this.#ranks.delete(owner);
    } else {
      this.#plans.set(owner, plan);
      if (old === undefined) this.#ranks.set(owner, this.#nextRank++);
    }
    this.#setElements(owner, old?.elements ?? [], plan?.elements ?? []);
    replaceNamed(owner, this.#chains, this.#dirtyChains, chainsOf(old), chainsOf(plan));
    replaceNamed(owner, this.#sets, this.#dirtySets, setsOf(old), setsOf(plan));
  }

  #setElements(owner: string, old: readonly Element[], next: readonly Element[]): void {
    const wanted = new Set<string>();
    for (const { set, key, data } of next) {
      const id = `${set} ${key}`;
      if (wanted.has(id)) continue;
      wanted.add(id);
      let claim = this.#claims.get(id);
      if (claim === undefined) {
        claim = { set, key, data: new Map() };
        this.#claims.set(id, claim);
      }
      claim.data.set(owner, data);
      this.#dirtyElements.set(id, claim);
    }
    for (const { set, key } of old) {
      const id = `${set} ${key}`;
      const claim = this.#claims.get(id);
      if (wanted.has(id) || claim === undefined) continue;
      claim.data.delete(owner);
      if (claim.data.size === 0) this.#claims.delete(id);
      this.#dirtyElements.set(id, claim);
    }
  }

  #first({ data }: Claim): string | undefined {
    if (data.size === 1) return data.values().next().value;
    const rank = (owner: string): number => this.#ranks.get(owner) ?? 0;
    const first = [...data.keys()].reduce((best, owner) => (rank(owner) < rank(best) ? owner : best));
    return data.get(first);
  }

  /** Nothing is in the kernel (any more): the next changes are everything. */
  forgetApplied(): void {
    this.#appliedElements.clear();
    this.#appliedChains.clear();
    this.#appliedSets.clear();
    for (const [id, claim] of this.#claims) this.#dirtyElements.set(id, claim);
    for (const name of this.#chains.keys()) this.#dirtyChains.add(name);
    for (const name of this.#sets.keys()) this.#dirtySets.add(name);
  }

  /** What to do in the kernel; counts as done. When doing it fails, call `forgetApplied` and rebuild the table. */
  takeChanges(): Changes {
    const [addSets, removeSets] = this.#takeSets();
    const [setChains, removeChains] = this.#takeChains();
    const [addElements, removeElements] = this.#takeElements();
    return { addSets, removeSets, setChains, removeChains, addElements, removeElements };
  }

  #takeSets(): [Changes['addSets'], Changes['removeSets']] {
    const added: [string, SetDefinition][] = [];
    const removed: [string, SetDefinition['kind']][] = [];
    for (const name of this.#dirtySets) {
      const definition = this.#sets.get(name)?.value;
      const applied = this.#appliedSets.get(name);
      if (definition === undefined) {
        this.#appliedSets.delete(name);
        if (applied !== undefined) removed.push([name, applied]);
      } else if (applied === undefined) {
        this.#appliedSets.set(name, definition.kind);
        added.push([name, definition]);
      }
    }
    this.#dirtySets.clear();
    return [added, removed];
  }

  #takeChains(): [Changes['setChains'], string[]] {
    const changed: [string, readonly string[], boolean][] = [];
    const removed: string[] = [];
    for (const name of this.#dirtyChains) {
      const rules = this.#chains.get(name)?.value;
      const applied = this.#appliedChains.get(name);
      if (rules === undefined) {
        if (this.#appliedChains.delete(name)) removed.push(name);
      } else if (applied === undefined || !sameRules(applied, rules)) {
        this.#appliedChains.set(name, rules);
        changed.push([name, rules, applied !== undefined]);
      }
    }
    this.#dirtyChains.clear();
    return [changed, removed];
  }

  #takeElements(): [Element[], Element[]] {
    const added: Element[] = [];
    const removed: Element[] = [];
    for (const [id, { set, key }] of this.#dirtyElements) {
      const claim = this.#claims.get(id);
      const wanted = claim === undefined ? absent : this.#first(claim);
      const applied = this.#appliedElements.has(id) ? this.#appliedElements.get(id) : absent;
      if (wanted === applied) continue;
      if (applied !== absent) {
        this.#appliedElements.delete(id);
        removed.push({ set, key });
      }
      if (wanted !== absent) {
        this.#appliedElements.set(id, wanted);
        added.push(wanted === undefined ? { set, key } : { set, key, data: wanted });
      }
    }
    this.#dirtyElements.clear();
    return [added, removed];
  }
}

function chainsOf(plan: Plan | undefined): (readonly [string, readonly string[]])[] {
  return plan === undefined ? [] : [...plan.chains, ...plan.sharedChains];
}

function setsOf(plan: Plan | undefined): (readonly [string, SetDefinition])[] {
  if (plan === undefined) return [];
  const of = (kind: SetDefinition['kind'], all: ReadonlyMap<string, string>): [string, SetDefinition][] =>
    [...all].map(([name, text]) => [name, { kind, text }]);
  return [...of('set', plan.sets), ...of('map', plan.sharedMaps)];
}

function replaceNamed<V>(
  owner: string,
  all: Map<string, Named<V>>,
  dirty: Set<string>,
  old: readonly (readonly [string, V])[],
  next: readonly (readonly [string, V])[],
): void {
  const left = new Set(old.map(([name]) => name));
  for (const [name, value] of next) {
    left.delete(name);
    const named = all.get(name);
    if (named === undefined) all.set(name, { value, owners: new Set([owner]) });
    else {
      named.value = value;
      named.owners.add(owner);
    }
    dirty.add(name);
  }
  for (const name of left) {
    const named = all.get(name);
    if (named === undefined) continue;
    named.owners.delete(owner);
    if (named.owners.size === 0) all.delete(name);
    dirty.add(name);
  }
}

function sameRules(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((rule, index) => rule === b[index]);
}
