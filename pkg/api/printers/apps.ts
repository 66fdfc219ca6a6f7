import type { ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../generated/types.ts';
import { parseAPIVersion } from '../object.ts';
import { containerCells, formatLabels, formatSelector } from './format.ts';
import { age, ageColumn, definePrinter, integer, nameColumn, type PrinterTable, text, wide } from './printer.ts';

const containersColumn = wide('Containers', 'The names of the containers.');
const imagesColumn = wide('Images', 'The images of the containers.');
const selectorColumn = wide('Selector', 'The labels of its pods.');

export const deploymentPrinter = definePrinter<Deployment>(
  [
    nameColumn,
    text('Ready', 'How many of the desired pods are ready.'),
    text('Up-to-date', 'How many pods run the current template.'),
    text('Available', 'How many pods have been ready for long enough.'),
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
  (deployment, nowMs) => [
    deployment.metadata.name,
    `${deployment.status?.readyReplicas ?? 0}/${deployment.spec?.replicas ?? 0}`,
    deployment.status?.updatedReplicas ?? 0,
    deployment.status?.availableReplicas ?? 0,
    age(deployment, nowMs),
    ...containerCells(deployment.spec?.template?.spec?.containers),
    formatSelector(deployment.spec?.selector),
  ],
);

const replicaSetPrinter = definePrinter<ReplicaSet>(
  [
    nameColumn,
    integer('Desired', 'How many pods there should be.'),
    integer('Current', 'How many pods there are.'),
    integer('Ready', 'How many pods are ready.'),
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
  (replicaSet, nowMs) => [
    replicaSet.metadata.name,
    replicaSet.spec?.replicas ?? 0,
    replicaSet.status?.replicas ?? 0,
    replicaSet.status?.readyReplicas ?? 0,
    age(replicaSet, nowMs),
    ...containerCells(replicaSet.spec?.template?.spec?.containers),
    formatSelector(replicaSet.spec?.selector),
  ],
);

const statefulSetPrinter = definePrinter<StatefulSet>(
  [nameColumn, text('Ready', 'How many of the desired pods are ready.'), ageColumn, containersColumn, imagesColumn],
  (statefulSet, nowMs) => [
    statefulSet.metadata.name,
    `${statefulSet.status?.readyReplicas ?? 0}/${statefulSet.spec?.replicas ?? 0}`,
    age(statefulSet, nowMs),
    ...containerCells(statefulSet.spec?.template?.spec?.containers),
  ],
);

const daemonSetPrinter = definePrinter<DaemonSet>(
  [
    nameColumn,
    integer('Desired', 'How many nodes should run a pod of it.'),
    integer('Current', 'How many nodes run one as they should.'),
    integer('Ready', 'How many nodes run one that is ready.'),
    integer('Up-to-date', 'How many nodes run the current template.'),
    integer('Available', 'How many nodes run one that has been ready for long enough.'),
    text('Node Selector', 'The labels of the nodes that it is for.'),
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
  (daemonSet, nowMs) => [
    daemonSet.metadata.name,
    daemonSet.status?.desiredNumberScheduled ?? 0,
    daemonSet.status?.currentNumberScheduled ?? 0,
    daemonSet.status?.numberReady ?? 0,
    daemonSet.status?.updatedNumberScheduled ?? 0,
    daemonSet.status?.numberAvailable ?? 0,
    formatLabels(daemonSet.spec?.template?.spec?.nodeSelector),
    age(daemonSet, nowMs),
    ...containerCells(daemonSet.spec?.template?.spec?.containers),
    formatSelector(daemonSet.spec?.selector),
  ],
);

const controllerRevisionPrinter = definePrinter<ControllerRevision>(
  [
    nameColumn,
    text('Controller', 'The workload that the revision belongs to.'),
    text('Revision', 'The number of the revision.'),
    ageColumn,
  ],
  (revision, nowMs) => {
    const owner = revision.metadata.ownerReferences?.find((reference) => reference.controller === true);
    return [
      revision.metadata.name,
      owner === undefined ? '<none>' : ownerName(owner),
      revision.revision ?? 0,
      age(revision, nowMs),
    ];
  },
);

/** `daemonset.apps/agent`. */
function ownerName(owner: { readonly apiVersion: string; readonly kind: string; readonly name: string }): string {
  const { group } = parseAPIVersion(owner.apiVersion);
  const kind = owner.kind.toLowerCase();
  return `${group === '' ? kind : `${kind}.${group}`}/${owner.name}`;
}

export const appsPrinters: PrinterTable = {
  ControllerRevision: controllerRevisionPrinter,
  DaemonSet: daemonSetPrinter,
  Deployment: deploymentPrinter,
  ReplicaSet: replicaSetPrinter,
  StatefulSet: statefulSetPrinter,
};
