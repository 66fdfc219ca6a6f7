import { systemClock } from '../../pkg/base/clock.ts';
import { createClient, HTTPTransport, loadKubeconfig } from '../../pkg/client/index.ts';
import { createRequest, newKeyPEM, subjectName } from '../../pkg/pki/issue.ts';
import { runCommand } from '../e2e/cluster.ts';
import { Connection } from '../recordings/connection.ts';
import type { Target } from './player.ts';

/** A cluster to play against, by its administrator's kubeconfig. `nodes` are in the order of node-1, node-2. */
export async function connect(
  kubeconfig: string,
  nodes: readonly string[],
  hook: Target['hook'] = (name) => Promise.reject(new Error(`nobody here can do ${name}`)),
): Promise<Target & { close(): Promise<void> }> {
  const transport = new HTTPTransport(await loadKubeconfig(kubeconfig), { clock: systemClock });
  const connection = await Connection.fromKubeconfig(kubeconfig);
  return {
    client: createClient(transport),
    connection,
    nodes,
    certificateRequest: btoa(
      await createRequest({
        subject: subjectName('system:node:bx', ['system:nodes']),
        alternativeNames: [],
        keyPEM: newKeyPEM(),
      }),
    ),
    hook,
    kubectl: (args) => runCommand('kubectl', ['--kubeconfig', kubeconfig, ...args]),
    close: async () => {
      connection.close();
      await transport.close();
    },
  };
}
