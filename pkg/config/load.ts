import { readFile } from 'node:fs/promises';
import { errnoCode } from '../base/errors.ts';
import { ConfigError, type OptionSpec, type OptionValue, type OptionValues } from './option.ts';
import { parseOptionValue } from './parse-value.ts';
import { YAMLLines, YAMLProblem } from './yaml-lines.ts';

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
  for (const [key, raw] of Object.entries(fromFile.values)) {
    const spec = byName.get(key);
    const place = fromFile.placeOf(key);
    if (spec === undefined) throw new ConfigError(`${place}: unknown key "${key}"${suggestion(key, byName.keys())}`);
    values[key] = parseOptionValue(spec, raw, `${place}: ${key}`);
  }
  for (const [name, raw] of Object.entries(input.flags)) {
    const spec = byName.get(name);
    if (spec === undefined) throw new ConfigError(`unknown flag --${name}${suggestion(name, byName.keys())}`);
    values[name] = parseOptionValue(spec, raw, `--${name}`);
  }
  return values;
}

interface FileContent {
  readonly values: Readonly<Record<string, unknown>>;
  /** Where a key stands: `FILE:LINE`. */
  placeOf(key: string): string;
}

async function readConfigFile(file: string, required: boolean): Promise<FileContent> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT' && !required) return { values: {}, placeOf: () => file };
    throw new ConfigError(
      `cannot read the configuration file ${file}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  let lines: YAMLLines;
  try {
    lines = await YAMLLines.parse(text, '1.2');
  } catch (error) {
    if (!(error instanceof YAMLProblem)) throw error;
    throw new ConfigError(`${file}:${error.line}:${error.column}: ${error.message}`, { cause: error });
  }
  const content: unknown = lines.value ?? {};
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new ConfigError(`${file}: must be a mapping of settings to values`);
  return { values: content as Record<string, unknown>, placeOf: (key) => `${file}:${lines.lineOf(key)}` };
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
