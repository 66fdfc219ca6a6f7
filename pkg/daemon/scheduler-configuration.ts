import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { describeError } from '../base/errors.ts';
import { ConfigError } from '../config/index.ts';
import { defaultConfiguration, readConfiguration, type SchedulerConfiguration } from '../scheduler/index.ts';

/** Reads the file of `--scheduler-config`; without one the default. Throws a ConfigError that names the file and the field. */
export async function loadSchedulerConfiguration(file: string | undefined): Promise<SchedulerConfiguration> {
  if (file === undefined) return defaultConfiguration;
  try {
    return readConfiguration(parse(await readFile(file, 'utf8'), { version: '1.1' }));
  } catch (error) {
    throw new ConfigError(`--scheduler-config ${file}: ${describeError(error)}`, { cause: error });
  }
}
