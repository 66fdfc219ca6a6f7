/** One step of a path: from a value to the values that it leads to. */
type Step = (value: unknown) => unknown[];

/** The values that a compiled path finds in an object. */
export type JSONPath = (root: unknown) => unknown[];

/**
 * Compiles a JSONPath as `kubectl` and CRDs write them, without braces: `.spec.a`, `['a.b']`, `.a\.b`, `[0]`, `[-1]`,
 * `[1:3]`, `[*]`, `.*`, `..name` and filters such as `[?(@.type=="Ready")]`. Missing members lead to nothing.
 * Throws SyntaxError for anything else.
 */
export function compileJSONPath(path: string): JSONPath {
  const steps = new PathParser(path).parse();
  return (root) => steps.reduce<unknown[]>((values, step) => values.flatMap(step), [root]);
}

class PathParser {
  private readonly path: string;
  private at = 0;

  constructor(path: string) {
    this.path = path;
  }

  parse(): Step[] {
    const steps: Step[] = [];
    if (this.peek() === '$' || this.peek() === '@') this.at++;
    while (this.at < this.path.length) {
      if (this.take('..')) steps.push(descendants, ...this.member());
      else if (this.take('.')) steps.push(...this.member());
      else if (this.take('[')) steps.push(this.bracket());
      else throw this.error();
    }
    return steps;
  }

  private member(): Step[] {
    if (this.take('*')) return [children];
    // `.[0]` is `[0]`, and `.` alone is the value itself.
    if (this.peek() === '[' || this.at === this.path.length) return [];
    let name = '';
    while (this.at < this.path.length && !'.[]'.includes(this.peek())) {
      if (this.peek() === '\\') this.at++;
      name += this.peek();
      this.at++;
    }
    if (name === '') throw this.error();
    return [child(name)];
  }

  private bracket(): Step {
    if (this.take('?(')) return this.filter();
    const content = this.upTo(']').trim();
    if (content === '*') return children;
    const quoted = unquote(content);
    if (quoted !== undefined) return child(quoted);
    const parts = content.split(':').map((part) => part.trim());
    if (parts.length > 3 || !parts.every((part) => /^-?\d*$/.test(part))) throw this.error();
    return parts.length === 1 ? element(this.integer(parts[0])) : slice(parts);
  }

  private integer(text: string | undefined): number {
    if (text === undefined || !/^-?\d+$/.test(text)) throw this.error();
    return Number(text);
  }

  private filter(): Step {
    const content = this.upTo(')]');
    const match = /^\s*(.+?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?)\s*)?$/.exec(content);
    if (match === null) throw this.error();
    const [, left = '', operator, right = ''] = match;
    const leftValues = operand(left);
    if (operator === undefined) {
      return (value) => asList(value).filter((candidate) => leftValues(candidate).length > 0);
    }
    const rightValues = operand(right);
    return (value) =>
      asList(value).filter((candidate) => {
        const [a] = leftValues(candidate);
        const [b] = rightValues(candidate);
        return a !== undefined && b !== undefined && compares(a, operator, b);
      });
  }

  /** The text up to `end`, outside of quotes; `end` is consumed. */
  private upTo(end: string): string {
    const start = this.at;
    let quote = '';
    for (; this.at < this.path.length; this.at++) {
      const char = this.peek();
      if (quote !== '') {
        if (char === '\\') this.at++;
        else if (char === quote) quote = '';
      } else if (char === '"' || char === "'") {
        quote = char;
      } else if (this.path.startsWith(end, this.at)) {
        const content = this.path.slice(start, this.at);
        this.at += end.length;
        return content;
      }
    }
    throw this.error();
  }

  private peek(): string {
    return this.path[this.at] ?? '';
  }

  private take(text: string): boolean {
    if (!this.path.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  private error(): SyntaxError {
    return new SyntaxError(`invalid JSONPath ${JSON.stringify(this.path)}`);
  }
}

/** A side of a comparison: a path from the candidate (`@.type`) or a literal. */
function operand(text: string): JSONPath {
  if (text.startsWith('@') || text.startsWith('.')) return compileJSONPath(text);
  const quoted = unquote(text);
  if (quoted !== undefined) return () => [quoted];
  if (text === 'true' || text === 'false') return () => [text === 'true'];
  const number = Number(text);
  if (text === '' || Number.isNaN(number)) throw new SyntaxError(`invalid JSONPath operand ${JSON.stringify(text)}`);
  return () => [number];
}

function compares(a: unknown, operator: string, b: unknown): boolean {
  if (typeof a !== typeof b || typeof a === 'object') return false;
  const [left, right] = [a as string, b as string];
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    default:
      return left >= right;
  }
}

function unquote(text: string): string | undefined {
  const quote = text[0];
  if (text.length < 2 || (quote !== '"' && quote !== "'") || !text.endsWith(quote)) return undefined;
  return text.slice(1, -1).replaceAll(/\\(.)/g, '$1');
}

function child(name: string): Step {
  return (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
      ? [(value as Record<string, unknown>)[name]]
      : [];
}

function element(index: number): Step {
  return (value) => {
    if (!Array.isArray(value)) return [];
    const at = index < 0 ? index + value.length : index;
    return at >= 0 && at < value.length ? [value[at]] : [];
  };
}

function slice([start = '', end = '', step = '']: string[]): Step {
  const stride = step === '' ? 1 : Number(step);
  return (value) => {
    if (!Array.isArray(value) || stride < 1) return [];
    const part = value.slice(start === '' ? 0 : Number(start), end === '' ? undefined : Number(end));
    return part.filter((_, i) => i % stride === 0);
  };
}

function children(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}

function descendants(value: unknown): unknown[] {
  return [value, ...children(value).flatMap(descendants)];
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
