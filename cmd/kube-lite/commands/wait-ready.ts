import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { Command } from 'commander';
import { serverConfig, serverOptions } from '../../../pkg/config/index.ts';
import { UserError } from '../errors.ts';
import { addOptionFlags, readOptions } from '../option-flags.ts';

const RETRY_MS = 100;

/** For scripts: ends when this machine's node is Ready, or with an error that says what it is waiting for. */
export function waitReadyCommand(): Command {
  const command = new Command('wait-ready')
    .description('wait until this node is Ready')
    .option('--timeout <seconds>', 'how long to wait', '60s');
  addOptionFlags(command, serverOptions);
  return command.allowExcessArguments(false).action(async () => {
    const config = serverConfig(await readOptions(command, serverOptions), hostname());
    const timeout = /^(\d+)s?$/.exec(command.getOptionValue('timeout') as string);
    if (timeout === null) throw new UserError('--timeout: give seconds, like 60s');
    const deadline = Date.now() + Number(timeout[1]) * 1000;
    const { nodeReadiness } = await import('../../../pkg/daemon/readiness.ts');
    const { layoutOf } = await import('../../../pkg/daemon/layout.ts');
    const { readyFile, agentKubeconfig } = layoutOf(config.paths);
    for (;;) {
      const isAgent = existsSync(agentKubeconfig) && !existsSync(config.paths.kubeconfig);
      const state = await nodeReadiness(
        readyFile,
        isAgent ? agentKubeconfig : config.paths.kubeconfig,
        config.nodeName,
      );
      if (state === 'Ready') {
        console.log(`node ${config.nodeName} is Ready`);
        return;
      }
      if (Date.now() > deadline) throw new UserError(`node ${config.nodeName} is not Ready: ${state}`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  });
}
