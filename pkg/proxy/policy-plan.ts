import { createHash } from 'node:crypto';
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import { matchesLabelSelector } from '../api/selector.ts';
import { isPort } from './endpoints.ts';
import { FAMILIES, type Family, familyOf, familyOfCIDR } from './family.ts';
import { DROP, SETS } from './names.ts';
import { type Plan, PlanBuilder } from './plan.ts';
import type { PolicyPod } from './policy-pod.ts';

export type Policy = DeepReadonly<NetworkPolicy>;
type Peer = DeepReadonly<NetworkPolicyPeer>;
type Port = DeepReadonly<NetworkPolicyPort>;

/** What policies are planned from. */
export interface PolicyView {
  podsIn(namespace: string): Iterable<PolicyPod>;
  namespaces(): Iterable<{ readonly name: string; readonly labels: Readonly<Record<string, string>> }>;
}

/** Which way connections go that a rule is about, seen from the pods that the policy selects. */
type Direction = 'ingress' | 'egress';

const PROTOCOLS: Readonly<Record<string, string>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' };
/** Names in nftables end at 255 characters, those of policies and pods at 253. */
const MAX_NAME = 100;

/** A condition in nft's words; without a family it holds for both. '' always holds. */
interface Match {
  readonly family?: Family;
  readonly text: string;
}

const ALWAYS: readonly Match[] = [{ text: '' }];

/**
 * The chains of a policy: each accepts what the policy allows in one direction and returns for everything else. Nothing
 * when the policy selects no pod of this node.
 */
export function planPolicy(policy: Policy, view: PolicyView): Plan {
  const plan = new PlanBuilder();
  const { metadata, spec } = policy;
  const selected = [...view.podsIn(metadata.namespace)].filter((pod) => pod.local && selects(policy, pod));
  if (selected.length === 0) return plan;
  const planner = new RulePlanner(plan, policy, selected, view);
  if (governs(policy, 'ingress')) {
    const rules = (spec.ingress ?? []).map(({ from = [], ports = [] }) => ({ peers: from, ports }));
    plan.chains.set(policyChain(policy, 'ingress'), planner.rules('ingress', rules));
  }
  if (governs(policy, 'egress')) {
    const rules = (spec.egress ?? []).map(({ to = [], ports = [] }) => ({ peers: to, ports }));
    plan.chains.set(policyChain(policy, 'egress'), planner.rules('egress', rules));
  }
  return plan;
}

/** The chains of a pod of this node that `policies` select: what none of them allows is dropped. */
export function planPolicedPod(pod: PolicyPod, policies: readonly Policy[]): Plan {
  const plan = new PlanBuilder();
  for (const direction of ['ingress', 'egress'] as const) {
    const governing = policies.filter((policy) => governs(policy, direction));
    if (governing.length === 0) continue;
    const chain = `${direction}-pod-${idOf(pod.namespace, pod.name)}`;
    const ours = direction === 'ingress' ? 'daddr' : 'saddr';
    const others = direction === 'ingress' ? 'saddr' : 'daddr';
    const rules: string[] = [];
    for (const address of pod.addresses) {
      const family = familyOf(address);
      if (family === undefined) continue;
      // A pod always reaches itself, also by way of a Service.
      rules.push(`${family.nft} ${ours} ${address} ${family.nft} ${others} ${address} accept`);
      const map = direction === 'ingress' ? SETS.policedIngress : SETS.policedEgress;
      plan.element(`${map}${family.suffix}`, address, `goto ${chain}`);
    }
    plan.chains.set(chain, [...rules, ...governing.map((policy) => `jump ${policyChain(policy, direction)}`), DROP]);
  }
  return plan;
}

export function selects({ metadata, spec }: Policy, pod: PolicyPod): boolean {
  return pod.namespace === metadata.namespace && matchesLabelSelector(spec.podSelector ?? {}, pod.labels);
}

/** Whether a change of the pod can change what the policy's plan is. */
export function concerns(policy: Policy, pod: PolicyPod, namespaceLabels: Readonly<Record<string, string>>): boolean {
  if (selects(policy, pod)) return true;
  const { namespace } = policy.metadata;
  const { ingress = [], egress = [] } = policy.spec;
  const peers = [...ingress.flatMap(({ from = [] }) => from), ...egress.flatMap(({ to = [] }) => to)];
  if (peers.some((peer) => isPeer(peer, namespace, pod, namespaceLabels))) return true;
  // Where a named port of all destinations is meant, each pod may have it.
  return egress.some(
    ({ to = [], ports = [] }) => to.length === 0 && ports.some(({ port }) => typeof port === 'string'),
  );
}

export function namesNamespaces({ spec }: Policy): boolean {
  const { ingress = [], egress = [] } = spec;
  const peers = [...ingress.flatMap(({ from = [] }) => from), ...egress.flatMap(({ to = [] }) => to)];
  return peers.some((peer) => peer.namespaceSelector !== undefined);
}

/** Policies from before the field existed govern egress when they have rules for it. */
function governs({ spec }: Policy, direction: Direction): boolean {
  const { policyTypes = [] } = spec;
  if (policyTypes.length === 0) return direction === 'ingress' || (spec.egress ?? []).length > 0;
  return policyTypes.includes(direction === 'ingress' ? 'Ingress' : 'Egress');
}

function isPeer(
  { ipBlock, namespaceSelector, podSelector }: Peer,
  namespace: string,
  pod: PolicyPod,
  namespaceLabels: Readonly<Record<string, string>>,
): boolean {
  if (ipBlock !== undefined) return false;
  const inNamespace =
    namespaceSelector === undefined
      ? pod.namespace === namespace
      : matchesLabelSelector(namespaceSelector, namespaceLabels);
  return inNamespace && matchesLabelSelector(podSelector ?? {}, pod.labels);
}

interface Rule {
  readonly peers: readonly Peer[];
  readonly ports: readonly Port[];
}

/** Turns the rules of one policy into nft's. */
class RulePlanner {
  readonly #plan: PlanBuilder;
  readonly #policy: Policy;
  readonly #id: string;
  readonly #selected: readonly PolicyPod[];
  readonly #view: PolicyView;

  constructor(plan: PlanBuilder, policy: Policy, selected: readonly PolicyPod[], view: PolicyView) {
    this.#plan = plan;
    this.#policy = policy;
    this.#id = idOf(policy.metadata.namespace, policy.metadata.name);
    this.#selected = selected;
    this.#view = view;
  }

  rules(direction: Direction, rules: readonly Rule[]): string[] {
    return rules.flatMap(({ peers, ports }, index) => {
      const name = `${direction}-${this.#id}/${index}`;
      const pods = this.#peerPods(peers);
      const from = peers.length === 0 ? ALWAYS : this.#peerMatches(direction, name, peers, pods);
      const targets = direction === 'ingress' ? this.#selected : peers.length === 0 ? this.#allPods() : pods;
      const to = ports.length === 0 ? ALWAYS : this.#portMatches(name, ports, targets);
      return combined(from, to).map((text) => `${text}accept`);
    });
  }

  #peerPods(peers: readonly Peer[]): PolicyPod[] {
    const { namespace } = this.#policy.metadata;
    const selectors = peers.filter(({ ipBlock }) => ipBlock === undefined);
    if (selectors.length === 0) return [];
    return this.#allPods((pod, labels) => selectors.some((peer) => isPeer(peer, namespace, pod, labels)));
  }

  #allPods(wanted?: (pod: PolicyPod, namespaceLabels: Readonly<Record<string, string>>) => boolean): PolicyPod[] {
    const found: PolicyPod[] = [];
    for (const { name, labels } of this.#view.namespaces()) {
      for (const pod of this.#view.podsIn(name)) if (wanted === undefined || wanted(pod, labels)) found.push(pod);
    }
    return found;
  }

  /** Pods of other peers by a set of addresses, blocks by a match of their own. */
  #peerMatches(direction: Direction, name: string, peers: readonly Peer[], pods: readonly PolicyPod[]): Match[] {
    const side = direction === 'ingress' ? 'saddr' : 'daddr';
    const matches: Match[] = [];
    if (peers.some(({ ipBlock }) => ipBlock === undefined)) {
      for (const family of FAMILIES) {
        const set = `peers${family.suffix}-${name}`;
        this.#plan.sets.set(set, `type ${family.type};`);
        matches.push({ family, text: `${family.nft} ${side} @${set} ` });
      }
      for (const address of pods.flatMap((pod) => pod.addresses)) {
        this.#plan.element(`peers${familyOf(address)?.suffix}-${name}`, address);
      }
    }
    for (const { ipBlock } of peers) {
      const family = ipBlock === undefined ? undefined : familyOfCIDR(ipBlock.cidr);
      if (ipBlock === undefined || family === undefined) continue;
      const except = (ipBlock.except ?? []).filter((cidr) => familyOfCIDR(cidr) === family);
      const parts = [
        `${family.nft} ${side} ${ipBlock.cidr}`,
        ...except.map((cidr) => `${family.nft} ${side} != ${cidr}`),
      ];
      matches.push({ family, text: `${parts.join(' ')} ` });
    }
    return matches;
  }

  /** Numbers by a match, names by what they are for each of the pods that connections go to. */
  #portMatches(name: string, ports: readonly Port[], targets: readonly PolicyPod[]): Match[] {
    return ports.flatMap(({ port, endPort, protocol = 'TCP' }, index): Match[] => {
      const l4proto = PROTOCOLS[protocol];
      if (l4proto === undefined) return [];
      if (port === undefined) return [{ text: `meta l4proto ${l4proto} ` }];
      if (typeof port === 'number') {
        if (!isPort(port)) return [];
        const range = isPort(endPort) && endPort > port ? `${port}-${endPort}` : String(port);
        return [{ text: `meta l4proto ${l4proto} th dport ${range} ` }];
      }
      for (const target of targets) {
        const own = target.ports.filter((candidate) => candidate.name === port && candidate.protocol === protocol);
        for (const address of target.addresses) {
          const set = `ports${familyOf(address)?.suffix}-${name}/${index}`;
          for (const { port: number } of own) this.#plan.element(set, `${address} . ${l4proto} . ${number}`);
        }
      }
      return FAMILIES.map((family) => {
        const set = `ports${family.suffix}-${name}/${index}`;
        this.#plan.sets.set(set, `type ${family.type} . inet_proto . inet_service;`);
        return { family, text: `${family.nft} daddr . meta l4proto . th dport @${set} ` };
      });
    });
  }
}

function combined(left: readonly Match[], right: readonly Match[]): string[] {
  return left.flatMap((a) =>
    right
      .filter((b) => a.family === undefined || b.family === undefined || a.family === b.family)
      .map((b) => `${a.text}${b.text}`),
  );
}

function policyChain({ metadata }: Policy, direction: Direction): string {
  return `${direction}-policy-${idOf(metadata.namespace, metadata.name)}`;
}

function idOf(namespace: string, name: string): string {
  if (name.length <= MAX_NAME) return `${namespace}/${name}`;
  return `${namespace}/${name.slice(0, MAX_NAME)}/${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}
