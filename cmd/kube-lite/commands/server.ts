import { hostname } from 'node:os';
import { Command } from 'commander';
import { createLogger } from '../../../pkg/base/logger.ts';
import { serverConfig, serverOptions } from '../../../pkg/config/index.ts';
import { UserError } from '../errors.ts';
import { addOptionFlags, readOptions } from '../option-flags.ts';
import { descriptionsAsset, openPayload } from '../payload.ts';
import { stopOnSignals } from '../signals.ts';
import { yamlThread } from '../threads.ts';
import { KUBE_LITE_VERSION } from '../version.ts';

export function serverCommand(): Command {
  const command = new Command('server').description(
    'run a whole cluster: API server, controllers, scheduler and this node',
  );
  addOptionFlags(command, serverOptions);
  return command.allowExcessArguments(false).action(async () => {
    const config = serverConfig(await readOptions(command, serverOptions), hostname());
    if (process.getuid?.() !== 0)
      throw new UserError('kube-lite server manages containers and networks and must run as root; use sudo');
    const logger = createLogger({ level: config.logLevel });
    const payload = await openPayload(config.paths.dataDir);
    const { manifests } = await import('embedded:manifests');
    const { runServer } = await import('../../../pkg/daemon/server.ts');
    await runServer(config, {
      logger,
      payload,
      manifests,
      descriptions: descriptionsAsset,
      yamlThread,
      version: KUBE_LITE_VERSION,
      signal: stopOnSignals(logger),
    });
  });
}
