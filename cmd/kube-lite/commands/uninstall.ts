import { readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { systemClock } from '../../../pkg/base/clock.ts';
import { systemExec } from '../../../pkg/base/exec.ts';
import { serverConfig, serverOptions } from '../../../pkg/config/index.ts';
import { UserError } from '../errors.ts';
import { addOptionFlags, readOptions } from '../option-flags.ts';

const UNIT_FILE = '/etc/systemd/system/kube-lite.service';
const UNIT_MARK = 'kube-lite uninstall removes it';
const INSTALLED_BINARY = '/usr/local/bin/kube-lite';
const LOG_FILE = '/var/log/kube-lite.log';

export function uninstallCommand(): Command {
  const command = new Command('uninstall')
    .description('remove everything that kube-lite made on this machine')
    .option('--yes', 'do not ask');
  addOptionFlags(command, serverOptions);
  return command.allowExcessArguments(false).action(async () => {
    const config = serverConfig(await readOptions(command, serverOptions), hostname());
    const { paths } = config;
    if (process.getuid?.() !== 0)
      throw new UserError('uninstalling ends containers and removes mounts and must run as root; use sudo');
    if (command.getOptionValue('yes') !== true) await confirm(paths.dataDir);
    const report = (step: string): void => console.log(step);
    const isDefault = paths.suffix === '';
    if (isDefault) await removeUnit(report);
    const { uninstall } = await import('../../../pkg/daemon/uninstall/uninstall.ts');
    await uninstall(paths, {
      exec: systemExec,
      clock: systemClock,
      kill: process.kill.bind(process),
      self: process.pid,
      report,
    });
    if (isDefault) {
      await rm(LOG_FILE, { force: true });
      await rm(INSTALLED_BINARY, { force: true });
    }
    console.log(
      `kube-lite is gone; ${isDefault ? '/etc/kube-lite/config.yaml, if you made one, is still there' : `nothing of it is left in ${paths.dataDir}`}`,
    );
  });
}

async function confirm(dataDir: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UserError(`this removes the cluster in ${dataDir} with all its data; add --yes to do so`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`Remove the cluster in ${dataDir} with all its data? [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new UserError('nothing was removed');
}

/** Only the unit that the install script made. */
async function removeUnit(report: (step: string) => void): Promise<void> {
  const unit = await readFile(UNIT_FILE, 'utf8').catch(() => '');
  if (!unit.includes(UNIT_MARK)) return;
  report('removing the systemd unit');
  await systemExec.run('systemctl', ['disable', '--now', 'kube-lite']);
  await rm(UNIT_FILE, { force: true });
  await systemExec.run('systemctl', ['daemon-reload']);
}
