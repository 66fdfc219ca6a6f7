import { badRequest } from '../../api/errors.ts';

/** The query parameters of a request; the first of several values, as upstream reads them, unless `all` is asked for. */
export class Query {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  static readonly empty = new Query(new Map());

  /** What follows the `?` of a URL. As in Go, a parameter that cannot be read, or has a semicolon, is not there. */
  static parse(text: string): Query {
    if (text === '') return Query.empty;
    const values = new Map<string, string[]>();
    for (const pair of text.split('&')) {
      if (pair === '') continue;
      const equals = pair.indexOf('=');
      const name = decode(equals < 0 ? pair : pair.slice(0, equals));
      const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
      if (name === undefined || value === undefined || pair.includes(';')) continue;
      const list = values.get(name);
      if (list === undefined) values.set(name, [value]);
      else list.push(value);
    }
    return new Query(values);
  }

  static of(record: Readonly<Record<string, string>> | undefined): Query {
    if (record === undefined) return Query.empty;
    return new Query(new Map(Object.entries(record).map(([name, value]) => [name, [value]])));
  }

  get(name: string): string {
    return this.#values.get(name)?.[0] ?? '';
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** Go's conversion of query parameters to bool: absent, '0' and 'false' are false, everything else is true. */
  flag(name: string): boolean {
    const value = this.#values.get(name)?.[0];
    return value !== undefined && value !== '0' && value.toLowerCase() !== 'false';
  }

  /** An integer parameter; undefined when absent. Throws BadRequest. */
  integer(name: string): number | undefined {
    const value = this.#values.get(name)?.[0];
    if (value === undefined) return undefined;
    if (!/^[+-]?\d+$/.test(value)) {
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    }
    if (BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) {
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`);
    }
    return Number(value);
  }
}

function decode(text: string): string | undefined {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return undefined;
  }
}
