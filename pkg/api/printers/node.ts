import type { Node } from '../generated/types.ts';
import { age, ageColumn, definePrinter, nameColumn, type Printable, text, wide } from './printer.ts';

type NodeInfo = NonNullable<Printable<Node>['status']>['nodeInfo'] | undefined;

const rolePrefix = 'node-role.kubernetes.io/';

export const nodePrinter = definePrinter<Node>(
  [
    nameColumn,
    text('Status', 'Whether the node is ready and takes new pods.'),
    text('Roles', 'The roles of the node, from its labels.'),
    ageColumn,
    text('Version', 'The version of the kubelet.'),
    wide('Internal-IP', 'The address of the node inside the cluster.'),
    wide('External-IP', 'The address of the node for the outside.'),
    wide('OS-Image', 'The operating system as it names itself.'),
    wide('Kernel-Version', 'The version of the kernel.'),
    wide('Container-Runtime', 'The container runtime and its version.'),
  ],
  (node, nowMs) => {
    const info = node.status?.nodeInfo;
    return [
      node.metadata.name,
      nodeStatus(node),
      nodeRoles(node.metadata.labels),
      age(node, nowMs),
      info?.kubeletVersion ?? '',
      address(node, 'InternalIP'),
      address(node, 'ExternalIP'),
      info?.osImage || '<unknown>',
      kernel(info),
      info?.containerRuntimeVersion || '<unknown>',
    ];
  },
);

/** With the architecture that it runs on, where that is known. */
function kernel(info: NodeInfo): string {
  const version = info?.kernelVersion || '<unknown>';
  return info?.architecture ? `${version} (${info.architecture})` : version;
}

function nodeStatus(node: Printable<Node>): string {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  const status = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec?.unschedulable === true ? `${status},SchedulingDisabled` : status;
}

function nodeRoles(labels: Readonly<Record<string, string>> | undefined): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) roles.add(key.slice(rolePrefix.length));
    else if (key === 'kubernetes.io/role' && value !== '') roles.add(value);
  }
  return roles.size === 0 ? '<none>' : [...roles].sort().join(',');
}

function address(node: Printable<Node>, type: string): string {
  return node.status?.addresses?.find((candidate) => candidate.type === type)?.address ?? '<none>';
}
