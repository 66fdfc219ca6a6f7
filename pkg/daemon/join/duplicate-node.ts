import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Client } from '../../client/index.ts';
import { ConfigError } from '../../config/index.ts';

/** A node's lease is renewed every ten seconds. */
const LOOK_MS = 25_000;
const LOOK_EVERY_MS = 1_000;

export interface ThisMachine {
  readonly nodeName: string;
  readonly nodeIPs: readonly string[];
}

/**
 * Makes sure that no other machine runs a node of this name: when the Node object has other addresses, its lease must not be
 * renewed by anybody while we look. A machine with a new address, or installed anew, passes, and so does one whose server
 * does not answer: it has joined before. Throws ConfigError.
 */
export async function refuseDuplicateNode(
  client: Client,
  machine: ThisMachine,
  deps: { readonly clock: Clock; readonly logger: Logger; readonly signal: AbortSignal },
): Promise<void> {
  try {
    await lookForDuplicate(client, machine, deps);
  } catch (error) {
    if (error instanceof ConfigError || isStatusError(error)) throw error;
    deps.signal.throwIfAborted();
    deps.logger.warn({ err: error }, 'cannot look whether another machine has the name of this node');
  }
}

async function lookForDuplicate(
  client: Client,
  { nodeName, nodeIPs }: ThisMachine,
  deps: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const node = await present(client.get(resources.nodes, { name: nodeName }, deps.signal));
  const addresses = (node?.status?.addresses ?? []).filter(({ type }) => type === 'InternalIP');
  if (addresses.length === 0 || addresses.some(({ address }) => nodeIPs.includes(address))) return;
  const key = { namespace: 'kube-node-lease', name: nodeName };
  const first = await present(client.get(resources.leases, key, deps.signal));
  const renewed = first?.spec?.renewTime;
  if (renewed === undefined || Date.parse(renewed) < deps.clock.now() - 2 * LOOK_MS) return;
  for (let waited = 0; waited < LOOK_MS; waited += LOOK_EVERY_MS) {
    await deps.clock.sleep(LOOK_EVERY_MS, deps.signal);
    deps.signal.throwIfAborted();
    const lease = await present(client.get(resources.leases, key, deps.signal));
    if (lease?.spec?.renewTime === renewed) continue;
    const where = addresses.map(({ address }) => address).join(', ');
    throw new ConfigError(
      `node ${nodeName} is another machine of this cluster, at ${where}, and it is running; choose another --node-name`,
    );
  }
}

async function present<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}
