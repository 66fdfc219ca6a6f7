import { badRequest } from './errors.ts';
import { isSelectorInteger, type Requirement } from './selector.ts';
import { isLabelValue, isQualifiedName } from './validation/names.ts';

const OPERATORS = 'in, notin, =, ==, !=, gt, lt';

/** What a labelSelector query parameter asks for; `matchesRequirements` evaluates it. */
export type LabelQuery = readonly Requirement[];

/** Parses the labelSelector query parameter (upstream's labels.Parse); throws BadRequest. */
export function parseLabelQuery(text: string): LabelQuery {
  const parser = new Parser(tokenize(text));
  return parser.parse();
}

interface Token {
  readonly kind: 'word' | 'symbol' | 'end';
  readonly text: string;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /\s*(?:(==|!=|[=!(),<>])|([^\s=!(),<>]+))/gy;
  let position = 0;
  while (position < text.length) {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match === null) break;
    position = pattern.lastIndex;
    if (match[1] !== undefined) tokens.push({ kind: 'symbol', text: match[1] });
    else tokens.push({ kind: 'word', text: match[2] ?? '' });
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): LabelQuery {
    const requirements: Requirement[] = [];
    if (this.#peek().kind === 'end') return requirements;
    for (;;) {
      const token = this.#peek();
      if (token.kind !== 'word' && token.text !== '!') {
        throw badRequest(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#requirement());
      const after = this.#take();
      if (after.kind === 'end') return requirements;
      if (after.text !== ',' || after.kind !== 'symbol') {
        throw badRequest(`found '${after.text}', expected: ',' or 'end of string'`);
      }
      const following = this.#peek();
      if (following.kind !== 'word' && following.text !== '!') {
        throw badRequest(`found '${following.text}', expected: identifier after ','`);
      }
    }
  }

  #requirement(): Requirement {
    const negated = this.#peek().text === '!' && this.#peek().kind === 'symbol';
    if (negated) this.#take();
    const keyToken = this.#take();
    if (keyToken.kind !== 'word') throw parseError(`found '${keyToken.text}', expected: identifier`);
    const key = keyToken.text;
    checkKey(key);
    if (negated) return { key, operator: 'DoesNotExist' };
    const token = this.#peek();
    if (token.kind === 'end' || (token.kind === 'symbol' && token.text === ',')) {
      return { key, operator: 'Exists' };
    }
    this.#take();
    const operator = operatorOf(token);
    if (operator === undefined) throw parseError(`found '${token.text}', expected: ${OPERATORS}`);
    const values = token.kind === 'word' ? [...this.#values()] : [this.#exactValue()];
    for (const [index, value] of values.entries()) checkValue(key, operator, value, index);
    return { key, operator, values };
  }

  #values(): Set<string> {
    const open = this.#take();
    if (open.text !== '(') throw parseError(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    let pending = '';
    for (;;) {
      const token = this.#take();
      if (token.kind === 'word') {
        pending = token.text;
        const after = this.#peek();
        if (after.text !== ',' && after.text !== ')') throw parseError(`found '${after.text}', expected: ',' or ')'`);
      } else if (token.text === ',') {
        values.add(pending);
        pending = '';
      } else if (token.text === ')') {
        values.add(pending);
        return values;
      } else {
        throw parseError(`found '${token.text}', expected: ',', or identifier`);
      }
    }
  }

  #exactValue(): string {
    const token = this.#peek();
    if (token.kind === 'end' || token.text === ',') return '';
    if (token.kind !== 'word') throw parseError(`found '${token.text}', expected: identifier`);
    this.#take();
    return token.text;
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '' };
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }
}

function operatorOf({ kind, text }: Token): string | undefined {
  switch (text) {
    case 'in':
      return kind === 'word' ? 'In' : undefined;
    case 'notin':
      return kind === 'word' ? 'NotIn' : undefined;
    case '=':
    case '==':
      return 'In';
    case '!=':
      return 'NotIn';
    case '>':
      return 'Gt';
    case '<':
      return 'Lt';
    default:
      return undefined;
  }
}

function parseError(text: string): Error {
  return badRequest(`unable to parse requirement: ${text}`);
}

function checkKey(key: string): void {
  const problems = isQualifiedName(key);
  if (problems.length > 0) throw parseError(`<nil>: Invalid value: ${JSON.stringify(key)}: ${problems.join('; ')}`);
}

function checkValue(key: string, operator: string, value: string, index: number): void {
  if (operator === 'Gt' || operator === 'Lt') {
    if (isSelectorInteger(value)) return;
    throw parseError(
      `values[${index}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
    );
  }
  const problems = isLabelValue(value);
  if (problems.length > 0) {
    throw parseError(`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${problems.join('; ')}`);
  }
}
