import { DurationError, parseDuration } from '../../api/duration.ts';

/** What is wrong with a field, whose path is part of the message. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/** A configuration file that cannot be used; the message names the field. */
export class SchedulerConfigError extends Error {
  override readonly name = 'SchedulerConfigError';
  /** By field, where that is known. */
  readonly problems: readonly FieldProblem[];

  constructor(message: string, problems: readonly FieldProblem[] = []) {
    super(message);
    this.problems = problems;
  }
}

/**
 * Reads one object of a configuration file field by field. `done` refuses what nobody has asked for, as upstream's strict
 * decoder does. All problems are collected in `problems`, with the path of the field.
 */
export class ObjectReader {
  readonly path: string;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #problems: FieldProblem[];
  readonly #read = new Set<string>();

  constructor(value: unknown, path: string, problems: FieldProblem[]) {
    this.path = path;
    this.#problems = problems;
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isObject && value !== undefined && value !== null)
      problems.push({ field: path, message: `${path}: must be an object` });
    this.#fields = isObject ? (value as Readonly<Record<string, unknown>>) : {};
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined && this.#fields[name] !== null;
  }

  /** The value as it is. */
  raw(name: string): unknown {
    this.#read.add(name);
    return this.#fields[name] ?? undefined;
  }

  string(name: string): string | undefined {
    return this.#typed(name, 'a string', (value): value is string => typeof value === 'string');
  }

  boolean(name: string): boolean | undefined {
    return this.#typed(name, 'true or false', (value): value is boolean => typeof value === 'boolean');
  }

  integer(name: string, minimum: number, maximum: number): number | undefined {
    const value = this.#typed(name, 'an integer', (one): one is number => Number.isInteger(one));
    if (value === undefined || (value >= minimum && value <= maximum)) return value;
    this.invalid(name, `Invalid value: ${value}: must be in the range [${minimum}, ${maximum}]`);
    return undefined;
  }

  /** A duration as Go writes it, in milliseconds. */
  durationMs(name: string): number | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    try {
      return parseDuration(text);
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      this.invalid(name, error.message);
      return undefined;
    }
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    const value = this.string(name);
    if (value === undefined) return undefined;
    const known = values.find((one) => one === value);
    if (known === undefined) {
      const supported = values.map((one) => JSON.stringify(one)).join(', ');
      this.invalid(name, `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`);
    }
    return known;
  }

  strings(name: string): readonly string[] {
    const list = this.#list(name);
    const wrong = list.findIndex((value) => typeof value !== 'string');
    if (wrong >= 0) this.invalid(`${name}[${wrong}]`, 'must be a string');
    return list.filter((value) => typeof value === 'string');
  }

  object(name: string): ObjectReader {
    return new ObjectReader(this.raw(name), this.#pathOf(name), this.#problems);
  }

  objects(name: string): readonly ObjectReader[] {
    return this.#list(name).map((value, i) => new ObjectReader(value, `${this.#pathOf(name)}[${i}]`, this.#problems));
  }

  /** Fields that are known and mean nothing here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  invalid(name: string, problem: string): void {
    const field = this.#pathOf(name);
    this.#problems.push({ field, message: `${field}: ${problem}` });
  }

  /** Refuses every field that was not asked for. */
  done(): void {
    for (const name of Object.keys(this.#fields)) {
      if (this.#read.has(name)) continue;
      const field = this.#pathOf(name);
      this.#problems.push({ field, message: `strict decoding error: unknown field "${field}"` });
    }
  }

  #list(name: string): readonly unknown[] {
    const value = this.raw(name);
    if (value === undefined) return [];
    if (Array.isArray(value)) return value;
    this.invalid(name, 'must be a list');
    return [];
  }

  #typed<T>(name: string, description: string, is: (value: unknown) => value is T): T | undefined {
    const value = this.raw(name);
    if (value === undefined || is(value)) return value;
    this.invalid(name, `must be ${description}`);
    return undefined;
  }

  #pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}
