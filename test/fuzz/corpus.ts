import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A request that makes sense, to start from. `${...}` variables of the recordings are filled in. */
export interface Specimen {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** The requests of test/recordings. */
export function loadCorpus(namespace: string): Specimen[] {
  const directory = join(import.meta.dirname, '../recordings/data');
  const found: Specimen[] = [];
  for (const file of readdirSync(directory).sort()) {
    if (!file.endsWith('.json')) continue;
    const text = readFileSync(join(directory, file), 'utf8').replaceAll(/\$\{(\w+)\}/g, (_, name: string) =>
      name === 'ns' ? namespace : `v-${name.toLowerCase()}`,
    );
    collect(JSON.parse(text), found);
  }
  return found;
}

function collect(value: unknown, found: Specimen[]): void {
  if (typeof value !== 'object' || value === null) return;
  const { method, path, headers, body } = value as Record<string, unknown>;
  if (typeof method === 'string' && typeof path === 'string' && path.startsWith('/')) {
    found.push({ method, path, headers: strings(headers), body });
    return;
  }
  for (const item of Object.values(value)) collect(item, found);
}

function strings(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null) return {};
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
