import type { Node, Pod } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { ExtenderConfiguration, ExtenderTLS } from '../config/configuration.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import type { Candidate } from '../preemption/victims.ts';

/** POSTs JSON and returns the JSON answered; rejects on any status but 200. */
export type ExtenderTransport = (
  url: string,
  body: unknown,
  options: { readonly timeoutMs: number; readonly tls: ExtenderTLS | undefined },
) => Promise<unknown>;

export class ExtenderError extends Error {
  override readonly name = 'ExtenderError';
}

/** What an extender says to nodes: which may stay, and why others may not. */
export interface ExtenderFilterResult {
  readonly feasible: readonly NodeInfo[];
  /** Node name -> reason; preemption might help. */
  readonly failed: ReadonlyMap<string, string>;
  /** Node name -> reason; nothing helps. */
  readonly failedAndUnresolvable: ReadonlyMap<string, string>;
}

interface FilterAnswer {
  readonly Nodes?: { readonly items?: readonly DeepReadonly<Node>[] } | null;
  readonly NodeNames?: readonly string[] | null;
  readonly FailedNodes?: Readonly<Record<string, string>> | null;
  readonly FailedAndUnresolvableNodes?: Readonly<Record<string, string>> | null;
  readonly Error?: string;
}

interface VictimsAnswer {
  readonly NodeNameToMetaVictims?: Readonly<
    Record<string, { readonly Pods?: readonly { readonly UID: string }[] | null; readonly NumPDBViolations?: number }>
  > | null;
}

/** One webhook that takes part in scheduling. Wire form: k8s.io/kube-scheduler/extender/v1. */
export class Extender {
  readonly config: ExtenderConfiguration;
  readonly #post: ExtenderTransport;

  constructor(config: ExtenderConfiguration, post: ExtenderTransport) {
    this.config = config;
    this.#post = post;
  }

  /** Without managed resources it has a say in every pod, else in those that ask for one of them. */
  isInterested({ requests }: PodInfo): boolean {
    const { managedResources } = this.config;
    return managedResources.length === 0 || managedResources.some(({ name }) => requests.has(name));
  }

  async filter(pod: PodInfo, nodes: readonly NodeInfo[]): Promise<ExtenderFilterResult> {
    const answer = (await this.#call(this.config.filterVerb, this.#args(pod, nodes))) as FilterAnswer;
    if (answer.Error) throw new ExtenderError(answer.Error);
    const names = answer.NodeNames ?? answer.Nodes?.items?.map(({ metadata }) => metadata.name);
    const byName = new Map(nodes.map((node) => [node.name, node]));
    const feasible = (names ?? []).map((name) => {
      const node = byName.get(name);
      if (node === undefined)
        throw new ExtenderError(
          `extender ${this.config.urlPrefix} claims a filtered node "${name}" which is not found in the input node list`,
        );
      return node;
    });
    return {
      feasible: names === undefined ? nodes : feasible,
      failed: new Map(Object.entries(answer.FailedNodes ?? {})),
      failedAndUnresolvable: new Map(Object.entries(answer.FailedAndUnresolvableNodes ?? {})),
    };
  }

  /** Scores 0..10 by node name. */
  async prioritize(pod: PodInfo, nodes: readonly NodeInfo[]): Promise<ReadonlyMap<string, number>> {
    const answer = (await this.#call(this.config.prioritizeVerb, this.#args(pod, nodes))) as
      | readonly { readonly Host: string; readonly Score: number }[]
      | null;
    return new Map((answer ?? []).map(({ Host, Score }) => [Host, Score]));
  }

  async narrowPreemption(pod: PodInfo, candidates: readonly Candidate[]): Promise<readonly Candidate[]> {
    const victims = Object.fromEntries(
      candidates.map((candidate) => [
        candidate.node,
        { Pods: candidate.victims.map(({ uid }) => ({ UID: uid })), NumPDBViolations: candidate.violations },
      ]),
    );
    const body = { Pod: pod.pod, NodeNameToMetaVictims: victims };
    const answer = (await this.#call(this.config.preemptVerb, body)) as VictimsAnswer;
    return Object.entries(answer.NodeNameToMetaVictims ?? {}).flatMap(([node, { Pods, NumPDBViolations = 0 }]) => {
      const known = candidates.find((candidate) => candidate.node === node);
      const uids = new Set((Pods ?? []).map(({ UID }) => UID));
      const left = known?.victims.filter(({ uid }) => uids.has(uid)) ?? [];
      if (left.length > 0) return [{ node, victims: left, violations: NumPDBViolations }];
      if (this.config.ignorable) return [];
      throw new ExtenderError(`expected at least one victim pod on node "${node}"`);
    });
  }

  async bind(pod: DeepReadonly<Pod>, node: string): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    const body = { PodName: name, PodNamespace: namespace, PodUID: uid, Node: node };
    const answer = (await this.#call(this.config.bindVerb, body)) as { readonly Error?: string };
    if (answer.Error) throw new ExtenderError(answer.Error);
  }

  #args(pod: PodInfo, nodes: readonly NodeInfo[]): object {
    return this.config.nodeCacheCapable
      ? { Pod: pod.pod, Nodes: null, NodeNames: nodes.map(({ name }) => name) }
      : { Pod: pod.pod, Nodes: { items: nodes.map(({ node }) => node) }, NodeNames: null };
  }

  async #call(verb: string | undefined, body: unknown): Promise<unknown> {
    const { urlPrefix, httpTimeoutMs, tls } = this.config;
    const url = `${urlPrefix.replace(/\/+$/, '')}/${verb ?? ''}`;
    try {
      return await this.#post(url, body, { timeoutMs: httpTimeoutMs, tls });
    } catch (error) {
      throw new ExtenderError(`failed at ${url}`, { cause: error });
    }
  }
}
