import { resources } from '../api/generated/resources.ts';
import type { Namespace, NetworkPolicy, Pod } from '../api/generated/types.ts';
import { type DeepReadonly, keyOf } from '../api/object.ts';
import { equalJSON } from '../base/json.ts';
import type { Informer, Informers } from '../client/client.ts';
import type { Plan } from './plan.ts';
import { concerns, namesNamespaces, type Policy, planPolicedPod, planPolicy, selects } from './policy-plan.ts';
import { type PolicyPod, policyPodOf } from './policy-pod.ts';

export interface PolicyTrackerDeps {
  readonly informers: Informers;
  /** There are plans to take. */
  readonly changed: () => void;
}

/** What is planned anew: a policy, or a pod of this node. */
type Owner = `policy/${string}` | `policed/${string}`;

/**
 * Follows network policies, and the pods of the cluster as long as there are policies, and says whose plans have changed.
 * A cluster without policies costs nothing but their empty list.
 */
export class PolicyTracker {
  readonly #nodeName: string;
  readonly #deps: PolicyTrackerDeps;
  readonly #policies: Informer<NetworkPolicy>;
  readonly #namespaces: Informer<Namespace>;
  /** Followed once there is a policy. */
  #pods: Informer<Pod> | undefined;
  #removals: (() => void)[] = [];
  #signal: AbortSignal | undefined;
  /** By key, by namespace. */
  readonly #known = new Map<string, Map<string, PolicyPod>>();
  /** Addresses by uid of the pods of this node, from the kubelet. */
  readonly #assigned = new Map<string, readonly string[]>();
  readonly #dirty = new Set<Owner>();

  constructor(nodeName: string, deps: PolicyTrackerDeps) {
    this.#nodeName = nodeName;
    this.#deps = deps;
    this.#policies = deps.informers.for(resources.networkpolicies);
    this.#namespaces = deps.informers.for(resources.namespaces);
  }

  /** Resolves when all that is needed for the plans has been listed. */
  async synced(signal: AbortSignal): Promise<void> {
    await this.#policies.synced(signal);
    await this.#namespaces.synced(signal);
    await this.#pods?.synced(signal);
  }

  /** Begins to follow, until `signal` aborts; returns the removal of its handlers. */
  follow(signal: AbortSignal): () => void {
    this.#signal = signal;
    const policy = (object: Policy): void => this.#policyChanged(object);
    const namespace = (object: DeepReadonly<Namespace>): void => this.#namespaceChanged(object);
    this.#removals.push(
      this.#policies.addHandler({ onAdd: policy, onUpdate: policy, onDelete: policy }),
      this.#namespaces.addHandler({
        onAdd: namespace,
        onDelete: namespace,
        onUpdate: (object, old) => {
          if (!equalJSON(object.metadata.labels ?? {}, old.metadata.labels ?? {})) namespace(object);
        },
      }),
    );
    return () => {
      for (const remove of this.#removals.splice(0)) remove();
    };
  }

  /** The kubelet has got `addresses` for a pod of this node, whose status does not have them yet. */
  assign(pod: DeepReadonly<Pod>, addresses: readonly string[]): void {
    this.#assigned.set(pod.metadata.uid, addresses);
    this.#setPod(pod);
  }

  /** A pod of this node is gone. */
  forget(pod: DeepReadonly<Pod>): void {
    this.#assigned.delete(pod.metadata.uid);
    this.#replace(keyOf(pod), undefined);
  }

  /** The plans that have changed since the last time, all of one moment. */
  take(): [owner: string, plan: Plan | undefined][] {
    if (this.#dirty.size === 0 || this.#pods?.hasSynced === false) return [];
    const owners = [...this.#dirty];
    this.#dirty.clear();
    const policies = [...this.#policies.lister.list()];
    return owners.map((owner) => [
      owner,
      owner.startsWith('policy/') ? this.#planPolicy(owner) : this.#planPod(owner, policies),
    ]);
  }

  #planPolicy(owner: Owner): Plan | undefined {
    const policy = this.#policies.lister.get(owner.slice('policy/'.length));
    if (policy === undefined) return undefined;
    const namespaces = [...this.#namespaces.lister.list()].map(({ metadata }) => ({
      name: metadata.name,
      labels: metadata.labels ?? {},
    }));
    return planPolicy(policy, { podsIn: (name) => this.#podsIn(name), namespaces: () => namespaces });
  }

  #planPod(owner: Owner, policies: readonly Policy[]): Plan | undefined {
    const key = owner.slice('policed/'.length);
    const pod = this.#known.get(namespaceOf(key))?.get(key);
    if (pod === undefined) return undefined;
    return planPolicedPod(
      pod,
      policies.filter((policy) => selects(policy, pod)),
    );
  }

  #podsIn(namespace: string): Iterable<PolicyPod> {
    return this.#known.get(namespace)?.values() ?? [];
  }

  #policyChanged(policy: Policy): void {
    this.#followPods();
    this.#dirty.add(`policy/${keyOf(policy)}`);
    // Which pods it selected before may differ: all of its namespace are looked at.
    for (const pod of this.#podsIn(policy.metadata.namespace)) this.#touchPod(pod);
    this.#deps.changed();
  }

  #touchPod(pod: PolicyPod): void {
    if (pod.local) this.#dirty.add(`policed/${pod.namespace}/${pod.name}`);
  }

  #followPods(): void {
    if (this.#pods !== undefined) return;
    this.#pods = this.#deps.informers.for(resources.pods);
    const changed = (pod: DeepReadonly<Pod>): void => this.#setPod(pod);
    this.#removals.push(
      this.#pods.addHandler({
        onAdd: changed,
        onUpdate: changed,
        onDelete: (pod) => this.#replace(keyOf(pod), undefined),
      }),
    );
    // What waited for the list can be planned now; an end before that needs nothing.
    if (this.#signal !== undefined) this.#pods.synced(this.#signal).then(this.#deps.changed, () => {});
  }

  #setPod(pod: DeepReadonly<Pod>): void {
    const next = policyPodOf(pod, this.#nodeName, this.#assigned.get(pod.metadata.uid));
    this.#replace(keyOf(pod), next);
  }

  #replace(key: string, next: PolicyPod | undefined): void {
    const namespace = namespaceOf(key);
    const pods = this.#known.get(namespace) ?? new Map<string, PolicyPod>();
    const old = pods.get(key);
    if (equalJSON(old, next)) return;
    if (next !== undefined) pods.set(key, next);
    else pods.delete(key);
    if (pods.size === 0) this.#known.delete(namespace);
    else this.#known.set(namespace, pods);
    const labels = this.#namespaces.lister.get(namespace)?.metadata.labels ?? {};
    for (const policy of this.#policies.lister.list()) {
      if ([old, next].some((pod) => pod !== undefined && concerns(policy, pod, labels)))
        this.#dirty.add(`policy/${keyOf(policy)}`);
    }
    if (old?.local === true || next?.local === true) this.#dirty.add(`policed/${key}`);
    if (this.#dirty.size > 0) this.#deps.changed();
  }

  #namespaceChanged(namespace: DeepReadonly<Namespace>): void {
    for (const policy of this.#policies.lister.list()) {
      const own = policy.metadata.namespace === namespace.metadata.name;
      if (own || namesNamespaces(policy)) this.#dirty.add(`policy/${keyOf(policy)}`);
    }
    if (this.#dirty.size > 0) this.#deps.changed();
  }
}

function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
