import { run } from './run.ts';

/** Makes a small static program of C sources. */
export function compile(sources: readonly string[], output: string): void {
  run('gcc', ['-D_GNU_SOURCE', '-Os', '-static', '-s', '-Wall', '-Wextra', '-Werror', '-o', output, ...sources]);
}
