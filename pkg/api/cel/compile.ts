import type { CallExpr, Expr, IdentExpr, ListExpr, MapExpr, SelectExpr, StructExpr } from './ast.ts';
import { type Checked, candidateNames } from './checker.ts';
import { compileCall } from './compile-call.ts';
import { compileFold } from './compile-fold.ts';
import { Failure } from './failure.ts';
import { charge, type Frame, isPresent, type Run, select, selectOptional } from './runtime.ts';
import {
  type CompileScope,
  constantStep,
  type ExprCompiler,
  foldConstant,
  readAccumulator,
  type Step,
} from './step.ts';
import {
  ArrayList,
  HashMapValue,
  type MapKey,
  MapValue,
  mapKey,
  OptionalValue,
  StructValue,
  type Value,
} from './values.ts';

const LIST_COST = 10;
const MAP_COST = 30;
const STRUCT_COST = 40;

/**
 * Turns an expression into closures. Costs follow cel-go's tracker: an identifier, a selection and an index cost 1 each, list
 * literals 10, map literals 30, structs 40, calls what compile-call says, constants nothing.
 */
export class Compiler implements ExprCompiler {
  readonly scope: CompileScope;
  readonly checked: Checked;
  /** Names of variables in the order of their indices in a frame. */
  readonly variables: string[] = [];
  /** How many slots a frame needs. */
  slotCount = 0;
  readonly #locals: { readonly name: string; readonly slot: number; readonly accumulator: boolean }[] = [];

  constructor(scope: CompileScope, checked: Checked) {
    this.scope = scope;
    this.checked = checked;
  }

  /**
   * `bare` compiles what cel-go treats as a part of an attribute (an index or the branch of a conditional that starts with a
   * name): the name itself costs nothing there.
   */
  compile(expr: Expr, bare = false): Step {
    switch (expr.kind) {
      case 'const':
        return constantStep(expr.value);
      case 'ident':
        return this.#ident(expr, bare);
      case 'select':
        return this.#select(expr, bare);
      case 'call':
        return expr.fn === '_[_]' || expr.fn === '_[?_]' || expr.fn === '_?._'
          ? this.#index(expr, bare)
          : compileCall(this, expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        return this.#struct(expr);
      case 'fold':
        return compileFold(this, expr);
    }
  }

  #struct(expr: StructExpr): Step {
    const type = this.checked.types.get(expr.id);
    if (type?.kind !== 'object') throw new Failure(`unknown type: ${expr.name}`);
    const fields = expr.fields.map(({ name, value, optional }) => ({ name, optional, run: this.compile(value).run }));
    return {
      run: (frame) => {
        const values = new Map<string, Value>();
        for (const { name, optional, run } of fields) {
          const value = run(frame);
          if (!optional) values.set(name, value);
          else if (value instanceof OptionalValue && value.value !== undefined) values.set(name, value.value);
        }
        charge(frame, STRUCT_COST);
        return new StructValue(type, values);
      },
    };
  }

  /** Makes a name known while the body is compiled. */
  withLocal<T>(name: string, accumulator: boolean, body: (slot: number) => T): T {
    const slot = this.#locals.length;
    this.slotCount = Math.max(this.slotCount, slot + 1);
    this.#locals.push({ name, slot, accumulator });
    const made = body(slot);
    this.#locals.pop();
    return made;
  }

  /** Whether cel-go plans a node as an attribute, which selections continue. */
  isAttribute(expr: Expr): boolean {
    if (expr.kind === 'ident' || expr.kind === 'select') return this.#constantOf(expr) === undefined;
    return expr.kind === 'call' && ['_[_]', '_[?_]', '_?._', '_?_:_'].includes(expr.fn);
  }

  #constantOf(expr: Expr): Value | undefined {
    const reference = this.checked.references.get(expr.id);
    if (reference !== undefined) return reference.value;
    const name = this.qualifiedName(expr);
    if (name === undefined || this.#local(name.split('.', 1)[0] ?? '') !== undefined) return undefined;
    return this.scope.constantOf(name);
  }

  /** `a.b.c` of plain selections. */
  qualifiedName(expr: Expr): string | undefined {
    if (expr.kind === 'ident') return expr.name;
    if (expr.kind !== 'select' || expr.testOnly) return undefined;
    const operand = this.qualifiedName(expr.operand);
    return operand === undefined ? undefined : `${operand}.${expr.field}`;
  }

  #local(name: string): { readonly slot: number; readonly accumulator: boolean } | undefined {
    return this.#locals.findLast((local) => local.name === name);
  }

  #ident(expr: IdentExpr, bare: boolean): Step {
    const constant = this.#constantOf(expr);
    if (constant !== undefined) return constantStep(constant);
    const cost = bare ? 0 : 1;
    const local = this.#local(expr.name);
    if (local === undefined) {
      return this.#variable(this.checked.references.get(expr.id)?.name ?? expr.name, cost);
    }
    const { slot, accumulator } = local;
    if (accumulator) {
      return {
        run: (frame) => {
          charge(frame, cost);
          return readAccumulator(frame, slot);
        },
      };
    }
    return {
      run: (frame) => {
        charge(frame, cost);
        return frame.slots[slot] as Value;
      },
    };
  }

  #variable(plain: string, cost: number): Step {
    const name = candidateNames(this.scope.container, plain).find((full) => this.scope.isVariable(full)) ?? plain;
    const known = this.variables.indexOf(name);
    const index = known >= 0 ? known : this.variables.push(name) - 1;
    return {
      run: (frame) => {
        charge(frame, cost);
        return frame.variables[index] ?? frame.read(index);
      },
    };
  }

  #select(expr: SelectExpr, bare: boolean): Step {
    const reference = this.checked.references.get(expr.id);
    if (reference !== undefined || this.#isDottedVariable(expr)) {
      const constant = this.#constantOf(expr);
      if (constant !== undefined) return constantStep(constant);
      return this.#variable(reference?.name ?? this.qualifiedName(expr) ?? '', bare ? 0 : 1);
    }
    const constant = expr.testOnly ? undefined : this.#constantOf(expr);
    if (constant !== undefined) return constantStep(constant);
    const { field } = expr;
    if (expr.testOnly) {
      const operand = this.#operand(expr.operand, true);
      return {
        run: (frame) => {
          charge(frame, 1);
          return isPresent(operand(frame), field);
        },
      };
    }
    const operand = this.#operand(expr.operand, bare);
    return {
      run: (frame) => {
        const container = operand(frame);
        charge(frame, 1);
        if (container instanceof MapValue) {
          const found = container.get(field);
          if (found !== undefined) return found;
        }
        return select(container, field);
      },
    };
  }

  /** Of expressions that have not been checked: whether `a.b` is the name of a variable. */
  #isDottedVariable(expr: SelectExpr): boolean {
    if (expr.testOnly) return false;
    const name = this.qualifiedName(expr);
    return name !== undefined && this.#local(name.split('.', 1)[0] ?? '') === undefined && this.scope.isVariable(name);
  }

  /** What a selection or an index selects from. What is no attribute becomes one, for 1. */
  #operand(expr: Expr, bare: boolean): Run {
    if (this.isAttribute(expr)) return this.compile(expr, bare).run;
    const { run } = this.compile(expr);
    const cost = bare ? 0 : 1;
    return (frame) => {
      const value = run(frame);
      charge(frame, cost);
      return value;
    };
  }

  #index(expr: CallExpr, bare: boolean): Step {
    const [container, index] = expr.args as [Expr, Expr];
    const operand = this.#operand(container, bare);
    const find = expr.fn === '_[_]' ? select : selectOptional;
    const key = this.compile(index, this.isAttribute(index));
    const { run } = key;
    return {
      run: (frame) => {
        const from = operand(frame);
        const at = run(frame);
        charge(frame, 1);
        return find(from, at);
      },
    };
  }

  #list(expr: ListExpr): Step {
    const steps = expr.elements.map((element) => this.compile(element.value));
    const optional = expr.elements.map((element) => element.optional);
    const runs = steps.map((step) => step.run);
    const build = (frame: Frame): Value => {
      const values: Value[] = [];
      for (let i = 0; i < runs.length; i++) addElement(values, (runs[i] as Run)(frame), optional[i] === true);
      return new ArrayList(values);
    };
    if (this.scope.foldConstants && steps.every((step) => step.constant !== undefined) && !optional.includes(true)) {
      return constantStep(new ArrayList(steps.map((step) => step.constant?.value as Value)));
    }
    return {
      run: (frame) => {
        const value = build(frame);
        charge(frame, LIST_COST);
        return value;
      },
    };
  }

  #map(expr: MapExpr): Step {
    const entries = expr.entries.map((entry) => ({
      key: this.compile(entry.key),
      value: this.compile(entry.value),
      optional: entry.optional,
    }));
    const build = (frame: Frame | undefined): Value => {
      const map = new Map<MapKey, readonly [Value, Value]>();
      for (const entry of entries) {
        const key = frame === undefined ? (entry.key.constant?.value as Value) : entry.key.run(frame);
        const value = frame === undefined ? (entry.value.constant?.value as Value) : entry.value.run(frame);
        addEntry(map, key, value, entry.optional);
      }
      return new HashMapValue(map);
    };
    const fixed = entries.every((e) => e.key.constant !== undefined && e.value.constant !== undefined && !e.optional);
    if (fixed && this.scope.foldConstants) return foldConstant(() => build(undefined));
    return {
      run: (frame) => {
        const value = build(frame);
        charge(frame, MAP_COST);
        return value;
      },
    };
  }
}

function addElement(values: Value[], value: Value, optional: boolean): void {
  if (!optional) values.push(value);
  else if (!(value instanceof OptionalValue)) throw new Failure('no such overload');
  else if (value.value !== undefined) values.push(value.value);
}

function addEntry(map: Map<MapKey, readonly [Value, Value]>, key: Value, value: Value, optional: boolean): void {
  const hashed = typeof key === 'number' ? undefined : mapKey(key);
  if (hashed === undefined) throw new Failure('unsupported key type');
  if (map.has(hashed)) throw new Failure(`Failed with repeated key`);
  if (!optional) map.set(hashed, [key, value]);
  else if (!(value instanceof OptionalValue)) throw new Failure('no such overload');
  else if (value.value !== undefined) map.set(hashed, [key, value.value]);
}
