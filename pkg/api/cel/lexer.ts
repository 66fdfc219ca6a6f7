import { type Issue, ParseFailure } from './source.ts';

export type TokenType = 'int' | 'uint' | 'float' | 'string' | 'bytes' | 'ident' | 'escaped' | 'op' | 'eof';

export interface Token {
  readonly type: TokenType;
  /** As written; of an escaped identifier without the backticks. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const SPACE = /(?:[ \t\r\n\f]+|\/\/[^\n]*)+/y;
const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y;
const ESCAPED = /`([A-Za-z0-9_.\-/ ]+)`/y;
const FLOAT = /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/y;
const INT = /(?:0x[0-9a-fA-F]+|\d+)([uU]?)/y;
const TEXT_START = /(?:[rR][bB]?|[bB][rR]?)?("""|'''|"|')/y;
const OPERATORS = ['&&', '||', '==', '!=', '<=', '>=', ...'<>[]{}().,-!?:+*/%'];

/** Splits an expression into tokens, the last of type `eof`. Throws a ParseFailure. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const issues: Issue[] = [];
  let at = 0;
  for (;;) {
    at += match(SPACE, text, at)?.[0].length ?? 0;
    if (at >= text.length) break;
    const token = numberAt(text, at) ?? textAt(text, at) ?? nameAt(text, at) ?? operatorAt(text, at);
    if (token === undefined) {
      const bad = String.fromCodePoint(text.codePointAt(at) ?? 0);
      const half = bad === '|' || bad === '&';
      const quote = bad === '"' || bad === "'";
      const rest = half ? text.slice(at, at + 2) : quote ? (text.slice(at).split('\n')[0] ?? bad) : bad;
      issues.push({ pos: at, message: `Syntax error: token recognition error at: '${rest}'` });
      at += rest.length;
      if (issues.length > 20) break;
    } else {
      tokens.push(token);
      at = token.end;
    }
  }
  if (issues.length > 0) throw new ParseFailure(issues);
  tokens.push({ type: 'eof', text: '<EOF>', start: text.length, end: text.length });
  return tokens;
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function numberAt(text: string, at: number): Token | undefined {
  const first = text.charCodeAt(at);
  const isDigit = first >= 48 && first <= 57;
  if (!isDigit && first !== 46) return undefined;
  const float = match(FLOAT, text, at)?.[0];
  if (float !== undefined) return { type: 'float', text: float, start: at, end: at + float.length };
  const int = match(INT, text, at);
  if (int === null) return undefined;
  return { type: int[1] === '' ? 'int' : 'uint', text: int[0], start: at, end: at + int[0].length };
}

function textAt(text: string, at: number): Token | undefined {
  const start = match(TEXT_START, text, at);
  if (start === null) return undefined;
  const quote = start[1] ?? '';
  const prefix = start[0].slice(0, -quote.length).toLowerCase();
  const raw = prefix.includes('r');
  let end = at + start[0].length;
  for (;;) {
    if (end >= text.length) return undefined;
    if (text.startsWith(quote, end)) break;
    const char = text[end];
    if (quote.length === 1 && (char === '\n' || char === '\r')) return undefined;
    end += char === '\\' && !raw ? 2 : 1;
  }
  end += quote.length;
  return { type: prefix.includes('b') ? 'bytes' : 'string', text: text.slice(at, end), start: at, end };
}

function nameAt(text: string, at: number): Token | undefined {
  const ident = match(IDENT, text, at)?.[0];
  if (ident !== undefined) return { type: 'ident', text: ident, start: at, end: at + ident.length };
  const escaped = match(ESCAPED, text, at);
  if (escaped === null) return undefined;
  return { type: 'escaped', text: escaped[1] ?? '', start: at, end: at + escaped[0].length };
}

function operatorAt(text: string, at: number): Token | undefined {
  const operator = OPERATORS.find((candidate) => text.startsWith(candidate, at));
  if (operator === undefined) return undefined;
  return { type: 'op', text: operator, start: at, end: at + operator.length };
}
