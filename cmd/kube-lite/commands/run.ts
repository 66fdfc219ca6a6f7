import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { Command } from 'commander';
import { isStatusError } from '../../../pkg/api/errors.ts';
import { describeError } from '../../../pkg/base/errors.ts';
import { UserError } from '../errors.ts';
import { addProjectFlags, openProject, podsOf } from '../local-project.ts';

/** Runs the pods of a manifest on this machine, without a cluster, and leaves them running. */
export function runCommand(): Command {
  const command = new Command('run')
    .description('run the pods of a manifest on this machine, without a cluster')
    .requiredOption(
      '-f, --filename <file>',
      'YAML with Pods and their ConfigMaps and Secrets; - reads the standard input',
    );
  addProjectFlags(command);
  return command.allowExcessArguments(false).action(async () => {
    const file = command.getOptionValue('filename') as string;
    const text = await readManifest(file);
    const { project, timeoutMs, logFile } = await openProject(command);
    const pods = await checkedPods(file, text);
    try {
      await project.write(`${projectName(file)}.yaml`, text, pods, timeoutMs);
      await project.ensureAgent();
      await project.untilRunning(pods, timeoutMs, ({ name, phase }) => console.log(`pod/${name} ${phase}`));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ProjectError') throw error;
      throw new UserError(`${error.message}; the log is ${logFile}`, { cause: error });
    }
  });
}

async function readManifest(file: string): Promise<string> {
  if (file === '-') return readAll(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${describeError(error)}`, { cause: error });
  }
}

/** The pods of a manifest as `namespace/name`. Throws a UserError. */
async function checkedPods(file: string, text: string): Promise<string[]> {
  try {
    const pods = await podsOf(file, text);
    if (pods.length === 0) throw new UserError(`${file} holds no Pod`);
    return pods;
  } catch (error) {
    if (error instanceof UserError) throw error;
    const message = isStatusError(error) ? `${file}: ${error.message}` : describeError(error);
    throw new UserError(message.replaceAll('\n', ' '), { cause: error });
  }
}

/** By its file: another run of the same file replaces what ran by it. */
function projectName(file: string): string {
  const name = basename(file).replace(/\.(ya?ml|json)$/, '');
  return file === '-' ? 'stdin' : name.replace(/^\.+/, '') || 'manifest';
}
