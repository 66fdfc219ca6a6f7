import type { DaemonSet, Node, NodeSelectorTerm, PodTemplateSpec, Toleration } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { podMatchesNode } from '../../api/scheduling/node-selector.ts';
import { untoleratedTaint } from '../../api/scheduling/tolerations.ts';
import type { ReadPod } from '../pod-status.ts';
import { POD_REVISION_LABEL } from '../revision-history.ts';

export type ReadDaemonSet = DeepReadonly<DaemonSet>;
export type ReadNode = DeepReadonly<Node>;
type Template = DeepReadonly<PodTemplateSpec>;

export const GENERATION_LABEL = 'pod-template-generation';
const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation';
const NODE_NAME_FIELD = 'metadata.name';

/** Conditions of a node that daemons live with. */
const NO_EXECUTE = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
const NO_SCHEDULE = [
  'node.kubernetes.io/disk-pressure',
  'node.kubernetes.io/memory-pressure',
  'node.kubernetes.io/pid-pressure',
  'node.kubernetes.io/unschedulable',
];
const NETWORK_UNAVAILABLE = 'node.kubernetes.io/network-unavailable';

/** Whether a daemon is to be started on a node, and whether one that is there may stay. */
export interface Placement {
  readonly shouldRun: boolean;
  readonly mayStay: boolean;
}

const NEVER: Placement = { shouldRun: false, mayStay: false };

/** Upstream: NodeShouldRunDaemonPod. */
export function placementOn(set: ReadDaemonSet, node: ReadNode): Placement {
  const spec = set.spec.template.spec;
  if (spec?.nodeName && spec.nodeName !== node.metadata.name) return NEVER;
  const selectable = { name: node.metadata.name, labels: node.metadata.labels ?? {} };
  if (spec !== undefined && !podMatchesNode(spec, selectable)) return NEVER;
  const tolerations = daemonTolerations(spec?.tolerations, spec?.hostNetwork === true);
  const taints = node.spec?.taints;
  if (untoleratedTaint(taints, tolerations, ['NoSchedule', 'NoExecute']) === undefined) {
    return { shouldRun: true, mayStay: true };
  }
  return { shouldRun: false, mayStay: untoleratedTaint(taints, tolerations, ['NoExecute']) === undefined };
}

/** The tolerations of a daemon: its own and those for conditions of the node. */
export function daemonTolerations(
  own: readonly DeepReadonly<Toleration>[] | undefined,
  hostNetwork: boolean,
): readonly DeepReadonly<Toleration>[] {
  const all = [...(own ?? [])];
  const keys = [...NO_SCHEDULE, ...(hostNetwork ? [NETWORK_UNAVAILABLE] : [])];
  const wanted = [
    ...NO_EXECUTE.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute' })),
    ...keys.map((key) => ({ key, operator: 'Exists', effect: 'NoSchedule' })),
  ];
  for (const toleration of wanted) {
    const at = all.findIndex((other) => isSame(other, toleration));
    if (at < 0) all.push(toleration);
    else all[at] = toleration;
  }
  return all;
}

function isSame(a: DeepReadonly<Toleration>, b: DeepReadonly<Toleration>): boolean {
  return a.key === b.key && a.effect === b.effect && a.operator === b.operator && (a.value ?? '') === (b.value ?? '');
}

/** How often the template has changed, as the API server counts it. */
export function templateGeneration(set: ReadDaemonSet): string | undefined {
  return set.metadata.annotations?.[GENERATION_ANNOTATION];
}

/** The template of a daemon's pod, before it is pinned to a node. */
export function daemonTemplate(set: ReadDaemonSet, hash: string): Template {
  const { template } = set.spec;
  const generation = templateGeneration(set);
  const labels = {
    ...template.metadata?.labels,
    ...(generation === undefined ? {} : { [GENERATION_LABEL]: generation }),
    ...(hash === '' ? {} : { [POD_REVISION_LABEL]: hash }),
  };
  const metadata = { ...template.metadata, labels };
  if (template.spec === undefined) return { ...template, metadata };
  const tolerations = daemonTolerations(template.spec.tolerations, template.spec.hostNetwork === true);
  return { ...template, metadata, spec: { ...template.spec, tolerations } };
}

/** The template for one node: the scheduler can bind its pod to that node only. */
export function pinnedTo(template: Template, nodeName: string): Template {
  const { spec } = template;
  if (spec === undefined) return template;
  const term: NodeSelectorTerm = { matchFields: [{ key: NODE_NAME_FIELD, operator: 'In', values: [nodeName] }] };
  const nodeAffinity = {
    ...spec.affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
  };
  return { ...template, spec: { ...spec, affinity: { ...spec.affinity, nodeAffinity } } };
}

/** The node that a pod runs on or is pinned to. */
export function targetNode(pod: ReadPod): string | undefined {
  if (pod.spec.nodeName) return pod.spec.nodeName;
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const term of required?.nodeSelectorTerms ?? []) {
    for (const { key, operator, values } of term.matchFields ?? []) {
      if (key === NODE_NAME_FIELD && operator === 'In' && values?.length === 1) return values[0];
    }
  }
  return undefined;
}

/** Made from the present template. */
export function isUpdated(pod: ReadPod, set: ReadDaemonSet, hash: string): boolean {
  const { labels } = pod.metadata;
  const generation = templateGeneration(set);
  if (generation !== undefined && labels?.[GENERATION_LABEL] === generation) return true;
  return hash !== '' && labels?.[POD_REVISION_LABEL] === hash;
}
