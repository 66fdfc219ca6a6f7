import { readFile } from 'node:fs/promises';
import { errnoCode } from '../base/errors.ts';
import { ConfigError, type OptionSpec, type OptionValue, type OptionValues } from './option.ts';
import { parseOptionValue } from './parse-value.ts';

export interface LoadInput {
  readonly specs: readonly OptionSpec[];
  /** Raw texts of the flags that were given. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly file: string;
  /** The file was named by the user, so it must exist. */
  readonly fileRequired: boolean;
}

/** Merges defaults, the configuration file and flags (the last wins). Throws ConfigError. */
export async function loadOptions(input: LoadInput): Promise<OptionValues> {
  const values: Record<string, OptionValue | undefined> = {};
  for (const spec of input.specs) values[spec.name] = spec.default;
  const fromFile = await readConfigFile(input.file, input.fileRequired);
  const byName = new Map(input.specs.map((spec) => [spec.name, spec]));
  for (const [key, raw] of Object.entries(fromFile)) {
    const spec = byName.get(key);
    if (spec === undefined)
      throw new ConfigError(`${input.file}: unknown key "${key}"${suggestion(key, byName.keys())}`);
    values[key] = parseOptionValue(spec, raw, `${input.file}: ${key}`);
  }
  for (const [name, raw] of Object.entries(input.flags)) {
    const spec = byName.get(name);
    if (spec === undefined) throw new ConfigError(`unknown flag --${name}${suggestion(name, byName.keys())}`);
    values[name] = parseOptionValue(spec, raw, `--${name}`);
  }
  return values;
}

async function readConfigFile(file: string, required: boolean): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT' && !required) return {};
    throw new ConfigError(
      `cannot read the configuration file ${file}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [first] = document.errors;
  if (first !== undefined) {
    const { line, col } = lines.linePos(first.pos[0]);
    throw new ConfigError(
      `${file}:${line}:${col}: ${first.message.split('\n')[0]?.replace(/ at line \d+.*$/, '') ?? first.code}`,
    );
  }
  const content: unknown = document.toJS();
  if (content === null || content === undefined) return {};
  if (typeof content !== 'object' || Array.isArray(content))
    throw new ConfigError(`${file}: must be a mapping of settings to values`);
  return content as Record<string, unknown>;
}

/** `; did you mean "data-dir"?` when a known name is close. */
export function suggestion(name: string, known: Iterable<string>): string {
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(name, candidate);
    if (distance <= 3 && (best === undefined || distance < best.distance)) best = { name: candidate, distance };
  }
  return best === undefined ? '' : `; did you mean "${best.name}"?`;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substituted));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
