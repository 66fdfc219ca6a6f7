/** What one run of test files has come to. */
export interface Outcome {
  /** Files of which a test, a hook or the whole failed. */
  readonly failed: readonly string[];
  /** Something else went wrong, which belongs to no file. */
  readonly broken: boolean;
}

/** More than these are not failed by chance. */
const CHANCE_MAX_FILES = 4;

/**
 * Runs test files, and those that fail once more from their beginning, with clusters, ports and directories of their own. A file
 * that fails in both runs has failed. `run` without files runs all; `tell` says what is run again. Gives the exit code.
 */
export async function twice(
  run: (files?: readonly string[]) => Promise<Outcome>,
  tell: (line: string) => void,
): Promise<0 | 1> {
  const { failed, broken } = await run();
  if (broken) return 1;
  if (failed.length === 0) return 0;
  if (failed.length > CHANCE_MAX_FILES) {
    tell(`${failed.length} files failed: too many to be run again`);
    return 1;
  }
  tell(`failed, and run again from the beginning: ${failed.join(', ')} (the reasons are above)`);
  const again = await run(failed);
  if (again.broken || again.failed.length > 0) return 1;
  tell(`flaky, passed when run again: ${failed.join(', ')}`);
  return 0;
}
