import type { CallExpr, Expr, FoldExpr, SelectExpr } from './ast.ts';
import { ACCUMULATOR } from './ast.ts';
import type { Checked } from './checker.ts';
import { add, type CostEstimate, exactly, multiply, sum, UNKNOWN_SIZE, union, ZERO } from './cost-range.ts';
import type { DeclType } from './decl-type.ts';
import { estimateCall } from './estimate-call.ts';
import type { Operand } from './operand.ts';
import { type CelType, STRING } from './types.ts';
import { textLength } from './values.ts';

export type { CostEstimate } from './cost-range.ts';

/** The sizes of the keys and the elements of a container. */
export interface EntrySizes {
  readonly kind: 'list' | 'map';
  readonly key: CostEstimate;
  readonly value: CostEstimate;
}

/**
 * Estimates what an evaluation costs at least and at most, as cel-go's checker does with Kubernetes' estimator: sizes come from
 * literals, from what calls give, and from the limits that schemas set.
 */
export function estimateCost(checked: Checked, declOf: (name: string) => DeclType | undefined): CostEstimate {
  return new Estimator(checked, declOf).cost(checked.expr);
}

interface Local {
  readonly name: string;
  /** It stands for a place in a variable (or in what upstream takes for one): `decl` is what its schema says of it. */
  readonly placed: boolean;
  readonly decl: DeclType | undefined;
  readonly size: CostEstimate | undefined;
  readonly entries: EntrySizes | undefined;
}

const ONE = exactly(1);
const LIST_BASE = exactly(10);
const MAP_BASE = exactly(30);
const SCALARS = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint']);

class Estimator {
  readonly #checked: Checked;
  readonly #declOf: (name: string) => DeclType | undefined;
  readonly #decls = new Map<number, DeclType | undefined>();
  readonly #sizes = new Map<number, CostEstimate>();
  readonly #entries = new Map<number, EntrySizes>();
  readonly #locals: Local[] = [];

  constructor(checked: Checked, declOf: (name: string) => DeclType | undefined) {
    this.#checked = checked;
    this.#declOf = declOf;
  }

  cost(expr: Expr): CostEstimate {
    switch (expr.kind) {
      case 'const':
      case 'struct':
        return ZERO;
      case 'ident':
        if (this.#local(expr.name)?.placed !== false) this.#decls.set(expr.id, this.#identDecl(expr.name));
        return ONE;
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(
          expr.id,
          expr.elements.map((element) => element.value),
        );
      case 'map':
        return this.#map(expr.id, expr.entries);
      case 'fold':
        return this.#isBind(expr) ? this.#bind(expr) : this.#fold(expr);
    }
  }

  #local(name: string): Local | undefined {
    return this.#locals.findLast((local) => local.name === name);
  }

  /** Upstream takes whatever has a name for the root, the names of types included. */
  #identDecl(name: string): DeclType | undefined {
    const local = this.#local(name);
    return local === undefined ? (this.#declOf(name.replace(/^\./, '')) ?? this.#declOf('self')) : local.decl;
  }

  #type(expr: Expr): CelType {
    return this.#checked.types.get(expr.id) ?? { kind: 'dyn', name: 'dyn', params: [] };
  }

  #select(expr: SelectExpr): CostEstimate {
    const reference = this.#checked.references.get(expr.id);
    if (reference?.name !== undefined) this.#decls.set(expr.id, this.#declOf(reference.name));
    const operand = this.cost(expr.operand);
    // Kubernetes does not charge for has() itself.
    if (expr.testOnly) return operand;
    const field = (decl: DeclType | undefined): DeclType | undefined =>
      decl?.fields?.get(expr.field)?.decl ?? (decl?.fields === undefined ? decl?.element : undefined);
    this.#decls.set(expr.id, this.#below(expr.operand, field));
    const { kind } = this.#type(expr.operand);
    return kind === 'map' || kind === 'object' || kind === 'param' ? add(operand, ONE) : operand;
  }

  /**
   * The schema one step below a value. Upstream drops the first name of a path, which is the variable's. The path to a part of
   * what a call gives begins with the part: it is dropped, and what is left is the root.
   */
  #below(of: Expr, step: (decl: DeclType | undefined) => DeclType | undefined): DeclType | undefined {
    return this.#decls.has(of.id) ? step(this.#decls.get(of.id)) : this.#declOf('self');
  }

  #call(expr: CallExpr): CostEstimate {
    const [first] = expr.args;
    if (expr.fn === 'dyn' && first !== undefined && expr.target === undefined) {
      const cost = this.cost(first);
      this.#setSize(expr.id, this.size(first));
      this.#setEntries(expr.id, this.#entrySizes(first));
      return add(cost, ONE);
    }
    const reference = this.#checked.references.get(expr.id);
    const args = expr.args.map((arg) => this.#operand(arg));
    const overloads = expr.fn === '_?._' ? ['select_optional_field'] : (reference?.overloads ?? []).map(({ id }) => id);
    if (overloads.length === 0) return ZERO;
    const global = reference?.global === true || expr.target === undefined;
    const target = expr.target === undefined || global ? undefined : this.#operand(expr.target);
    const fn = reference?.overloads?.[0]?.fn ?? expr.fn;
    let cost: CostEstimate | undefined;
    let size: CostEstimate | undefined;
    for (const overload of overloads) {
      const estimate = estimateCall(fn, overload, target, args);
      cost = cost === undefined ? estimate.cost : union(cost, estimate.cost);
      if (estimate.size !== undefined) size = size === undefined ? estimate.size : union(size, estimate.size);
      size = this.#trackIndex(expr, overload) ?? size;
      size ??= this.size(expr);
    }
    this.#trackEntries(expr, overloads);
    this.#setSize(expr.id, size);
    return add(target?.cost ?? ZERO, cost ?? ZERO);
  }

  /** The element that an index gives. */
  #trackIndex(expr: CallExpr, overload: string): CostEstimate | undefined {
    const [container] = expr.args;
    if (container === undefined || (overload !== 'index_list' && overload !== 'index_map')) return undefined;
    this.#decls.set(
      expr.id,
      this.#below(container, (decl) => decl?.element),
    );
    return this.#entrySizes(container)?.value;
  }

  #trackEntries(expr: CallExpr, overloads: readonly string[]): void {
    const [first, second, third] = expr.args;
    const pair = overloads.includes('conditional')
      ? [second, third]
      : overloads.includes('add_list')
        ? [first, second]
        : [];
    const [left, right] = pair;
    if (left === undefined || right === undefined) return;
    const a = this.#entrySizes(left);
    const b = this.#entrySizes(right);
    if (a === undefined || b === undefined) return;
    this.#setEntries(expr.id, { kind: a.kind, key: union(a.key, b.key), value: union(a.value, b.value) });
  }

  #operand(expr: Expr): Operand {
    const cost = this.cost(expr);
    const accumulator = expr.kind === 'ident' && expr.name === ACCUMULATOR;
    const decl = accumulator ? undefined : this.#decls.get(expr.id);
    return { expr, type: this.#type(expr), cost, size: this.size(expr), decl };
  }

  #list(id: number, elements: readonly Expr[]): CostEstimate {
    const cost = sum(elements.map((element) => this.cost(element)));
    const value = elements
      .map((element) => this.size(element) ?? UNKNOWN_SIZE)
      .reduce(union, elements.length === 0 ? ZERO : NOTHING);
    this.#setEntries(id, { kind: 'list', key: ONE, value });
    return add(cost, LIST_BASE);
  }

  #map(id: number, entries: readonly { readonly key: Expr; readonly value: Expr }[]): CostEstimate {
    const cost = sum(entries.flatMap((entry) => [this.cost(entry.key), this.cost(entry.value)]));
    const none = entries.length === 0 ? ZERO : NOTHING;
    const key = entries.map((entry) => this.size(entry.key) ?? UNKNOWN_SIZE).reduce(union, none);
    const value = entries.map((entry) => this.size(entry.value) ?? UNKNOWN_SIZE).reduce(union, none);
    this.#setEntries(id, { kind: 'map', key, value });
    return add(cost, MAP_BASE);
  }

  #isBind(expr: FoldExpr): boolean {
    const { range, condition, accuVar } = expr;
    const never = condition.kind === 'const' && condition.value === false;
    return range.kind === 'list' && range.elements.length === 0 && never && accuVar !== ACCUMULATOR;
  }

  #bind(expr: FoldExpr): CostEstimate {
    const before = add(this.cost(expr.range), this.cost(expr.accuInit));
    this.#pushAccumulator(expr);
    const result = this.cost(expr.result);
    this.#locals.pop();
    this.#setSize(expr.id, this.size(expr.result));
    this.#setEntries(expr.id, this.#entrySizes(expr.result));
    return add(before, result);
  }

  #pushAccumulator(expr: FoldExpr): void {
    const { accuVar: name, accuInit: init } = expr;
    const placed = this.#decls.has(init.id);
    const decl = this.#decls.get(init.id);
    this.#locals.push({ name, placed, decl, size: this.size(init), entries: this.#entrySizes(init) });
  }

  #fold(expr: FoldExpr): CostEstimate {
    const before = add(this.cost(expr.range), this.cost(expr.accuInit));
    this.#pushAccumulator(expr);
    const variables = this.#iterated(expr);
    this.#locals.push(...variables);
    const condition = this.cost(expr.condition);
    const step = this.cost(expr.step);
    this.#locals.length -= variables.length;
    const result = this.cost(expr.result);
    this.#locals.pop();
    const rounds = this.size(expr.range) ?? UNKNOWN_SIZE;
    this.#foldSize(expr, rounds);
    return add(add(before, result), multiply(rounds, add(step, condition)));
  }

  #foldSize(expr: FoldExpr, rounds: CostEstimate): void {
    if (expr.accuInit.kind === 'const') this.#setSize(expr.id, this.size(expr.accuInit));
    if (expr.accuInit.kind !== 'list' && expr.accuInit.kind !== 'map') return;
    this.#setSize(expr.id, rounds);
    this.#setEntries(expr.id, this.#entrySizes(expr.step));
  }

  #iterated(expr: FoldExpr): Local[] {
    const entries = this.#entrySizes(expr.range);
    const isList = (entries?.kind ?? this.#type(expr.range).kind) === 'list';
    const elementDecl = this.#below(expr.range, (decl) => decl?.element);
    const element = { placed: true, decl: elementDecl, size: entries?.value, entries: undefined };
    const keyDecl = this.#below(expr.range, (decl) => (decl?.type.kind === 'map' ? MAP_KEY : undefined));
    const key = { placed: true, decl: keyDecl, size: entries?.key, entries: undefined };
    if (expr.iterVar2 === undefined) return [{ name: expr.iterVar, ...(isList ? element : key) }];
    return [
      { name: expr.iterVar, ...key },
      { name: expr.iterVar2, ...element },
    ];
  }

  #setSize(id: number, size: CostEstimate | undefined): void {
    if (size !== undefined) this.#sizes.set(id, size);
  }

  #setEntries(id: number, entries: EntrySizes | undefined): void {
    if (entries !== undefined) this.#entries.set(id, entries);
  }

  #entrySizes(expr: Expr): EntrySizes | undefined {
    return this.#entries.get(expr.id) ?? (expr.kind === 'ident' ? this.#local(expr.name)?.entries : undefined);
  }

  /** How large a value can be; undefined when nothing bounds it. */
  size(expr: Expr): CostEstimate | undefined {
    const known = this.#sizes.get(expr.id) ?? literalSize(expr);
    if (known !== undefined) return known;
    const decl = this.#decls.get(expr.id);
    if (decl !== undefined) return { min: 0, max: decl.maxElements };
    const type = this.#type(expr);
    const scalar = type.name === 'optional_type' ? type.params[0]?.kind : type.kind;
    if (scalar !== undefined && SCALARS.has(scalar)) return ONE;
    return expr.kind === 'ident' ? this.#local(expr.name)?.size : undefined;
  }
}

/** Upstream takes the keys of schemas' maps as texts of no length. */
const MAP_KEY: DeclType = { type: STRING, maxElements: 0, minSerializedSize: 2 };

/** The start of a union. */
const NOTHING: CostEstimate = { min: Number.POSITIVE_INFINITY, max: 0 };

function literalSize(expr: Expr): CostEstimate | undefined {
  if (expr.kind === 'list') return exactly(expr.elements.length);
  if (expr.kind === 'map') return exactly(expr.entries.length);
  if (expr.kind !== 'const') return undefined;
  if (typeof expr.value === 'string') return exactly(textLength(expr.value));
  return exactly(expr.value instanceof Uint8Array ? expr.value.length : 1);
}
