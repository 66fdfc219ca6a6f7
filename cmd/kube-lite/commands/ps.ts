import { Command } from 'commander';
import { addProjectFlags, openProject } from '../local-project.ts';

const COLUMNS = ['NAME', 'READY', 'STATUS', 'RESTARTS', 'IP'] as const;

/** Lists the pods of this machine that run without a cluster. */
export function psCommand(): Command {
  const command = new Command('ps').description('list the pods that kube-lite run has started, and static ones');
  addProjectFlags(command);
  return command.allowExcessArguments(false).action(async () => {
    const { project } = await openProject(command);
    const rows = (await project.pods()).map(({ name, containers, phase, reason, ips }) => [
      name,
      `${containers.filter(({ ready }) => ready).length}/${containers.length}`,
      reason.split(':')[0] || phase,
      String(containers.reduce((sum, { restarts }) => sum + restarts, 0)),
      ips.join(',') || '<none>',
    ]);
    const table = [COLUMNS, ...rows];
    const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
    for (const row of table)
      console.log(
        row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('   ')
          .trimEnd(),
      );
  });
}
