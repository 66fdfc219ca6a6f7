import type { NodeSelectorTerm } from '../../api/generated/types.ts';
import { matchesNodeSelectorTerm } from '../../api/scheduling/node-selector.ts';
import { toleratedByAny } from '../../api/scheduling/tolerations.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Rejection } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { type Lack, ResourceDemands } from '../plugins/resource-demands.ts';

const MIB = 2 ** 20;
/** Taints that say in what condition a node is. */
const LIFECYCLE = 'node.kubernetes.io/';

/** What would make a pod fit a node that a plugin keeps it off; for every built-in plugin that refuses nodes. */
export function adviceFor(rejection: Rejection, pod: PodInfo, node: NodeInfo): string {
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
      return interPodAffinity(rejection, pod, node);
    case 'PodTopologySpread':
      return topologySpread(pod, node);
    case 'VolumeBinding':
    case 'VolumeZone':
      return 'a volume that can be used on this node, or a storage class whose provisioner makes one here';
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
  const show = (amount: number): string => amountText(resource, amount);
  if (resource === 'pods') return `move a pod away: ${used} of ${allocatable} are there`;
  if (requested > allocatable) {
    return `request at most ${show(allocatable)} of ${resource} (now ${show(requested)}), or use a larger node`;
  }
  const lacking = show(requested - (allocatable - used));
  return `free ${lacking} of ${resource}, or request at most ${show(allocatable - used)} (now ${show(requested)}; ${show(used)} of ${show(allocatable)} are requested by others)`;
}

function amountText(resource: string, amount: number): string {
  if (resource === 'cpu') return amount % 1000 === 0 ? String(amount / 1000) : `${amount}m`;
  if (resource === 'memory' || resource === 'ephemeral-storage') {
    return amount % MIB === 0 ? `${amount / MIB}Mi` : String(amount);
  }
  return String(amount);
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
  const missing = Object.entries(spec.nodeSelector ?? {}).filter(([key, value]) => node.labels[key] !== value);
  const parts: string[] = [];
  if (missing.length > 0) {
    parts.push(
      `kubectl label nodes ${node.name} --overwrite ${missing.map(([key, value]) => `${key}=${value}`).join(' ')}`,
    );
  }
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (terms.length > 0 && !terms.some((term) => matchesNodeSelectorTerm(term, node))) {
    parts.push(`labels for the node so that ${terms.map(termText).join(' or ')}`);
  }
  return parts.join(', and ') || 'see the reason';
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

function interPodAffinity({ reasons }: Rejection, pod: PodInfo, node: NodeInfo): string {
  const [reason = ''] = reasons;
  const keys = (terms: PodInfo['requiredAffinity']): string =>
    [...new Set(terms.map(({ topologyKey }) => topologyKey))].join(', ');
  if (reason.includes('existing pods')) return `delete the pods whose anti-affinity is against pods with these labels`;
  if (reason.includes('anti-affinity'))
    return `delete the pods that the anti-affinity matches in the same ${keys(pod.requiredAntiAffinity)}`;
  const missing = pod.requiredAffinity.filter(({ topologyKey }) => node.labels[topologyKey] === undefined);
  if (missing.length > 0) return `label the node with ${keys(missing)}`;
  return `a pod that the affinity matches in the same ${keys(pod.requiredAffinity)}`;
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
