import { readFile } from 'node:fs/promises';
import { describeError } from '../base/errors.ts';
import { ConfigError, YAMLLines, YAMLProblem } from '../config/index.ts';
import {
  defaultConfiguration,
  readConfiguration,
  SchedulerConfigError,
  type SchedulerConfiguration,
} from '../scheduler/index.ts';

/** Reads the file of `--scheduler-config`; without one the default. Throws a ConfigError that names file, line and field. */
export async function loadSchedulerConfiguration(file: string | undefined): Promise<SchedulerConfiguration> {
  if (file === undefined) return defaultConfiguration;
  const fail = (place: string, problem: string, cause: unknown): never => {
    throw new ConfigError(`--scheduler-config ${place}: ${problem}`, { cause });
  };
  let lines: YAMLLines;
  try {
    lines = await YAMLLines.parse(await readFile(file, 'utf8'), '1.1');
  } catch (error) {
    if (error instanceof YAMLProblem) return fail(`${file}:${error.line}:${error.column}`, error.message, error);
    return fail(file, describeError(error), error);
  }
  try {
    return readConfiguration(lines.value);
  } catch (error) {
    if (!(error instanceof SchedulerConfigError) || error.problems.length === 0)
      return fail(file, describeError(error), error);
    const [first] = error.problems;
    return fail(`${file}:${lines.lineOf(first?.field ?? '')}`, error.message, error);
  }
}
