import { isStatusError } from '../../pkg/api/errors.ts';
import { resources } from '../../pkg/api/generated/resources.ts';
import type { Pod } from '../../pkg/api/generated/types.ts';
import type { DeepReadonly } from '../../pkg/api/object.ts';
import type { Client } from '../../pkg/client/index.ts';

export interface StandInNodeOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly allocatable?: Readonly<Record<string, string>>;
}

const HEARTBEAT_MS = 10_000;
/** How long the processes of a pod take to end. */
const ENDING_MS = 1000;

/**
 * Nodes that nothing runs on: what a kubelet would tell of its node and of its pods is told for them, so that everything but
 * the node itself behaves as in a cluster. Pods are Running at once, and gone a second after their deletion.
 */
export class StandInNodes {
  readonly #client: Client;
  readonly #names: readonly string[];
  readonly #stop = new AbortController();
  readonly #ending = new Set<string>();
  #work: Promise<void>[] = [];
  #heartbeat: NodeJS.Timeout | undefined;

  private constructor(client: Client, names: readonly string[]) {
    this.#client = client;
    this.#names = names;
  }

  static async register(client: Client, nodes: Readonly<Record<string, StandInNodeOptions>>): Promise<StandInNodes> {
    for (const [name, { labels, allocatable }] of Object.entries(nodes)) {
      const amounts = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '50Gi', ...allocatable };
      await client.create(resources.nodes, {
        metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels } },
        spec: {},
        status: { capacity: amounts, allocatable: amounts },
      });
    }
    const stand = new StandInNodes(client, Object.keys(nodes));
    await stand.#beat();
    stand.#heartbeat = setInterval(() => void stand.#beat().catch(() => undefined), HEARTBEAT_MS);
    stand.#work = [stand.#followPods(), stand.#followNodes()].map((work) => work.catch(() => undefined));
    return stand;
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#stop.abort();
    await Promise.all(this.#work);
  }

  async #beat(): Promise<void> {
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: '', lastHeartbeatTime: now };
    for (const name of this.#names) {
      const patch = { status: { conditions: [{ ...ready, lastTransitionTime: now }] } };
      await this.#client.patch(resources.nodes, { name }, 'strategic', patch, { subresource: 'status' });
    }
  }

  /** What is added to a node's capacity can be allocated. */
  async #followNodes(): Promise<void> {
    for await (const { type, object } of this.#client.watch(resources.nodes, {}, this.#stop.signal)) {
      if (type !== 'MODIFIED' && type !== 'ADDED') continue;
      const { capacity = {}, allocatable = {} } = object.status;
      const added = Object.entries(capacity).filter(([name, amount]) => allocatable[name] !== amount);
      if (added.length === 0) continue;
      const patch = { status: { allocatable: Object.fromEntries(added) } };
      const { name } = object.metadata;
      await this.#client.patch(resources.nodes, { name }, 'strategic', patch, { subresource: 'status' });
    }
  }

  async #followPods(): Promise<void> {
    for await (const { type, object: pod } of this.#client.watch(resources.pods, {}, this.#stop.signal)) {
      if (type !== 'ADDED' && type !== 'MODIFIED') continue;
      if (!this.#names.includes(pod.spec.nodeName ?? '')) continue;
      if (pod.metadata.deletionTimestamp !== undefined) this.#end(pod);
      else if (pod.status.phase === 'Pending') await quietly(this.#start(pod));
    }
  }

  async #start(pod: DeepReadonly<Pod>): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const isTrue = (condition: string): object => ({ type: condition, status: 'True', lastTransitionTime: now });
    const patch = {
      metadata: { uid },
      status: {
        phase: 'Running',
        startTime: now,
        conditions: ['Initialized', 'Ready', 'ContainersReady'].map(isTrue),
        containerStatuses: pod.spec.containers.map((container) => ({
          name: container.name,
          image: container.image,
          imageID: '',
          ready: true,
          started: true,
          restartCount: 0,
          state: { running: { startedAt: now } },
        })),
      },
    };
    await this.#client.patch(resources.pods, { namespace, name }, 'strategic', patch, { subresource: 'status' });
  }

  #end({ metadata: { namespace, name, uid } }: DeepReadonly<Pod>): void {
    if (this.#ending.has(uid)) return;
    this.#ending.add(uid);
    setTimeout(() => {
      const options = { gracePeriodSeconds: 0, preconditions: { uid } };
      void quietly(this.#client.delete(resources.pods, { namespace, name }, options));
    }, ENDING_MS);
  }
}

/** Pods may be gone by now. */
async function quietly(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isStatusError(error)) throw error;
  }
}
