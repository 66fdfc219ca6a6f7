import { getSystemErrorMessage } from 'node:util';

/** Several components failed together. */
export class AggregateFailure extends Error {
  readonly failures: readonly Error[];

  constructor(name: string, failures: readonly Error[]) {
    super(`${name}: ${failures.map((failure) => describeError(failure)).join('; ')}`, { cause: failures[0] });
    this.name = 'AggregateFailure';
    this.failures = failures;
  }
}

/** The messages of an error and of its causes on one line, outermost first; what one has said already is not said again. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  while (current !== undefined && current !== null && parts.length < 8) {
    const text = current instanceof Error ? current.message : String(current);
    if (!parts.some((part) => part.includes(text))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(': ');
}

/** The `code` of a Node system error (`ENOENT`, `EADDRINUSE`, ...), if it has one. */
export function errnoCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What failed, on what and why, as Go words the error of a system call; the message of any other error. */
export function systemErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!('errno' in error && 'syscall' in error) || typeof error.errno !== 'number') return error.message;
  const path = 'path' in error ? ` ${error.path}` : '';
  return `${error.syscall}${path}: ${getSystemErrorMessage(error.errno)}`;
}
