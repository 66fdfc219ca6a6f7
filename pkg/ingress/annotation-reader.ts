import { isIP } from 'node:net';

export const ANNOTATION_PREFIX = 'nginx.ingress.kubernetes.io/';

/** Takes annotations out one by one; what is left in the end is not supported. */
export class AnnotationReader {
  readonly #values: Map<string, string>;
  readonly #problems: string[] = [];

  /** `annotations`: all of an Ingress. */
  constructor(annotations: Readonly<Record<string, string>>) {
    this.#values = new Map();
    for (const [name, value] of Object.entries(annotations))
      if (name.startsWith(ANNOTATION_PREFIX)) this.#values.set(name.slice(ANNOTATION_PREFIX.length), value.trim());
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    this.#values.delete(name);
    return value === '' ? undefined : value;
  }

  bool(name: string, otherwise: boolean): boolean {
    return this.choice(name, ['true', 'false'], String(otherwise)) === 'true';
  }

  choice<T extends string>(name: string, choices: readonly T[], otherwise: T): T {
    const value = this.text(name);
    if (value === undefined) return otherwise;
    const found = choices.find((choice) => choice.toLowerCase() === value.toLowerCase());
    if (found === undefined) this.bad(name, value, `is not one of ${choices.join(', ')}`);
    return found ?? otherwise;
  }

  matching(name: string, pattern: RegExp): string | undefined {
    const value = this.text(name);
    if (value === undefined || pattern.test(value)) return value;
    this.bad(name, value, 'is not understood');
    return undefined;
  }

  number(name: string, otherwise: number): number {
    const value = this.matching(name, /^\d{1,9}$/);
    return value === undefined ? otherwise : Number(value);
  }

  /** `60`, or with a unit `60s`, `5m`. */
  seconds(name: string, otherwise: number): number {
    const value = this.matching(name, /^[1-9]\d{0,6}[smh]?$/);
    if (value === undefined) return otherwise;
    const factor = value.endsWith('h') ? 3600 : value.endsWith('m') ? 60 : 1;
    return Number.parseInt(value, 10) * factor;
  }

  /** `8m`, `512k`; 0 is no limit. */
  size(name: string, otherwise: number): number {
    const value = this.matching(name, /^\d{1,9}[kmg]?$/i);
    if (value === undefined) return otherwise;
    const power = ['', 'k', 'm', 'g'].indexOf(value.replace(/\d+/, '').toLowerCase());
    return Number.parseInt(value, 10) * 1024 ** power;
  }

  /** Names of headers, separated by commas. */
  headers(name: string): readonly string[] {
    const value = this.matching(name, /^[\w-]+(?:\s*,\s*[\w-]+)*$/);
    return value?.split(',').map((header) => header.trim()) ?? [];
  }

  /** A list of networks under the first of these names that is there; one that is wrong lets nobody through. */
  networks(...names: readonly string[]): readonly string[] | undefined {
    let found: readonly string[] | undefined;
    for (const name of names) {
      const value = this.text(name);
      if (value === undefined) continue;
      const items = value.split(',').map((item) => item.trim());
      const good = items.flatMap((item) => networkOf(item) ?? []);
      if (good.length < items.length) this.bad(name, value, 'is not a list of networks');
      found = [...(found ?? []), ...good];
    }
    return found;
  }

  /** Takes out what makes no difference here. */
  pass(names: readonly string[]): void {
    for (const name of names) this.#values.delete(name);
  }

  /** Why nothing may be served: the first of what is left that is such a guard. */
  refusal(guards: RegExp): string | undefined {
    const guard = [...this.#values.keys()].find((name) => guards.test(name));
    return guard === undefined ? undefined : `the annotation ${ANNOTATION_PREFIX}${guard} is not supported`;
  }

  bad(name: string, value: string, why: string): void {
    this.#problems.push(`${ANNOTATION_PREFIX}${name}: ${JSON.stringify(value)} ${why}`);
  }

  problems(): readonly string[] {
    const left = [...this.#values.keys()].map((name) => `${ANNOTATION_PREFIX}${name} is not supported`);
    return [...this.#problems, ...left];
  }
}

/** A property that is there only with a value. */
export function optional<Name extends string, T>(name: Name, value: T | undefined): { [key in Name]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { [key in Name]?: T };
}

function networkOf(text: string): string | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes('%')) return undefined;
  const bits = family === 4 ? 32 : 128;
  if (prefix === undefined) return `${address}/${bits}`;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits ? text : undefined;
}
