import { parseFacts } from '../descriptor.ts';
import { containerdEventFacts } from '../facts/containerd-events.ts';
import { GrpcConnection } from '../grpc.ts';
import type { ContainerEvent } from '../types.ts';

/** containerd's namespace for everything that CRI makes. */
export const CRI_NAMESPACE = 'k8s.io';

const TOPICS: Readonly<Record<string, { message: string; type: ContainerEvent['type'] }>> = {
  '/tasks/delete': { message: 'TaskDelete', type: 'stopped' },
  '/tasks/oom': { message: 'TaskOOM', type: 'oom' },
};

/**
 * Container events of a containerd whose CRI plugin has no event stream (before 1.7): its own event service tells of tasks.
 * `/tasks/delete` is what the CRI plugin itself causes when it has seen an exit, so its state is, or is about to be, current.
 */
export async function* containerdEvents(
  endpoint: string,
  signal: AbortSignal,
  connected?: () => void,
): AsyncIterable<ContainerEvent> {
  const descriptor = parseFacts('containerd.services.events.v1', containerdEventFacts);
  const connection = new GrpcConnection(endpoint, { 'containerd-namespace': CRI_NAMESPACE });
  try {
    const filters = Object.keys(TOPICS).map((topic) => `namespace==${CRI_NAMESPACE},topic=="${topic}"`);
    connected?.();
    for await (const message of connection.stream(descriptor.method('Events', 'Subscribe'), { filters }, signal)) {
      const { topic, event } = message as { topic: string; event: { value: Uint8Array } | null };
      const known = TOPICS[topic];
      if (known === undefined || event === null) continue;
      const decoded = descriptor.message(known.message).decode(event.value) as unknown as {
        containerId: string;
        id?: string;
      };
      // A delete with another id is that of a process that was executed in the container.
      if (decoded.id !== undefined && decoded.id !== '' && decoded.id !== decoded.containerId) continue;
      yield { containerId: decoded.containerId, type: known.type };
    }
  } finally {
    connection.close();
  }
}
