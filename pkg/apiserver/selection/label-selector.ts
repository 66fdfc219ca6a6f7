import { badRequest } from '../../api/errors.ts';

type Operator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt';

export interface LabelRequirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: ReadonlySet<string>;
}

export type LabelSelector = readonly LabelRequirement[];

type Labels = Readonly<Record<string, string>> | undefined;

/** Upstream's labels.Selector.Matches. */
export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  for (const requirement of selector) if (!matchesRequirement(requirement, labels)) return false;
  return true;
}

function matchesRequirement({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && values.has(value);
    case 'notin':
    case '!=':
      return value === undefined || !values.has(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    default: {
      if (value === undefined || !INTEGER.test(value)) return false;
      const [bound = ''] = values;
      return operator === 'gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
  }
}

const INTEGER = /^[+-]?\d+$/;
const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const OPERATORS = 'in, notin, =, ==, !=, gt, lt';

/** Parses the labelSelector query parameter (upstream's labels.Parse); throws BadRequest. */
export function parseLabelSelector(text: string): LabelSelector {
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

  parse(): LabelSelector {
    const requirements: LabelRequirement[] = [];
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

  #requirement(): LabelRequirement {
    const negated = this.#peek().text === '!' && this.#peek().kind === 'symbol';
    if (negated) this.#take();
    const keyToken = this.#take();
    if (keyToken.kind !== 'word') throw parseError(`found '${keyToken.text}', expected: identifier`);
    const key = keyToken.text;
    checkKey(key);
    if (negated) return { key, operator: '!', values: new Set() };
    const token = this.#peek();
    if (token.kind === 'end' || (token.kind === 'symbol' && token.text === ',')) {
      return { key, operator: 'exists', values: new Set() };
    }
    this.#take();
    const operator = operatorOf(token);
    if (operator === undefined) throw parseError(`found '${token.text}', expected: ${OPERATORS}`);
    const values = operator === 'in' || operator === 'notin' ? this.#values() : this.#exactValue();
    for (const value of values) checkValue(operator, value);
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

  #exactValue(): Set<string> {
    const token = this.#peek();
    if (token.kind === 'end' || token.text === ',') return new Set(['']);
    if (token.kind !== 'word') throw parseError(`found '${token.text}', expected: identifier`);
    this.#take();
    return new Set([token.text]);
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

function operatorOf(token: Token): Operator | undefined {
  switch (token.text) {
    case 'in':
    case 'notin':
      return token.kind === 'word' ? token.text : undefined;
    case '=':
    case '==':
    case '!=':
      return token.text;
    case '>':
      return 'gt';
    case '<':
      return 'lt';
    default:
      return undefined;
  }
}

function parseError(text: string): Error {
  return badRequest(`unable to parse requirement: ${text}`);
}

function checkKey(key: string): void {
  const slash = key.indexOf('/');
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = slash < 0 ? key : key.slice(slash + 1);
  const problems: string[] = [];
  if (prefix !== undefined) {
    if (prefix === '') problems.push('prefix part must be non-empty');
    else if (prefix.length > 253) problems.push('prefix part must be no more than 253 characters');
    else if (!SUBDOMAIN.test(prefix)) {
      problems.push(
        "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      );
    }
  }
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > 63) problems.push('name part must be no more than 63 characters');
  if (name !== '' && !NAME.test(name)) {
    problems.push(
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    );
  }
  if (problems.length > 0) throw parseError(`<nil>: Invalid value: ${JSON.stringify(key)}: ${problems.join('; ')}`);
}

function checkValue(operator: Operator, value: string): void {
  if (operator === 'gt' || operator === 'lt') {
    if (INTEGER.test(value)) return;
    throw parseError(
      `values[0]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
    );
  }
  if (value === '' || (value.length <= 63 && NAME.test(value))) return;
  const problem =
    value.length > 63
      ? 'must be no more than 63 characters'
      : "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
  throw parseError(`values[0]: Invalid value: ${JSON.stringify(value)}: ${problem}`);
}
