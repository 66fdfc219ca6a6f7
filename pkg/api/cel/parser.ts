import type { CallExpr, Expr, MapEntry, StructField } from './ast.ts';
import { type Token, tokenize } from './lexer.ts';
import { LiteralError, readBytes, readString } from './literals.ts';
import { expandMacro, type MacroSet } from './macros.ts';
import { NodeFactory } from './nodes.ts';
import { ParseFailure } from './source.ts';
import { Uint } from './values.ts';

/** Longer expressions are refused (code points). */
export const MAX_EXPRESSION_LENGTH = 100_000;
/** Deeper expressions are refused. */
export const MAX_EXPRESSION_DEPTH = 250;

const EXPRESSION_START =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const ENTRY_START = EXPRESSION_START.replace("'(', '.', '-', '!'", "'}', '(', '.', ',', '-', '!', '?'");
const FIELD_START = "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}";
const RESERVED = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);
const KEYWORDS = new Set(['in', 'true', 'false', 'null']);
const RELATIONS = new Set(['<', '<=', '>=', '>', '==', '!=', 'in']);
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;

/** Parses an expression and expands its macros; field names in backticks only where allowed. Throws a ParseFailure. */
export function parse(text: string, macros: MacroSet, escapedNames = false): Expr {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    const size = [...text].length;
    if (size > MAX_EXPRESSION_LENGTH) {
      const message = `expression code point size exceeds limit: size: ${size}, limit ${MAX_EXPRESSION_LENGTH}`;
      throw new ParseFailure([{ pos: -1, message }]);
    }
  }
  return new Parser(tokenize(text), macros, escapedNames).parse();
}

function isName(token: Token): boolean {
  return token.type === 'ident' && !KEYWORDS.has(token.text);
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #macros: MacroSet;
  readonly #escapedNames: boolean;
  readonly #nodes = new NodeFactory();
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], macros: MacroSet, escapedNames: boolean) {
    this.#tokens = tokens;
    this.#escapedNames = escapedNames;
    this.#macros = macros;
  }

  parse(): Expr {
    const expr = this.#expression();
    if (this.#peek().type !== 'eof') this.#unexpected('<EOF>', this.#peek(1).type === 'eof');
    return expr;
  }

  #peek(ahead = 0): Token {
    const token = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
    if (token === undefined) throw new Error('no token');
    return token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #is(operator: string): boolean {
    const token = this.#peek();
    return token.text === operator && (token.type === 'op' || token.type === 'ident');
  }

  #accept(operator: string): Token | undefined {
    return this.#is(operator) ? this.#take() : undefined;
  }

  #expect(operator: string): Token {
    return this.#accept(operator) ?? this.#unexpected(`'${operator}'`, false);
  }

  #fail(pos: number, message: string): never {
    throw new ParseFailure([{ pos, message }]);
  }

  #unexpected(expected: string, extraneous: boolean): never {
    const token = this.#peek();
    const kind = extraneous ? 'extraneous' : 'mismatched';
    const shown = token.type === 'escaped' ? `\`${token.text}\`` : token.text;
    const input = `'${shown.replaceAll('\n', '\\n')}'`;
    return this.#fail(token.start, `Syntax error: ${kind} input ${input} expecting ${expected}`);
  }

  /** Runs one level of nesting. */
  #deeper<T>(read: () => T): T {
    if (++this.#depth > MAX_EXPRESSION_DEPTH) {
      this.#fail(-1, `expression recursion limit exceeded: ${MAX_EXPRESSION_DEPTH}`);
    }
    const value = read();
    this.#depth--;
    return value;
  }

  /** Counts the links of a chain such as a.b.c or 1 + 2 + 3, which nest to the left. */
  #link(links: number): number {
    if (links + this.#depth > MAX_EXPRESSION_DEPTH) this.#fail(-1, 'max recursion depth exceeded');
    return links + 1;
  }

  #expression(): Expr {
    return this.#deeper(() => {
      const condition = this.#or();
      const operator = this.#accept('?');
      if (operator === undefined) return condition;
      const whenTrue = this.#or();
      this.#expect(':');
      const whenFalse = this.#expression();
      return this.#nodes.call(operator.start, '_?_:_', condition, whenTrue, whenFalse);
    });
  }

  #or(): Expr {
    return this.#logic('||', '_||_', () => this.#logic('&&', '_&&_', () => this.#relation()));
  }

  /** Chains of && and || become balanced trees, so their length is no depth. */
  #logic(operator: string, fn: string, next: () => Expr): Expr {
    const terms = [next()];
    const operators: number[] = [];
    for (let token = this.#accept(operator); token !== undefined; token = this.#accept(operator)) {
      operators.push(token.start);
      terms.push(next());
    }
    const term = (index: number): Expr => terms[index] ?? this.#fail(-1, 'expression is too large');
    const balance = (low: number, high: number): Expr => {
      const middle = (low + high + 1) >> 1;
      const left = middle === low ? term(middle) : balance(low, middle - 1);
      const right = middle === high ? term(middle + 1) : balance(middle + 1, high);
      return this.#nodes.call(operators[middle] ?? 0, fn, left, right);
    };
    return operators.length === 0 ? term(0) : balance(0, operators.length - 1);
  }

  #relation(): Expr {
    let left = this.#sum();
    let links = 0;
    while (RELATIONS.has(this.#peek().text) && (this.#peek().type === 'op' || this.#peek().type === 'ident')) {
      const token = this.#take();
      links = this.#link(links);
      left = this.#nodes.call(token.start, token.text === 'in' ? '@in' : `_${token.text}_`, left, this.#sum());
    }
    return left;
  }

  #sum(): Expr {
    return this.#arithmetic(['+', '-'], () => this.#arithmetic(['*', '/', '%'], () => this.#unary()));
  }

  #arithmetic(operators: readonly string[], next: () => Expr): Expr {
    let left = next();
    let links = 0;
    while (this.#peek().type === 'op' && operators.includes(this.#peek().text)) {
      const token = this.#take();
      links = this.#link(links);
      left = this.#nodes.call(token.start, `_${token.text}_`, left, next());
    }
    return left;
  }

  #unary(): Expr {
    const token = this.#peek();
    const prefix = token.type === 'op' && (token.text === '!' || token.text === '-');
    if (!prefix || this.#isNegativeNumber()) return this.#member();
    let count = 0;
    for (; this.#peek().type === 'op' && this.#peek().text === token.text; count++) this.#at++;
    const operand = this.#member();
    if (count % 2 === 0) return operand;
    return this.#nodes.call(token.start, token.text === '!' ? '!_' : '-_', operand);
  }

  #isNegativeNumber(): boolean {
    const following = this.#peek(1).type;
    return this.#peek().text === '-' && (following === 'int' || following === 'float');
  }

  #member(): Expr {
    const first = this.#peek();
    let expr =
      first.type === 'op' && this.#isNegativeNumber() ? this.#number(this.#take().start, '-') : this.#primary();
    for (let links = 0; ; links = this.#link(links)) {
      const dot = this.#accept('.');
      if (dot !== undefined) {
        expr = this.#selection(expr, dot);
        continue;
      }
      const bracket = this.#accept('[');
      if (bracket === undefined) return expr;
      const optional = this.#accept('?') !== undefined;
      const index = this.#expression();
      this.#expect(']');
      expr = this.#nodes.call(bracket.start, optional ? '_[?_]' : '_[_]', expr, index);
    }
  }

  #selection(operand: Expr, dot: Token): Expr {
    const optional = this.#accept('?') !== undefined;
    const name = this.#fieldName();
    if (optional) {
      return this.#nodes.call(dot.start, '_?._', operand, this.#nodes.constant(name.start, name.text));
    }
    const open = name.type === 'ident' ? this.#accept('(') : undefined;
    if (open === undefined) {
      return { kind: 'select', id: this.#nodes.nextId(), pos: dot.start, operand, field: name.text, testOnly: false };
    }
    const args = this.#arguments();
    return this.#call(name.text, open, args, operand);
  }

  #fieldName(expected = 'IDENTIFIER'): Token {
    const token = this.#peek();
    if (token.type === 'escaped' && !this.#escapedNames) this.#fail(token.start, "unsupported syntax: '`'");
    if (token.type === 'escaped' || isName(token)) return this.#take();
    return this.#unexpected(expected, expected !== 'IDENTIFIER' && isName(this.#peek(1)));
  }

  #arguments(): Expr[] {
    const args: Expr[] = [];
    if (this.#accept(')')) return args;
    do args.push(this.#expression());
    while (this.#accept(','));
    this.#expect(')');
    return args;
  }

  #call(fn: string, open: Token, args: Expr[], target?: Expr): Expr {
    const expansion = expandMacro(this.#macros, this.#nodes, { fn, pos: open.start, args, target });
    if (expansion !== undefined) return expansion;
    const call: CallExpr = { kind: 'call', id: this.#nodes.nextId(), pos: open.start, fn, args };
    return target === undefined ? call : { ...call, target };
  }

  #primary(): Expr {
    const token = this.#peek();
    if (token.type === 'int' || token.type === 'uint' || token.type === 'float') return this.#number(token.start, '');
    if (token.type === 'string' || token.type === 'bytes') return this.#text(this.#take());
    if (token.type === 'ident') {
      if (token.text === 'true' || token.text === 'false') {
        return this.#nodes.constant(this.#take().start, token.text === 'true');
      }
      if (token.text === 'null') return this.#nodes.constant(this.#take().start, null);
      if (token.text !== 'in') return this.#name('');
    }
    if (this.#accept('.')) {
      if (!isName(this.#peek())) this.#unexpected('IDENTIFIER', false);
      return this.#name('.');
    }
    if (this.#accept('(')) {
      const inner = this.#expression();
      this.#expect(')');
      return inner;
    }
    if (this.#accept('[')) return this.#list(token);
    if (this.#accept('{')) return this.#map(token);
    return this.#unexpected(EXPRESSION_START, token.type !== 'eof' && this.#startsExpression(this.#peek(1)));
  }

  #startsExpression(token: Token): boolean {
    if (token.type === 'op') return ['[', '{', '(', '.', '-', '!'].includes(token.text);
    return token.type !== 'eof' && token.type !== 'escaped' && token.text !== 'in';
  }

  /** An identifier, a global call, or a message literal, whose name may have dots. */
  #name(root: string): Expr {
    const token = this.#take();
    const open = this.#accept('(');
    if (open !== undefined) return this.#call(root + token.text, open, this.#arguments());
    const struct = this.#structName(root + token.text);
    if (struct !== undefined) return this.#struct(struct);
    if (RESERVED.has(token.text)) this.#fail(token.start, `reserved identifier: ${token.text}`);
    return this.#nodes.ident(root === '' ? token.start : token.start - 1, root + token.text);
  }

  #structName(first: string): string | undefined {
    let name = first;
    let ahead = 0;
    while (this.#peek(ahead).text === '.' && this.#peek(ahead + 1).type === 'ident') {
      name += `.${this.#peek(ahead + 1).text}`;
      ahead += 2;
    }
    if (this.#peek(ahead).type !== 'op' || this.#peek(ahead).text !== '{') return undefined;
    this.#at += ahead;
    return name;
  }

  #struct(name: string): Expr {
    const open = this.#expect('{');
    const fields: StructField[] = [];
    while (!this.#is('}')) {
      const optional = this.#accept('?') !== undefined;
      const field = this.#fieldName(optional ? '{IDENTIFIER, ESC_IDENTIFIER}' : FIELD_START);
      const colon = this.#expect(':');
      fields.push({ name: field.text, pos: colon.start, value: this.#expression(), optional });
      if (!this.#accept(',')) break;
    }
    this.#expect('}');
    return { kind: 'struct', id: this.#nodes.nextId(), pos: open.start, name, fields };
  }

  #list(open: Token): Expr {
    const elements: { value: Expr; optional: boolean }[] = [];
    while (!this.#is(']')) {
      const optional = this.#accept('?') !== undefined;
      elements.push({ value: this.#expression(), optional });
      if (!this.#accept(',')) break;
    }
    this.#expect(']');
    return { kind: 'list', id: this.#nodes.nextId(), pos: open.start, elements };
  }

  #map(open: Token): Expr {
    const entries: MapEntry[] = [];
    while (!this.#is('}')) {
      const optional = this.#accept('?') !== undefined;
      if (!optional && !this.#startsExpression(this.#peek())) {
        this.#unexpected(ENTRY_START, this.#startsExpression(this.#peek(1)));
      }
      const key = this.#expression();
      this.#expect(':');
      entries.push({ key, value: this.#expression(), optional });
      if (!this.#accept(',')) break;
    }
    this.#expect('}');
    return { kind: 'map', id: this.#nodes.nextId(), pos: open.start, entries };
  }

  #number(pos: number, sign: '' | '-'): Expr {
    const token = this.#take();
    if (token.type === 'float') {
      const value = Number(sign + token.text);
      if (!Number.isFinite(value)) this.#fail(pos, 'invalid double literal');
      return this.#nodes.constant(pos, value);
    }
    const digits = BigInt(token.type === 'uint' ? token.text.slice(0, -1) : token.text);
    if (token.type === 'uint') {
      if (digits > MAX_UINT) this.#fail(pos, 'invalid uint literal');
      return this.#nodes.constant(pos, new Uint(digits));
    }
    const value = sign === '-' ? -digits : digits;
    if (value > MAX_INT || value < -MAX_INT - 1n) this.#fail(pos, 'invalid int literal');
    return this.#nodes.constant(pos, value);
  }

  #text(token: Token): Expr {
    try {
      return this.#nodes.constant(token.start, token.type === 'bytes' ? readBytes(token.text) : readString(token.text));
    } catch (error) {
      if (error instanceof LiteralError) return this.#fail(token.start, error.message);
      throw error;
    }
  }
}
