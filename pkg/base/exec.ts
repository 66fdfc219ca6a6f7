import { spawn } from 'node:child_process';

export interface ExecOptions {
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Kill the command after this long. */
  readonly timeoutMs?: number;
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs host commands; a dependency so that tests can record them. */
export interface Exec {
  /** Runs to the end and returns the exit code with the output; rejects only when the command cannot be started. */
  run(command: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
}

/** A command ended with a code other than 0. */
export class ExecError extends Error {
  readonly result: ExecResult;

  constructor(command: string, args: readonly string[], result: ExecResult) {
    super(`${[command, ...args].join(' ')}: exit ${result.code}: ${(result.stderr || result.stdout).trim()}`);
    this.name = 'ExecError';
    this.result = result;
  }
}

/** Runs a command and returns its standard output; throws `ExecError` for a non-zero exit code. */
export async function execOutput(
  exec: Exec,
  command: string,
  args: readonly string[],
  options?: ExecOptions,
): Promise<string> {
  const result = await exec.run(command, args, options);
  if (result.code !== 0) throw new ExecError(command, args, result);
  return result.stdout;
}

export const systemExec: Exec = {
  run(command, args, options = {}) {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, {
        stdio: ['pipe', 'pipe', 'pipe'],
        cwd: options.cwd,
        env: options.env,
        signal: options.signal,
        timeout: options.timeoutMs,
      });
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
      child.on('error', reject);
      child.on('close', (code) =>
        resolve({
          code: code ?? 128,
          stdout: Buffer.concat(stdout).toString(),
          stderr: Buffer.concat(stderr).toString(),
        }),
      );
      child.stdin.on('error', () => {
        // The command may end without reading its input; its exit code tells whether that was an error.
      });
      child.stdin.end(options.input);
    });
  },
};
