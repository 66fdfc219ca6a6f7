import type { NodeSelectorTerm } from '../../api/generated/types.ts';
import { matchesNodeSelectorTerm } from '../../api/scheduling/node-selector.ts';
import { toleratedByAny } from '../../api/scheduling/tolerations.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { type AffinityTerm, termMatches } from '../framework/affinity-term.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Rejection } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { type Lack, ResourceDemands } from '../plugins/resource-demands.ts';

const MIB = 2 ** 20;
/** So many pods are named where several are in the way. */
const NAMED = 3;
/** Taints that say in what condition a node is. */
const LIFECYCLE = 'node.kubernetes.io/';

/** What pods on other nodes have to do with it. */
export interface Surroundings {
  readonly nodes: readonly NodeInfo[];
  /** undefined for a namespace that does not exist. */
  readonly labelsOfNamespace: (namespace: string) => Readonly<Record<string, string>> | undefined;
}

/** What would make a pod fit a node that a plugin keeps it off; for every built-in plugin that refuses nodes. */
export function adviceFor(rejection: Rejection, pod: PodInfo, node: NodeInfo, cluster: Surroundings): string {
  switch (rejection.plugin) {
    case 'NodeResourcesFit':
      return new ResourceDemands(rejection.plugin, pod).lacks(node).map(roomFor).join('; ');
    case 'NodeUnschedulable':
      return `kubectl uncordon ${node.name}`;
    case 'TaintToleration':
      return taints(pod, node);
    case 'NodeAffinity':
      return selection(pod, node);
    case 'NodeName':
      return `create the pod without spec.nodeName, or with ${node.name}`;
    case 'NodePorts':
      return ports(pod, node);
    case 'InterPodAffinity':
      return interPodAffinity(rejection, pod, node, cluster);
    case 'PodTopologySpread':
      return topologySpread(pod, node);
    case 'VolumeBinding':
      return volumes(rejection);
    case 'VolumeZone':
      return 'the pod has to go where its volume is (the zone in the labels of the volume), or use another one';
    case 'VolumeRestrictions':
      return 'delete the pod that uses the volume, or use a volume that several pods can share';
    case 'NodeDeclaredFeatures':
      return 'a node whose kubelet declares the features in its status';
    case 'NodeVolumeLimits':
      return 'move pods with volumes of this driver to another node, or use fewer volumes';
    case 'DynamicResources':
      return devices(rejection);
    default:
      return 'see the reason';
  }
}

/** What would help a pod that is refused without a look at nodes. */
export function adviceForPod({ plugin, reasons }: Rejection): string {
  const [reason = ''] = reasons;
  if (plugin === 'SchedulingGates')
    return 'remove the gates from spec.schedulingGates (whoever set them does, in time)';
  if (plugin === 'DynamicResources') return claims(reason);
  if (plugin === 'NodeAffinity') return 'name a node that exists';
  if (reason.includes('unbound immediate'))
    return 'wait for the claims to be bound; kubectl describe pvc says what they lack';
  if (reason.includes('not found')) return 'create the claim, or name one that exists';
  return 'see the reason';
}

function roomFor({ resource, requested, used, allocatable }: Lack): string {
  const show = (amount: number, round: (mebibytes: number) => number = Math.ceil): string =>
    amountText(resource, amount, round);
  if (resource === 'pods') return `move a pod away: ${used} of ${allocatable} are there`;
  if (allocatable === 0) return `a node that has ${resource}: this one has none`;
  if (requested > allocatable) {
    return `request at most ${show(allocatable, Math.floor)} of ${resource} (now ${show(requested)}), or use a larger node`;
  }
  const left = allocatable - used;
  const less = left > 0 ? `, or request at most ${show(left, Math.floor)}` : '';
  const now = `(now ${show(requested)}; ${show(used)} of ${show(allocatable, Math.floor)} are requested by others)`;
  return `free ${show(requested - left)} of ${resource}${less} ${now}`;
}

/** As one would write it in a pod; bytes in mebibytes, where there are any. */
function amountText(resource: string, amount: number, round: (mebibytes: number) => number): string {
  if (resource === 'cpu') return amount % 1000 === 0 ? String(amount / 1000) : `${amount}m`;
  const isBytes = resource === 'memory' || resource === 'ephemeral-storage';
  return isBytes && amount >= MIB ? `${round(amount / MIB)}Mi` : String(amount);
}

function devices({ reasons: [reason = ''] }: Rejection): string {
  if (reason === 'cannot allocate all claims')
    return 'free devices on this node that the selectors of the claims and of their classes match (kubectl get resourceslices)';
  if (reason.includes('not available on the node'))
    return 'the pod has to go where the devices of its claim are (status.allocation.nodeSelector of the claim)';
  return 'see the reason';
}

function claims(reason: string): string {
  if (reason.includes('could not find')) return 'create the claim that spec.resourceClaims names';
  if (reason.includes('not created yet')) return 'the template that spec.resourceClaims names (kubectl describe pod)';
  if (reason.includes('device class')) return 'create the device class; its driver may not be installed';
  return 'wait: this changes by itself';
}

function volumes({ reasons: [reason = ''] }: Rejection): string {
  if (reason.includes('node affinity'))
    return 'the pod has to go where its volume is (kubectl get pv -o yaml: nodeAffinity), or use another one';
  if (reason.includes('non-existent')) return 'create the volume that the claim is bound to, or make the claim anew';
  if (reason.includes('free storage'))
    return 'a smaller claim, or more room for the storage class (csistoragecapacities)';
  return 'a free volume for this node, or a node that the allowedTopologies of the storage class admit';
}

function taints({ pod }: PodInfo, { name, node }: NodeInfo): string {
  const hard = (node?.spec.taints ?? []).filter(
    (taint) => taint.effect !== 'PreferNoSchedule' && !toleratedByAny(pod.spec.tolerations, taint),
  );
  const advice: string[] = [];
  const others: string[] = [];
  for (const { key, value, effect } of hard) {
    // Controllers set these and take them away again.
    if (key === 'node.kubernetes.io/unschedulable') advice.push(`kubectl uncordon ${name}`);
    else if (key.startsWith(LIFECYCLE))
      advice.push(`the end of ${key.slice(LIFECYCLE.length)} (kubectl describe node ${name})`);
    else others.push(`${key}${value ? `=${value}` : ''}:${effect}`);
  }
  if (others.length > 0) {
    const removals = others.map((text) => `${text}-`).join(' ');
    advice.push(`tolerate ${others.join(', ')}, or kubectl taint nodes ${name} ${removals}`);
  }
  return advice.join(', and ');
}

function selection({ pod: { spec } }: PodInfo, node: NodeInfo): string {
  const wrong = Object.entries(spec.nodeSelector ?? {}).filter(([key, value]) => node.labels[key] !== value);
  const [fixed, missing] = [wrong.filter(([key]) => isFact(key, node)), wrong.filter(([key]) => !isFact(key, node))];
  const parts: string[] = [];
  if (fixed.length > 0) {
    const facts = fixed.map(([key, value]) => `${key}=${value} (of this node it is ${node.labels[key]})`);
    parts.push(`a nodeSelector without ${facts.join(', ')}`);
  }
  if (missing.length > 0) {
    parts.push(
      `kubectl label nodes ${node.name} --overwrite ${missing.map(([key, value]) => `${key}=${value}`).join(' ')}`,
    );
  }
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (terms.length > 0 && !terms.some((term) => matchesNodeSelectorTerm(term, node))) {
    // A node is not renamed: terms that speak of its name can only be changed in the pod.
    const byLabels = terms.filter(({ matchFields = [] }) => matchesNodeSelectorTerm({ matchFields }, node));
    const candidates = byLabels.length > 0 ? byLabels.map(({ matchExpressions }) => ({ matchExpressions })) : terms;
    const wanted = candidates.map(termText).join(' or ');
    parts.push(
      byLabels.length > 0 || !terms.some(({ matchFields = [] }) => matchFields.length > 0)
        ? `labels for the node so that ${wanted}`
        : `a nodeAffinity that allows this node, too (now: ${wanted})`,
    );
  }
  return parts.join(', and ') || 'see the reason';
}

/** What a label says of a node that nobody should change for a pod: its name, what machine it is and where. */
function isFact(key: string, node: NodeInfo): boolean {
  const [domain = '', name] = key.split('/');
  return name !== undefined && /(^|\.)kubernetes\.io$/.test(domain) && node.labels[key] !== undefined;
}

function termText({ matchExpressions = [], matchFields = [] }: DeepReadonly<NodeSelectorTerm>): string {
  const texts = [...matchExpressions, ...matchFields].map(({ key, operator, values = [] }) =>
    [key, operator, values.length === 0 ? '' : `(${values.join(', ')})`].filter((part) => part !== '').join(' '),
  );
  return texts.join(' and ') || 'nothing (an empty term matches no node)';
}

function ports({ hostPorts }: PodInfo, node: NodeInfo): string {
  const wanted = hostPorts.filter((port) => node.portTaken(port));
  const holders = [...node.pods.values()].filter((other) =>
    other.hostPorts.some((used) =>
      wanted.some(({ port, protocol }) => port === used.port && protocol === used.protocol),
    ),
  );
  const texts = wanted.map(({ port, protocol }) => `${port}/${protocol}`).join(', ');
  return `another host port than ${texts}, or delete ${holders.map(nameOf).join(', ')}`;
}

function interPodAffinity({ reasons }: Rejection, pod: PodInfo, node: NodeInfo, cluster: Surroundings): string {
  const [reason = ''] = reasons;
  const keys = (terms: PodInfo['requiredAffinity']): string =>
    [...new Set(terms.map(({ topologyKey }) => topologyKey))].join(', ');
  const matches = (term: AffinityTerm, other: PodInfo): boolean =>
    termMatches(term, other.pod, cluster.labelsOfNamespace);
  if (reason.includes('existing pods')) {
    const holders = podsNear(node, cluster, (other, isNear) =>
      other.requiredAntiAffinity.some((term) => isNear(term) && matches(term, pod)),
    );
    return `delete ${holders}, whose anti-affinity is against pods with these labels`;
  }
  if (reason.includes('anti-affinity')) {
    const holders = podsNear(node, cluster, (other, isNear) =>
      pod.requiredAntiAffinity.some((term) => isNear(term) && matches(term, other)),
    );
    return `delete ${holders}, which the anti-affinity matches in the same ${keys(pod.requiredAntiAffinity)}`;
  }
  const missing = pod.requiredAffinity.filter(({ topologyKey }) => node.labels[topologyKey] === undefined);
  if (missing.length > 0) return `label the node with ${keys(missing)}`;
  return `a pod that the affinity matches in the same ${keys(pod.requiredAffinity)}`;
}

/** The names of some pods that `is` picks; `isNear` says whether a term reaches from them to `node`. */
function podsNear(
  node: NodeInfo,
  { nodes }: Surroundings,
  is: (other: PodInfo, isNear: (term: AffinityTerm) => boolean) => boolean,
): string {
  const found = nodes.flatMap((place) => {
    const isNear = ({ topologyKey }: AffinityTerm): boolean =>
      node.labels[topologyKey] !== undefined && place.labels[topologyKey] === node.labels[topologyKey];
    return [...place.pods.values()].filter((other) => is(other, isNear));
  });
  const more = found.length > NAMED ? ` and ${found.length - NAMED} more` : '';
  return `${found.slice(0, NAMED).map(nameOf).join(', ')}${more}`;
}

function topologySpread({ pod }: PodInfo, node: NodeInfo): string {
  const hard = (pod.spec.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule',
  );
  const missing = hard.filter(({ topologyKey }) => node.labels[topologyKey] === undefined);
  if (missing.length > 0) return `label the node with ${missing.map(({ topologyKey }) => topologyKey).join(', ')}`;
  return `more matching pods elsewhere first, or a larger maxSkew (${hard.map(({ topologyKey, maxSkew }) => `${topologyKey}: ${maxSkew}`).join(', ')})`;
}

function nameOf({ pod: { metadata } }: PodInfo): string {
  return `${metadata.namespace}/${metadata.name}`;
}
