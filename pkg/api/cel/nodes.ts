import { children, type Expr } from './ast.ts';
import { ParseFailure } from './source.ts';
import type { Value } from './values.ts';

/** More nodes (macros multiply) are refused. */
const MAX_NODES = 100_000;

/** Makes nodes with ids; macros build their expansions with it. */
export class NodeFactory {
  #id = 0;

  nextId(): number {
    this.#id++;
    if (this.#id > MAX_NODES) throw new ParseFailure([{ pos: -1, message: 'expression is too large' }]);
    return this.#id;
  }

  /** Counts a node once more that a macro uses twice: nested macros double it each time. */
  reuse(expr: Expr): Expr {
    this.nextId();
    for (const child of children(expr)) this.reuse(child);
    return expr;
  }

  constant(pos: number, value: Value): Expr {
    return { kind: 'const', id: this.nextId(), pos, value };
  }

  ident(pos: number, name: string): Expr {
    return { kind: 'ident', id: this.nextId(), pos, name };
  }

  call(pos: number, fn: string, ...args: Expr[]): Expr {
    return { kind: 'call', id: this.nextId(), pos, fn, args };
  }

  member(pos: number, target: Expr, fn: string, ...args: Expr[]): Expr {
    return { kind: 'call', id: this.nextId(), pos, fn, target, args };
  }

  list(pos: number, ...values: Expr[]): Expr {
    return { kind: 'list', id: this.nextId(), pos, elements: values.map((value) => ({ value, optional: false })) };
  }
}
