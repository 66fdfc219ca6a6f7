import { hostname } from 'node:os';
import { Command } from 'commander';
import { isStatusError } from '../../../pkg/api/errors.ts';
import { systemClock } from '../../../pkg/base/clock.ts';
import { KubeconfigError } from '../../../pkg/client/index.ts';
import { serverConfig, serverOptions } from '../../../pkg/config/index.ts';
import { UserError } from '../errors.ts';
import { addOptionFlags, readOptions } from '../option-flags.ts';

const TIMEOUT_MS = 180_000;

/** Tries the network between all nodes, and says what is broken and why. Exit code 1 when something is. */
export function doctorCommand(setExitCode: (code: number) => void): Command {
  const network = new Command('network')
    .description('try pods, Services, names and node ports between every two nodes, and say what is broken and why')
    .option(
      '--kubeconfig <file>',
      "how to reach the cluster (default: KUBECONFIG, or what this machine's server wrote)",
    );
  addOptionFlags(network, serverOptions);
  network.allowExcessArguments(false).action(async (flags: { readonly kubeconfig?: string }) => {
    const config = serverConfig(await readOptions(network, serverOptions), hostname());
    const { createClient, HTTPTransport, loadKubeconfig } = await import('../../../pkg/client/index.ts');
    const { examineNetwork } = await import('../../../pkg/network/index.ts');
    const { PAUSE_IMAGE } = await import('../../../pkg/cri/index.ts');
    const file = flags.kubeconfig ?? process.env['KUBECONFIG'] ?? config.paths.kubeconfig;
    try {
      const transport = new HTTPTransport(await loadKubeconfig(file), { clock: systemClock });
      try {
        const { nodes, checks, findings } = await examineNetwork(
          { clusterDomain: config.clusterDomain, image: PAUSE_IMAGE },
          { client: createClient(transport), clock: systemClock, report: (step) => console.error(step) },
          AbortSignal.timeout(TIMEOUT_MS),
        );
        for (const finding of findings) console.log(finding);
        if (findings.length > 0) setExitCode(1);
        else console.log(`ok: ${checks} checks between ${nodes.length} nodes (${nodes.join(', ')})`);
      } finally {
        await transport.close();
      }
    } catch (error) {
      if (isStatusError(error)) throw new UserError(error.message, { cause: error });
      if (error instanceof KubeconfigError) throw new UserError(error.message, { cause: error });
      throw error;
    }
  });
  return new Command('doctor').description('find out what is broken, and why').addCommand(network);
}
