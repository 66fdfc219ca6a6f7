import { access } from 'node:fs/promises';
import { resources } from '../api/generated/resources.ts';
import { systemClock } from '../base/clock.ts';
import { describeError, errnoCode } from '../base/errors.ts';
import { createClient, HTTPTransport, loadKubeconfig } from '../client/index.ts';

/**
 * `Ready`, or in words what the node is waiting for. A node that was Ready before a restart does not count until all parts of the
 * process run again (`readyFile`).
 */
export async function nodeReadiness(readyFile: string, kubeconfig: string, nodeName: string): Promise<string> {
  let transport: HTTPTransport | undefined;
  try {
    await access(readyFile);
    transport = new HTTPTransport(await loadKubeconfig(kubeconfig), { clock: systemClock });
    const node = await createClient(transport).get(resources.nodes, { name: nodeName }, AbortSignal.timeout(5000));
    const ready = node.status.conditions?.find((condition) => condition.type === 'Ready');
    if (ready?.status === 'True') return 'Ready';
    return ready === undefined
      ? 'the kubelet has not reported yet'
      : `${ready.reason ?? 'NotReady'}: ${ready.message ?? ''}`;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return 'the server is starting';
    return describeError(error);
  } finally {
    await transport?.close();
  }
}
