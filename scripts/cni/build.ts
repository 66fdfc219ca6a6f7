import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../build.d/compile.ts';

/** Compiles the CNI plugin to `output`. */
export function buildCNIPlugin(output: string): void {
  const sources = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.c'));
  compile(
    sources.sort().map((name) => join(import.meta.dirname, name)),
    output,
  );
}
