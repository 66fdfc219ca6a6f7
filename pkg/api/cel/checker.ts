import type { CallExpr, Expr, FoldExpr, ListExpr, MapExpr, SelectExpr, StructExpr, StructField } from './ast.ts';
import { type FunctionTable, formatCall, type Overload } from './declarations.ts';
import type { StructDecl } from './environment.ts';
import type { Issue } from './source.ts';
import * as types from './types.ts';
import { type CelType, formatType, sameType } from './types.ts';
import { assignAll, mostGeneral, rename, settle, substitute } from './unify.ts';
import { Duration, Timestamp, Uint, type Value } from './values.ts';

/** More are not kept. */
const MAX_ISSUES = 100;

/** A name that an environment knows. */
export interface NamedValue {
  readonly type: CelType;
  /** Set for constants. */
  readonly value?: Value;
}

/** What the checker needs of an environment. */
export interface Scope {
  readonly container: string;
  readonly functions: FunctionTable;
  /** All elements of a list or map literal must have one type. */
  readonly strictLiterals: boolean;
  find(name: string): NamedValue | undefined;
  struct(name: string): StructDecl | undefined;
}

/** What a node stands for. */
export interface Reference {
  /** A variable. */
  readonly name?: string;
  /** A constant. */
  readonly value?: Value;
  /** The overloads that a call may have; more than one when the types are known only at run time. */
  readonly overloads?: readonly Overload[];
  /** A member call that is a function with a dotted name. */
  readonly global?: boolean;
}

export interface Checked {
  readonly expr: Expr;
  readonly type: CelType;
  readonly types: ReadonlyMap<number, CelType>;
  readonly references: ReadonlyMap<number, Reference>;
}

/** Types an expression; finds the overloads of its calls. */
export function check(expr: Expr, scope: Scope): Checked | { readonly issues: readonly Issue[] } {
  return new Checker(scope).check(expr);
}

class Checker {
  readonly #scope: Scope;
  readonly #issues: Issue[] = [];
  /** What is wrong with literals; of no interest where anything else is wrong. */
  readonly #literalIssues: Issue[] = [];
  readonly #types = new Map<number, CelType>();
  readonly #references = new Map<number, Reference>();
  readonly #locals: { readonly name: string; readonly type: CelType }[] = [];
  readonly #bindings = new Map<string, CelType>();
  #fresh = 0;
  /** How many calls of `format` are around: what they are given may be of all types. */
  #formats = 0;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  check(expr: Expr): Checked | { issues: readonly Issue[] } {
    this.#visit(expr);
    if (this.#issues.length > 0) return { issues: this.#issues };
    if (this.#literalIssues.length > 0) return { issues: this.#literalIssues };
    const done = new Map<CelType, CelType>();
    for (const [id, type] of this.#types) this.#types.set(id, settle(this.#bindings, type, done));
    const type = this.#types.get(expr.id) ?? types.DYN;
    return { expr, type, types: this.#types, references: this.#references };
  }

  #error(pos: number, message: string): CelType {
    if (this.#issues.length < MAX_ISSUES) this.#issues.push({ pos, message });
    return types.ERROR;
  }

  #visit(expr: Expr): CelType {
    const type = this.#typeOf(expr);
    this.#types.set(expr.id, type);
    return type;
  }

  #typeOf(expr: Expr): CelType {
    switch (expr.kind) {
      case 'const':
        return literalType(expr.value);
      case 'ident':
        return this.#ident(expr.id, expr.pos, expr.name);
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        return this.#struct(expr);
      case 'fold':
        return this.#fold(expr);
    }
  }

  #variable(): CelType {
    return types.paramType(`_var${this.#fresh++}`);
  }

  #final(type: CelType): CelType {
    return substitute(this.#bindings, type, false);
  }

  #assign(from: CelType, to: CelType): boolean {
    return this.#assignAll([from], [to]);
  }

  #assignAll(from: readonly CelType[], to: readonly CelType[]): boolean {
    return assignAll(this.#bindings, from, to);
  }

  #ident(id: number, pos: number, name: string): CelType {
    const found = this.#resolve(name);
    if (found === undefined) {
      return this.#error(
        pos,
        `undeclared reference to '${name.replace(/^\./, '')}' (in container '${this.#scope.container}')`,
      );
    }
    this.#references.set(id, found.reference);
    return found.type;
  }

  #resolve(name: string): { reference: Reference; type: CelType } | undefined {
    if (!name.startsWith('.')) {
      const local = this.#locals.findLast((candidate) => candidate.name === name);
      if (local !== undefined) return { reference: { name }, type: local.type };
    }
    for (const candidate of candidateNames(this.#scope.container, name)) {
      const found = this.#scope.find(candidate);
      if (found === undefined) continue;
      if (found.value === undefined) return { reference: { name: candidate }, type: found.type };
      return { reference: { value: found.value }, type: found.type };
    }
    return undefined;
  }

  #select(expr: SelectExpr): CelType {
    const name = expr.testOnly ? undefined : this.#qualifiedName(expr);
    const found = name === undefined ? undefined : this.#resolveQualified(name);
    if (found !== undefined) {
      this.#references.set(expr.id, found.reference);
      return found.type;
    }
    const operand = this.#final(this.#visit(expr.operand));
    const optional = types.isOptional(operand);
    const target = optional ? (operand.params[0] ?? types.DYN) : operand;
    const type = this.#field(target, expr.field, expr.pos);
    if (expr.testOnly) return types.BOOL;
    return optional ? types.optionalOf(type) : type;
  }

  /** A dotted name as one variable; a local variable hides it. */
  #resolveQualified(name: string): { reference: Reference; type: CelType } | undefined {
    const first = name.split('.', 1)[0] ?? '';
    if (this.#locals.some((local) => local.name === first)) return undefined;
    return this.#resolve(name);
  }

  #qualifiedName(expr: Expr): string | undefined {
    if (expr.kind === 'ident') return expr.name;
    if (expr.kind !== 'select' || expr.testOnly) return undefined;
    const operand = this.#qualifiedName(expr.operand);
    return operand === undefined ? undefined : `${operand}.${expr.field}`;
  }

  #field(target: CelType, field: string, pos: number): CelType {
    switch (target.kind) {
      case 'error':
        return types.ERROR;
      case 'dyn':
        return types.DYN;
      case 'map':
        return target.params[1] ?? types.DYN;
      case 'object':
        return target.fields?.get(field) ?? this.#error(pos, `undefined field '${field}'`);
      case 'param':
        this.#assign(types.DYN, target);
        return types.DYN;
      default:
        return this.#error(pos, `type '${formatType(target)}' does not support field selection`);
    }
  }

  #call(expr: CallExpr): CelType {
    if (expr.fn === '_?._') return this.#optionalSelect(expr);
    if (expr.target !== undefined) {
      const name = this.#qualifiedName(expr.target);
      const overloads = name === undefined ? undefined : this.#function(`${name}.${expr.fn}`);
      if (overloads !== undefined) return this.#apply(expr, overloads, expr.args, true);
    }
    const overloads = expr.target === undefined ? this.#function(expr.fn) : this.#scope.functions.get(expr.fn);
    if (overloads === undefined) {
      const name = expr.fn.replace(/^\./, '');
      if (expr.target !== undefined) this.#visit(expr.target);
      for (const arg of expr.args) this.#visit(arg);
      return this.#error(expr.pos, `undeclared reference to '${name}' (in container '${this.#scope.container}')`);
    }
    return this.#apply(expr, overloads, expr.target === undefined ? expr.args : [expr.target, ...expr.args], false);
  }

  #function(name: string): readonly Overload[] | undefined {
    for (const candidate of candidateNames(this.#scope.container, name)) {
      const overloads = this.#scope.functions.get(candidate);
      if (overloads !== undefined) return overloads;
    }
    return undefined;
  }

  #optionalSelect(expr: CallExpr): CelType {
    const [operand, field] = expr.args;
    if (operand === undefined || field?.kind !== 'const') return types.ERROR;
    const type = this.#final(this.#visit(operand));
    this.#types.set(field.id, types.STRING);
    const target = types.isOptional(type) ? (type.params[0] ?? types.DYN) : type;
    return types.optionalOf(this.#field(target, String(field.value), expr.pos));
  }

  /** Finds the overloads that fit the arguments. */
  #apply(expr: CallExpr, overloads: readonly Overload[], args: readonly Expr[], global: boolean): CelType {
    const isFormat = expr.fn === 'format';
    if (isFormat) this.#formats++;
    const given = args.map((arg) => this.#visit(arg));
    if (isFormat) this.#formats--;
    if (given.some((type) => type.kind === 'error')) return types.ERROR;
    const member = expr.target !== undefined && !global;
    const fitting: Overload[] = [];
    let result: CelType | undefined;
    for (const candidate of overloads) {
      if (candidate.member !== member || candidate.params.length !== given.length) continue;
      const names = new Map(candidate.typeParams.map((name) => [name, this.#variable()]));
      const params = names.size === 0 ? candidate.params : candidate.params.map((param) => rename(param, names));
      if (!this.#assignAll(given, params)) continue;
      fitting.push(candidate);
      const type = this.#final(rename(candidate.result, names));
      result = result === undefined || sameType(result, type) ? type : types.DYN;
    }
    if (result === undefined) {
      const shown = given.map((type) => substitute(this.#bindings, type, true));
      const name = global ? (overloads[0]?.fn ?? expr.fn) : expr.fn;
      return this.#error(
        expr.pos,
        `found no matching overload for '${name}' applied to '${formatCall(member, shown)}'`,
      );
    }
    this.#references.set(expr.id, global ? { overloads: fitting, global } : { overloads: fitting });
    return result;
  }

  #list(expr: ListExpr): CelType {
    let element: CelType | undefined;
    for (const item of expr.elements) {
      let type = this.#visit(item.value);
      if (item.optional) type = this.#unwrap(type, item.value.pos);
      element = this.#join(element, type, item.value.pos);
    }
    return types.listOf(element ?? this.#variable());
  }

  #map(expr: MapExpr): CelType {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of expr.entries) {
      key = this.#join(key, this.#visit(entry.key), entry.key.pos);
      let type = this.#visit(entry.value);
      if (entry.optional) type = this.#unwrap(type, entry.value.pos);
      value = this.#join(value, type, entry.value.pos);
    }
    return types.mapOf(key ?? this.#variable(), value ?? this.#variable());
  }

  /** The inside of an optional entry. */
  #unwrap(type: CelType, pos: number): CelType {
    const final = this.#final(type);
    if (types.isOptional(final)) return final.params[0] ?? types.DYN;
    if (final.kind === 'dyn' || final.kind === 'error') return types.DYN;
    return this.#error(pos, `expected type 'optional_type(${formatType(final)})' but found '${formatType(final)}'`);
  }

  #join(previous: CelType | undefined, current: CelType, pos: number): CelType {
    if (previous === undefined) return current;
    const fits = this.#assign(previous, current);
    const [wanted, given] = [this.#final(previous), this.#final(current)];
    // Types are assigned to each other, whatever they are the types of, and yet not one type.
    const isAlike = fits && (wanted.kind !== 'type' || given.kind !== 'type' || sameType(wanted, given));
    const isStrict = this.#scope.strictLiterals && this.#formats === 0;
    if (!isAlike && isStrict && this.#literalIssues.length < MAX_ISSUES) {
      const message = `expected type '${formatType(wanted)}' but found '${formatType(given)}'`;
      this.#literalIssues.push({ pos, message });
    }
    return fits ? mostGeneral(wanted, given) : types.DYN;
  }

  #struct(expr: StructExpr): CelType {
    const name = expr.name.replace(/^\./, '');
    const struct = candidateNames(this.#scope.container, expr.name).map(this.#scope.struct).find(Boolean);
    for (const field of expr.fields) {
      let type = this.#visit(field.value);
      if (field.optional) type = this.#unwrap(type, field.value.pos);
      if (struct !== undefined) this.#structField(struct, field, type);
    }
    if (struct !== undefined) return struct.type;
    if (this.#resolve(expr.name) === undefined) {
      return this.#error(expr.pos, `undeclared reference to '${name}' (in container '${this.#scope.container}')`);
    }
    return this.#error(expr.pos, `'${name}' is not a message type`);
  }

  #structField(struct: StructDecl, { name, pos }: StructField, given: CelType): void {
    const wanted = struct.field(name);
    if (wanted === undefined) {
      this.#error(pos, `undefined field '${name}'`);
    } else if (!this.#assign(wanted, given)) {
      const provided = formatType(this.#final(given));
      this.#error(
        pos,
        `expected type of field '${name}' is '${formatType(wanted)}' but provided type is '${provided}'`,
      );
    }
  }

  #fold(expr: FoldExpr): CelType {
    const range = this.#final(this.#visit(expr.range));
    const accu = this.#visit(expr.accuInit);
    const [first, second] = this.#iterated(range, expr);
    this.#locals.push({ name: expr.accuVar, type: accu });
    this.#locals.push({ name: expr.iterVar, type: first });
    if (expr.iterVar2 !== undefined) this.#locals.push({ name: expr.iterVar2, type: second });
    this.#expect(expr.condition, types.BOOL);
    this.#expect(expr.step, accu);
    this.#locals.length -= expr.iterVar2 === undefined ? 1 : 2;
    const result = this.#visit(expr.result);
    this.#locals.pop();
    return this.#final(result);
  }

  #expect(expr: Expr, expected: CelType): void {
    const type = this.#visit(expr);
    if (this.#assign(type, expected)) return;
    this.#error(
      expr.pos,
      `expected type '${formatType(this.#final(expected))}' but found '${formatType(this.#final(type))}'`,
    );
  }

  /** The types of the variables of a fold over a range. */
  #iterated(range: CelType, expr: FoldExpr): [CelType, CelType] {
    const two = expr.iterVar2 !== undefined;
    const [first = types.DYN, second = types.DYN] = range.params;
    switch (range.kind) {
      case 'list':
        return two ? [types.INT, first] : [first, types.DYN];
      case 'map':
        return two ? [first, second] : [first, types.DYN];
      case 'param':
        this.#assign(types.DYN, range);
        return [types.DYN, types.DYN];
      case 'dyn':
      case 'error':
        return [types.DYN, types.DYN];
      default: {
        const shown = formatType(range);
        const message = `expression of type '${shown}' cannot be range of a comprehension (must be list, map, or dynamic)`;
        this.#error(expr.range.pos, message);
        return [types.ERROR, types.ERROR];
      }
    }
  }
}

/** The full names that a name may mean, innermost container first. */
export function candidateNames(container: string, name: string): readonly string[] {
  if (name.startsWith('.')) return [name.slice(1)];
  if (container === '') return [name];
  const parts = container.split('.');
  const names = parts.map((_, i) => `${parts.slice(0, parts.length - i).join('.')}.${name}`);
  return [...names, name];
}

function literalType(value: Value): CelType {
  if (value === null) return types.NULL;
  if (typeof value === 'boolean') return types.BOOL;
  if (typeof value === 'bigint') return types.INT;
  if (typeof value === 'number') return types.DOUBLE;
  if (typeof value === 'string') return types.STRING;
  if (value instanceof Uint) return types.UINT;
  if (value instanceof Uint8Array) return types.BYTES;
  if (value instanceof Duration) return types.DURATION;
  return value instanceof Timestamp ? types.TIMESTAMP : types.DYN;
}
