import { readFile } from 'node:fs/promises';
import type { LineCounter, Node, YAMLMap } from 'yaml';
import { suggestion } from './load.ts';
import { ConfigError } from './option.ts';

/** What a reader of a configuration file needs of the YAML library, which is loaded when there is a file to read. */
interface Source {
  readonly file: string;
  readonly lines: LineCounter;
  readonly isMap: (node: unknown) => node is YAMLMap;
  readonly isSeq: (node: unknown) => node is { items: unknown[] };
  readonly isScalar: (node: unknown) => node is { value: unknown };
}

/**
 * A configuration file in the form of a Kubernetes object, from YAML or JSON. Throws ConfigError when it cannot be read, is no
 * YAML, or has another apiVersion or kind than one of `versions` (`audit.k8s.io/v1`) and `kind`.
 */
export async function readConfigFile(file: string, versions: readonly string[], kind: string): Promise<ConfigNode> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  return parseConfigFile(file, text, versions, kind);
}

/** As `readConfigFile`, for text at hand. */
export async function parseConfigFile(
  file: string,
  text: string,
  versions: readonly string[],
  kind: string,
): Promise<ConfigNode> {
  const { isMap, isScalar, isSeq, LineCounter: Lines, parseDocument } = await import('yaml');
  const lines = new Lines();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, version: '1.1' });
  const [first] = document.errors;
  if (first !== undefined) {
    const { line, col } = lines.linePos(first.pos[0]);
    throw new ConfigError(`${file}:${line}:${col}: ${first.message.split('\n')[0]?.replace(/ at line \d+.*$/, '')}`);
  }
  const root = new ConfigNode({ file, lines, isMap, isSeq, isScalar }, document.contents ?? undefined, '', 1);
  root.field('apiVersion').oneOf(versions);
  root.field('kind').oneOf([kind]);
  return root;
}

/** One value of a configuration file, which knows where it stands. What is wrong is thrown as `FILE:LINE: FIELD: PROBLEM`. */
export class ConfigNode {
  /** `rules[0].level`; '' for the whole file. */
  readonly path: string;
  readonly #source: Source;
  readonly #node: unknown;
  readonly #line: number;

  /** `line`: of what the value belongs to, when the value itself is absent. */
  constructor(source: Source, node: unknown, path: string, line: number) {
    this.#source = source;
    const isNull = source.isScalar(node) && node.value === null;
    this.#node = isNull ? undefined : node;
    this.path = path;
    const offset = (node as Node | undefined)?.range?.[0];
    this.#line = offset === undefined ? line : source.lines.linePos(offset).line;
  }

  get present(): boolean {
    return this.#node !== undefined;
  }

  fail(problem: string): never {
    const { file } = this.#source;
    throw new ConfigError(`${file}:${this.#line}: ${this.path === '' ? '' : `${this.path}: `}${problem}`);
  }

  /** Refuses fields that are not known; `apiVersion` and `kind` are, at the top. */
  onlyFields(known: readonly string[]): void {
    const map = this.#map();
    const all = this.path === '' ? ['apiVersion', 'kind', ...known] : known;
    for (const { key, value } of map?.items ?? []) {
      const name = this.#source.isScalar(key) ? String(key.value) : '';
      if (all.includes(name)) continue;
      const at = new ConfigNode(this.#source, key ?? value, this.#pathOf(name), this.#line);
      at.fail(`unknown field${suggestion(name, all)}`);
    }
  }

  /** A field of a mapping, present or not. */
  field(name: string): ConfigNode {
    return new ConfigNode(this.#source, this.#map()?.get(name, true), this.#pathOf(name), this.#line);
  }

  /** The names of a mapping's fields, in the order of the file. */
  names(): string[] {
    return (this.#map()?.items ?? []).map(({ key }) => (this.#source.isScalar(key) ? String(key.value) : ''));
  }

  /** The items of a sequence; none when it is absent. */
  items(): ConfigNode[] {
    const node = this.#node;
    if (node === undefined) return [];
    if (!this.#source.isSeq(node)) return this.fail('must be a list');
    return node.items.map((item, index) => new ConfigNode(this.#source, item, `${this.path}[${index}]`, this.#line));
  }

  /** A text; '' when it is absent. */
  string(): string {
    const value = this.#scalar();
    if (value === undefined) return '';
    return typeof value === 'string' ? value : this.fail('must be a text');
  }

  requiredString(): string {
    const value = this.string();
    return value === '' ? this.fail('is required') : value;
  }

  strings(): string[] {
    return this.items().map((item) => item.string());
  }

  oneOf<T extends string>(allowed: readonly T[]): T {
    const value = this.requiredString();
    const found = allowed.find((one) => one === value);
    const names = allowed.map((one) => JSON.stringify(one)).join(', ');
    return found ?? this.fail(`${JSON.stringify(value)} is not ${allowed.length === 1 ? names : `one of ${names}`}`);
  }

  boolean(absent = false): boolean {
    const value = this.#scalar() ?? absent;
    return typeof value === 'boolean' ? value : this.fail('must be true or false');
  }

  integer(absent?: number): number | undefined {
    const value = this.#scalar() ?? absent;
    if (value === undefined) return undefined;
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : this.fail('must be a whole number');
  }

  #pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  #map(): YAMLMap | undefined {
    if (this.#node === undefined) return undefined;
    return this.#source.isMap(this.#node) ? this.#node : this.fail('must be a mapping of fields to values');
  }

  #scalar(): unknown {
    if (this.#node === undefined) return undefined;
    return this.#source.isScalar(this.#node) ? this.#node.value : this.fail('must be a single value');
  }
}
