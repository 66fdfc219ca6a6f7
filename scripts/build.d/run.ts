import { execFileSync } from 'node:child_process';

/** Runs a command; its output is shown only when it fails. */
export function run(command: string, args: readonly string[], cwd?: string): string {
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 28,
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error(`${command} is missing; install it (Debian: see scripts/install.sh for the packages)`, {
        cause: error,
      });
    }
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    throw new Error(`${command} ${args.join(' ')} failed\n${output}`, { cause: error });
  }
}
