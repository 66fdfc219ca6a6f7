import { hostname } from 'node:os';
import { Command } from 'commander';
import { createLogger } from '../../../pkg/base/logger.ts';
import { agentConfig, agentOptions } from '../../../pkg/config/index.ts';
import { UserError } from '../errors.ts';
import { addOptionFlags, readOptions } from '../option-flags.ts';
import { openPayload } from '../payload.ts';
import { stopOnSignals } from '../signals.ts';
import { KUBE_LITE_VERSION } from '../version.ts';

export function agentCommand(): Command {
  const command = new Command('agent').description('make this machine a node of a cluster whose server is elsewhere');
  addOptionFlags(command, agentOptions);
  return command.allowExcessArguments(false).action(async () => {
    const config = agentConfig(await readOptions(command, agentOptions), hostname());
    if (process.getuid?.() !== 0)
      throw new UserError('kube-lite agent manages containers and networks and must run as root; use sudo');
    const logger = createLogger({ level: config.logLevel });
    const payload = await openPayload(config.paths.dataDir);
    const { runAgent } = await import('../../../pkg/daemon/agent.ts');
    await runAgent(config, { logger, payload, version: KUBE_LITE_VERSION, signal: stopOnSignals(logger) });
  });
}
