import { Command } from 'commander';
import { UserError } from '../errors.ts';
import { addProjectFlags, openProject } from '../local-project.ts';

/** Ends and removes everything that `kube-lite run` has started. */
export function downCommand(): Command {
  const command = new Command('down').description('end and remove all pods that kube-lite run has started');
  addProjectFlags(command);
  return command.allowExcessArguments(false).action(async () => {
    const { project, timeoutMs, logFile } = await openProject(command);
    try {
      await project.remove(timeoutMs, (name) => console.log(`pod/${name} removed`));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ProjectError') throw error;
      throw new UserError(`${error.message}; the log is ${logFile}`, { cause: error });
    }
  });
}
