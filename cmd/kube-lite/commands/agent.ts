import { hostname } from 'node:os';
import { Command } from 'commander';
import { createLogger } from '../../../pkg/base/logger.ts';
import { agentConfig, agentOptions, hollowConfig, standaloneConfig } from '../../../pkg/config/index.ts';
import { UserError } from '../errors.ts';
import { addOptionFlags, readOptions } from '../option-flags.ts';
import { openPayload } from '../payload.ts';
import { stopOnSignals } from '../signals.ts';
import { yamlThread } from '../threads.ts';
import { KUBE_LITE_VERSION } from '../version.ts';

export function agentCommand(): Command {
  const command = new Command('agent').description('make this machine a node of a cluster whose server is elsewhere');
  addOptionFlags(command, agentOptions);
  return command.allowExcessArguments(false).action(async () => {
    const values = await readOptions(command, agentOptions);
    const hollow = hollowConfig(values, hostname());
    if (hollow !== undefined) {
      const logger = createLogger({ level: hollow.logLevel });
      const { runHollowAgent } = await import('../../../pkg/daemon/hollow/hollow-agent.ts');
      await runHollowAgent(hollow, { logger, version: KUBE_LITE_VERSION, signal: stopOnSignals(logger) });
      return;
    }
    const standalone = standaloneConfig(values, hostname());
    const config = standalone ?? agentConfig(values, hostname());
    if (process.getuid?.() !== 0)
      throw new UserError('kube-lite agent manages containers and networks and must run as root; use sudo');
    const logger = createLogger({ level: config.logLevel });
    const payload = await openPayload(config.paths.dataDir);
    const common = { logger, payload, version: KUBE_LITE_VERSION, signal: stopOnSignals(logger) };
    if ('podCIDRs' in config) {
      const { runStandalone } = await import('../../../pkg/daemon/standalone/run-standalone.ts');
      await runStandalone(config, { ...common, yamlThread });
      return;
    }
    const { runAgent } = await import('../../../pkg/daemon/agent.ts');
    await runAgent(config, common);
  });
}
