import type { Printer } from '../definition.ts';
import { admissionregistrationPrinters } from './admissionregistration.ts';
import { appsPrinters, deploymentPrinter } from './apps.ts';
import { autoscalingPrinters } from './autoscaling.ts';
import { batchPrinters } from './batch.ts';
import { certificatesPrinters } from './certificates.ts';
import { coordinationPrinters } from './coordination.ts';
import { corePrinters } from './core.ts';
import { eventPrinter } from './event.ts';
import { flowcontrolPrinters } from './flowcontrol.ts';
import { metricsPrinters } from './metrics.ts';
import { discoveryPrinters, ingressPrinter, networkingPrinters } from './networking.ts';
import { policyPrinters } from './policy.ts';
import type { PrinterTable } from './printer.ts';
import { rbacPrinters } from './rbac.ts';
import { apiextensionsPrinters, apiregistrationPrinters, internalPrinters, nodePrinters } from './registration.ts';
import { resourcePrinters } from './resource.ts';
import { schedulingPrinters } from './scheduling.ts';
import { storagePrinters } from './storage.ts';

/** The printers of every API group. */
const groups: Readonly<Record<string, PrinterTable>> = {
  '': corePrinters,
  'admissionregistration.k8s.io': admissionregistrationPrinters,
  'apiextensions.k8s.io': apiextensionsPrinters,
  'apiregistration.k8s.io': apiregistrationPrinters,
  apps: appsPrinters,
  autoscaling: autoscalingPrinters,
  batch: batchPrinters,
  'certificates.k8s.io': certificatesPrinters,
  'coordination.k8s.io': coordinationPrinters,
  'discovery.k8s.io': discoveryPrinters,
  'events.k8s.io': { Event: eventPrinter },
  extensions: { Deployment: deploymentPrinter, Ingress: ingressPrinter },
  'flowcontrol.apiserver.k8s.io': flowcontrolPrinters,
  'internal.apiserver.k8s.io': internalPrinters,
  'metrics.k8s.io': metricsPrinters,
  'networking.k8s.io': networkingPrinters,
  'node.k8s.io': nodePrinters,
  policy: policyPrinters,
  'rbac.authorization.k8s.io': rbacPrinters,
  'resource.k8s.io': resourcePrinters,
  'scheduling.k8s.io': schedulingPrinters,
  'storage.k8s.io': storagePrinters,
};

/** The printer of a built-in kind; undefined when it has no columns of its own (then use `createdAtPrinter`). */
export function printerFor(group: string, kind: string): Printer | undefined {
  const kinds = Object.hasOwn(groups, group) ? groups[group] : undefined;
  return kinds !== undefined && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
}
