import { Command } from 'commander';
import { UserError } from '../errors.ts';
import { addProjectFlags, openProject } from '../local-project.ts';

interface Flags {
  readonly container?: string;
  readonly follow?: boolean;
  readonly tail?: string;
  readonly timestamps?: boolean;
}

/** Prints what the containers of this machine's pods have written. */
export function logsCommand(): Command {
  const command = new Command('logs')
    .description('print the logs of pods that kube-lite run has started, of all of them when none is named')
    .argument('[pods...]')
    .option('-c, --container <name>', 'of this container only')
    .option('-f, --follow', 'go on with what is written from now on')
    .option('--tail <lines>', 'begin with so many lines of the end of each log')
    .option('--timestamps', 'say when each line was written');
  addProjectFlags(command);
  return command.action(async (pods: readonly string[]) => {
    const { container, follow, tail, timestamps } = command.opts<Flags>();
    if (tail !== undefined && !/^\d+$/.test(tail)) throw new UserError('--tail: give a number of lines');
    const { project, podLogDir, podStatesFile } = await openProject(command);
    const { containerLog, logTargets } = await import('../../../pkg/daemon/standalone/project-logs.ts');
    const states = await project.pods();
    const unknown = pods.find((name) => !states.some((state) => state.name === name));
    if (unknown !== undefined) throw new UserError(`there is no pod ${unknown}; kube-lite ps lists all`);
    const targets = logTargets(states, pods, container);
    if (targets.length === 0)
      throw new UserError(container === undefined ? 'no pods run' : `no pod has a container ${container}`);
    const stop = new AbortController();
    process.stdout.on('error', () => stop.abort());
    const options = {
      podLogDir,
      podStatesFile,
      follow: follow === true,
      timestamps: timestamps === true,
      ...(tail === undefined ? {} : { tailLines: Number(tail) }),
    };
    const show = async (target: (typeof targets)[number]): Promise<void> => {
      const prefix = targets.length === 1 ? '' : `${target.pod.name} ${target.container} | `;
      let rest = '';
      for await (const chunk of containerLog(target, options, stop.signal)) {
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) process.stdout.write(`${prefix}${line}\n`);
      }
      if (rest !== '') process.stdout.write(`${prefix}${rest}\n`);
    };
    // Together while they go on, one after the other when they end.
    if (follow === true) await Promise.all(targets.map(show));
    else for (const target of targets) await show(target);
  });
}
