import { hostname } from 'node:os';
import { Command } from 'commander';
import { isStatusError } from '../../../pkg/api/errors.ts';
import { systemClock } from '../../../pkg/base/clock.ts';
import { KubeconfigError } from '../../../pkg/client/index.ts';
import { serverConfig, serverOptions } from '../../../pkg/config/index.ts';
import { UserError } from '../errors.ts';
import { addOptionFlags, readOptions } from '../option-flags.ts';

const TIMEOUT_MS = 60_000;

interface Flags {
  readonly kubeconfig?: string;
  readonly namespace: string;
  readonly everyPlugin?: boolean;
}

/** Says for each node and each plugin of the scheduler why a pod did or did not land there, and what would make it fit. */
export function explainCommand(): Command {
  const pod = new Command('pod')
    .description('say for each node why a pod did or did not land there, and what would make it fit')
    .argument('<name>', 'the pod')
    .option('-n, --namespace <namespace>', 'its namespace', 'default')
    .option(
      '--kubeconfig <file>',
      "how to reach the cluster (default: KUBECONFIG, or what this machine's server wrote)",
    )
    .option('--every-plugin', 'list the plugins that have nothing against a node, too');
  addOptionFlags(pod, serverOptions);
  pod.allowExcessArguments(false).action(async (name: string, flags: Flags) => {
    const config = serverConfig(await readOptions(pod, serverOptions), hostname());
    const { createClient, HTTPTransport, loadKubeconfig } = await import('../../../pkg/client/index.ts');
    const { explainPod, formatExplanation } = await import('../../../pkg/scheduler/index.ts');
    const { loadSchedulerConfiguration } = await import('../../../pkg/daemon/scheduler-configuration.ts');
    const configuration = await loadSchedulerConfiguration(config.schedulerConfigFile);
    const file = flags.kubeconfig ?? process.env['KUBECONFIG'] ?? config.paths.kubeconfig;
    try {
      const transport = new HTTPTransport(await loadKubeconfig(file), { clock: systemClock });
      try {
        const deps = { client: createClient(transport), clock: systemClock };
        const key = { namespace: flags.namespace, name };
        const explanation = await explainPod(key, configuration, deps, AbortSignal.timeout(TIMEOUT_MS));
        process.stdout.write(formatExplanation(explanation, flags.everyPlugin === true));
      } finally {
        await transport.close();
      }
    } catch (error) {
      if (isStatusError(error)) throw new UserError(error.message, { cause: error });
      if (error instanceof KubeconfigError) throw new UserError(error.message, { cause: error });
      throw error;
    }
  });
  return new Command('explain').description('say why things are as they are').addCommand(pod);
}
