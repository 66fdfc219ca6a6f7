import type {
  Container,
  ContainerPort,
  EnvVar,
  EphemeralContainer,
  HTTPGetAction,
  LifecycleHandler,
  ObjectMeta,
  PodSpec,
  PodTemplateSpec,
  Probe,
  ResourceRequirements,
} from '../generated/types.ts';
import { containerLimits, containerRequests } from './container-requests.ts';
import { defaultPullPolicy } from './image-tag.ts';
import { isHugePages } from './resource-validation.ts';
import { roundAmounts } from './round-amounts.ts';
import { childObject, defaultPlain, defaultPointer, dropZero, isZero } from './shape.ts';
import { defaultVolume } from './volume-defaults.ts';

const initAnnotations = ['alpha', 'beta'].flatMap((stage) =>
  ['init-containers', 'init-container-statuses'].map((name) => `pod.${stage}.kubernetes.io/${name}`),
);
const specFields = [
  'volumes',
  'initContainers',
  'ephemeralContainers',
  'nodeSelector',
  'serviceAccountName',
  'serviceAccount',
  'nodeName',
  'hostNetwork',
  'hostPID',
  'hostIPC',
  'imagePullSecrets',
  'hostname',
  'subdomain',
  'tolerations',
  'hostAliases',
  'priorityClassName',
  'readinessGates',
  'overhead',
  'topologySpreadConstraints',
  'schedulingGates',
  'resourceClaims',
];
const containerFields = [
  'image',
  'command',
  'args',
  'workingDir',
  'ports',
  'envFrom',
  'env',
  'resizePolicy',
  'restartPolicyRules',
  'volumeMounts',
  'volumeDevices',
  'stdin',
  'stdinOnce',
  'tty',
  'targetContainerName',
];
const portFields = ['name', 'hostPort', 'hostIP'];
const mountFields = ['readOnly', 'subPath', 'subPathExpr'];
const tolerationFields = ['key', 'operator', 'value', 'effect'];
const metaFields = ['name', 'generateName', 'namespace', 'labels', 'annotations', 'finalizers', 'ownerReferences'];

/** Defaults that every pod spec gets, in a pod and in a template. */
export function defaultPodSpec(spec: PodSpec): void {
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  dropZero(spec, specFields);
  defaultPlain(spec, 'dnsPolicy', 'ClusterFirst');
  defaultPlain(spec, 'restartPolicy', 'Always');
  defaultPlain(spec, 'schedulerName', 'default-scheduler');
  defaultPointer(spec, 'terminationGracePeriodSeconds', 30);
  const security = childObject<Record<string, unknown>>(spec, 'securityContext');
  dropZero(security, ['supplementalGroups', 'sysctls']);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
  roundAmounts(spec.overhead, spec.resources?.limits, spec.resources?.requests);
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const toleration of spec.tolerations ?? []) dropZero(toleration, tolerationFields);
}

/** Defaults of the template of a workload. `metadata` is always written. */
export function defaultPodTemplate(template: PodTemplateSpec): void {
  const metadata = childObject(template, 'metadata');
  dropInitAnnotations(metadata);
  dropZero(metadata, metaFields);
  defaultPodSpec(childObject(template, 'spec'));
}

/** Drops what said which init containers a pod has before there were fields. */
export function dropInitAnnotations(metadata: ObjectMeta): void {
  const { annotations } = metadata;
  if (!annotations) return;
  for (const key of initAnnotations) delete annotations[key];
  if (Object.keys(annotations).length === 0) delete metadata.annotations;
}

/** Defaults that only pods get, after those of their spec. */
export function defaultPodOnly(spec: PodSpec): void {
  for (const container of spec.containers ?? []) defaultRequests(container);
  for (const container of spec.initContainers ?? []) defaultRequests(container);
  defaultPodLimits(spec);
  defaultPodRequests(spec);
  defaultPointer(spec, 'enableServiceLinks', true);
  // Only of pods: a template keeps what it says.
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
  if (spec.hostNetwork === true) {
    for (const container of spec.containers ?? []) defaultHostPorts(container.ports);
    for (const container of spec.initContainers ?? []) defaultHostPorts(container.ports);
  }
}

function defaultHostPorts(ports: ContainerPort[] | undefined): void {
  for (const port of ports ?? []) defaultPlain(port, 'hostPort', port.containerPort);
}

function defaultRequests(container: Container): void {
  const limits = container.resources?.limits;
  if (!container.resources || !limits) return;
  const requests = { ...container.resources.requests };
  for (const name in limits) {
    const limit = limits[name];
    if (requests[name] === undefined && limit !== undefined) requests[name] = limit;
  }
  if (Object.keys(requests).length > 0) container.resources.requests = requests;
}

/** Limits of huge pages of the pod as a whole where it has any amounts and requests none: those of its containers together. */
function defaultPodLimits(spec: PodSpec): void {
  const { resources } = spec;
  if (!resources || (isZero(resources.limits) && isZero(resources.requests))) return;
  const limits = { ...resources.limits };
  const together = containerLimits(spec);
  for (const name in together) {
    const amount = together[name];
    if (amount !== undefined && isHugePages(name) && !resources.requests?.[name]) limits[name] ??= amount;
  }
  if (Object.keys(limits).length > 0) resources.limits = limits;
}

/** Requests of the pod as a whole where it has limits: what its containers request together, else the limit. */
function defaultPodRequests(spec: PodSpec): void {
  if (!spec.resources || isZero(spec.resources.limits)) return;
  const requests = { ...spec.resources.requests };
  const together = containerRequests(spec);
  for (const name in together) {
    const amount = together[name];
    if (amount !== undefined && isPodResource(name) && !isHugePages(name)) requests[name] ??= amount;
  }
  for (const name in spec.resources.limits) {
    const limit = spec.resources.limits[name];
    if (limit !== undefined && isPodResource(name)) requests[name] ??= limit;
  }
  if (Object.keys(requests).length > 0) spec.resources.requests = requests;
}

function isPodResource(name: string): boolean {
  return name === 'cpu' || name === 'memory' || isHugePages(name);
}

function defaultContainer(container: Container | EphemeralContainer): void {
  dropZero(container, containerFields);
  defaultPlain(container, 'terminationMessagePath', '/dev/termination-log');
  defaultPlain(container, 'terminationMessagePolicy', 'File');
  if (!container.imagePullPolicy) container.imagePullPolicy = defaultPullPolicy(container.image);
  const resources = childObject<ResourceRequirements>(container, 'resources');
  dropZero(resources, ['limits', 'requests', 'claims']);
  roundAmounts(resources.limits, resources.requests);
  for (const port of container.ports ?? []) {
    dropZero(port, portFields);
    defaultPlain(port, 'protocol', 'TCP');
  }
  for (const variable of container.env ?? []) defaultEnv(variable);
  for (const mount of container.volumeMounts ?? []) dropZero(mount, mountFields);
  if (container.livenessProbe) defaultProbe(container.livenessProbe);
  if (container.readinessProbe) defaultProbe(container.readinessProbe);
  if (container.startupProbe) defaultProbe(container.startupProbe);
  if (container.lifecycle?.postStart) defaultHandler(container.lifecycle.postStart);
  if (container.lifecycle?.preStop) defaultHandler(container.lifecycle.preStop);
}

function defaultEnv(variable: EnvVar): void {
  dropZero(variable, ['value']);
  const source = variable.valueFrom;
  if (!source) return;
  if (source.fieldRef) defaultPlain(source.fieldRef, 'apiVersion', 'v1');
  if (source.resourceFieldRef) defaultPlain(source.resourceFieldRef, 'divisor', '0');
  if (source.fileKeyRef) defaultPointer(source.fileKeyRef, 'optional', false);
}

function defaultProbe(probe: Probe): void {
  dropZero(probe, ['initialDelaySeconds']);
  defaultPlain(probe, 'timeoutSeconds', 1);
  defaultPlain(probe, 'periodSeconds', 10);
  defaultPlain(probe, 'successThreshold', 1);
  defaultPlain(probe, 'failureThreshold', 3);
  if (probe.grpc) defaultPointer(probe.grpc, 'service', '');
  defaultHandler(probe);
}

function defaultHandler(handler: LifecycleHandler | Probe): void {
  if (handler.httpGet) defaultHTTPGet(handler.httpGet);
  if (handler.tcpSocket) dropZero(handler.tcpSocket, ['host']);
}

function defaultHTTPGet(action: HTTPGetAction): void {
  dropZero(action, ['host', 'httpHeaders']);
  defaultPlain(action, 'path', '/');
  defaultPlain(action, 'scheme', 'HTTP');
}
