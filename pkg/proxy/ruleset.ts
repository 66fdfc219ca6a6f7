import type { Element, Plan } from './plan.ts';

/** What has to change in the table, in any order; `render.ts` knows the right one. */
export interface Changes {
  readonly addSets: readonly (readonly [name: string, definition: string])[];
  readonly removeSets: readonly string[];
  /** Also chains that exist and get other rules. */
  readonly setChains: readonly (readonly [name: string, rules: readonly string[], exists: boolean])[];
  readonly removeChains: readonly string[];
  readonly addElements: readonly Element[];
  readonly removeElements: readonly Element[];
}

interface Claim {
  readonly set: string;
  readonly key: string;
  /** By owner; the first one counts. */
  readonly data: Map<string, string | undefined>;
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
  readonly #chains = new Map<string, readonly string[]>();
  readonly #sets = new Map<string, string>();
  readonly #dirtyElements = new Map<string, { set: string; key: string }>();
  readonly #dirtyChains = new Set<string>();
  readonly #dirtySets = new Set<string>();
  readonly #appliedElements = new Map<string, string | undefined>();
  readonly #appliedChains = new Map<string, readonly string[]>();
  readonly #appliedSets = new Set<string>();

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
    if (plan === undefined) this.#plans.delete(owner);
    else this.#plans.set(owner, plan);
    this.#setElements(owner, old?.elements ?? [], plan?.elements ?? []);
    replaceNamed(this.#chains, this.#dirtyChains, old?.chains, plan?.chains);
    replaceNamed(this.#sets, this.#dirtySets, old?.sets, plan?.sets);
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

  #takeSets(): [Changes['addSets'], string[]] {
    const added: [string, string][] = [];
    const removed: string[] = [];
    for (const name of this.#dirtySets) {
      const definition = this.#sets.get(name);
      if (definition === undefined) {
        if (this.#appliedSets.delete(name)) removed.push(name);
      } else if (!this.#appliedSets.has(name)) {
        this.#appliedSets.add(name);
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
      const rules = this.#chains.get(name);
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
      const wanted = claim === undefined ? absent : claim.data.values().next().value;
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

function replaceNamed<V>(
  all: Map<string, V>,
  dirty: Set<string>,
  old: ReadonlyMap<string, V> = new Map(),
  next: ReadonlyMap<string, V> = new Map(),
): void {
  for (const name of old.keys()) {
    if (next.has(name)) continue;
    all.delete(name);
    dirty.add(name);
  }
  for (const [name, value] of next) {
    all.set(name, value);
    dirty.add(name);
  }
}

function sameRules(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((rule, index) => rule === b[index]);
}
