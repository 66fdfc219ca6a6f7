import { type FieldError, invalid } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Pod, PodTemplateSpec } from '../../api/generated/types.ts';
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { AdmissionAttributes, AdmissionPlugin, ObjectReader } from '../contract.ts';
import type { Violation } from './pod-security-checks.ts';
import { type Level, violations } from './pod-security-levels.ts';
import { podOf, refuse } from './refuse.ts';

const PREFIX = 'pod-security.kubernetes.io/';
const MODES = ['enforce', 'audit', 'warn'] as const;
const LEVELS: readonly string[] = ['privileged', 'baseline', 'restricted'];
const VERSION = /^(?:latest|v1\.(0|[1-9][0-9]*))$/;

interface Policy {
  readonly level: Level;
  /** `latest` or `v1.N`, as the label has it. */
  readonly version: string;
}

type Labels = Readonly<Record<string, string>>;

/** Keeps pods within the Pod Security Standard that their namespace's labels name; warns about pod templates. */
export function podSecurity({ reader }: { readonly reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    handles: (operation, { type }, subresource) => {
      if (operation !== 'CREATE' && operation !== 'UPDATE') return false;
      if (type.group === '' && type.resource === 'pods')
        return subresource === '' || subresource === 'ephemeralcontainers' || subresource === 'resize';
      if (subresource !== '') return false;
      return (type.group === '' && type.resource === 'namespaces') || TEMPLATES.has(`${type.group}/${type.resource}`);
    },
    validate(attributes) {
      const { type } = attributes.definition;
      if (type.group === '' && type.resource === 'namespaces') {
        checkNamespace(attributes, reader);
        return;
      }
      const labels = reader.get(resources.namespaces, { name: attributes.namespace })?.metadata.labels ?? {};
      if (type.group === '' && type.resource === 'pods') {
        checkPod(attributes, labels);
        return;
      }
      const templateOf = TEMPLATES.get(`${type.group}/${type.resource}`);
      const template = templateOf?.(attributes.object as unknown as AnyWorkload);
      if (template?.spec === undefined) return;
      annotate(attributes, labels, template as PodLike);
      warn(attributes, labels, template as PodLike);
    },
  };
}

type PodLike = Pick<DeepReadonly<Pod>, 'spec'> & { readonly metadata?: DeepReadonly<Pod['metadata']> };

interface AnyWorkload {
  readonly template?: DeepReadonly<PodTemplateSpec>;
  readonly spec?: {
    readonly template?: DeepReadonly<PodTemplateSpec>;
    readonly jobTemplate?: { readonly spec?: { readonly template?: DeepReadonly<PodTemplateSpec> } };
  };
}

const ofSpec = (object: AnyWorkload): DeepReadonly<PodTemplateSpec> | undefined => object.spec?.template;

/** Where each resource has its pod template, by `group/resource`. */
const TEMPLATES: ReadonlyMap<string, (object: AnyWorkload) => DeepReadonly<PodTemplateSpec> | undefined> = new Map([
  ['/podtemplates', (object: AnyWorkload) => object.template],
  ['/replicationcontrollers', ofSpec],
  ['apps/replicasets', ofSpec],
  ['apps/deployments', ofSpec],
  ['apps/statefulsets', ofSpec],
  ['apps/daemonsets', ofSpec],
  ['batch/jobs', ofSpec],
  ['batch/cronjobs', (object: AnyWorkload) => object.spec?.jobTemplate?.spec?.template],
]);

function checkPod(attributes: AdmissionAttributes, labels: Labels): void {
  const pod = podOf(attributes);
  const old = attributes.oldObject as unknown as DeepReadonly<Pod> | undefined;
  if (old !== undefined && !isSignificant(pod, old)) return;
  const policy = policyOf(labels, 'enforce');
  attributes.annotate(`${PREFIX}enforce-policy`, `${policy.level}:${policy.version}`);
  annotate(attributes, labels, pod);
  const found = evaluate(policy, pod);
  if (found.length > 0) throw refuse(attributes, `violates ${describe(policy, found)}`);
  warn(attributes, labels, pod);
}

/** Whether an update brings another image or another ephemeral container; all else that may change does not matter here. */
function isSignificant(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>): boolean {
  const images = ({ spec }: DeepReadonly<Pod>): unknown => [
    spec.containers.map(({ image }) => image),
    (spec.initContainers ?? []).map(({ image }) => image),
  ];
  if (!equalJSON(images(pod), images(old))) return true;
  const before = new Map((old.spec.ephemeralContainers ?? []).map(({ name, image }) => [name, image]));
  return (pod.spec.ephemeralContainers ?? []).some(
    ({ name, image }) => !before.has(name) || before.get(name) !== image,
  );
}

/** For the audit log, also of a request that is refused. */
function annotate(attributes: AdmissionAttributes, labels: Labels, pod: PodLike): void {
  const policy = policyOf(labels, 'audit');
  const found = evaluate(policy, pod);
  if (found.length > 0) attributes.annotate(`${PREFIX}audit-violations`, `would violate ${describe(policy, found)}`);
}

function warn(attributes: AdmissionAttributes, labels: Labels, pod: PodLike): void {
  const policy = policyOf(labels, 'warn');
  const found = evaluate(policy, pod);
  if (found.length > 0) attributes.warn(`would violate ${describe(policy, found)}`);
}

function describe({ level, version }: Policy, found: readonly Violation[]): string {
  const list = found.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ');
  return `PodSecurity "${level}:${version}": ${list}`;
}

function evaluate({ level, version }: Policy, pod: PodLike): Violation[] {
  const minor = VERSION.exec(version)?.[1];
  return violations(level, pod, minor === undefined ? Number.POSITIVE_INFINITY : Number(minor));
}

/** A label that is wrong counts as the strictest it could be, as upstream has it. */
function policyOf(labels: Labels, mode: (typeof MODES)[number]): Policy {
  const level = labels[PREFIX + mode] ?? 'privileged';
  const version = labels[`${PREFIX}${mode}-version`] ?? 'latest';
  return {
    level: LEVELS.includes(level) ? (level as Level) : mode === 'enforce' ? 'restricted' : 'privileged',
    version: VERSION.test(version) ? version : 'latest',
  };
}

function checkNamespace(attributes: AdmissionAttributes, reader: ObjectReader): void {
  const labels = attributes.object?.metadata.labels ?? {};
  const oldLabels = attributes.oldObject?.metadata.labels ?? {};
  const errors = labelErrors(labels, oldLabels);
  if (errors.length > 0)
    throw invalid({ group: '', kind: 'Namespace' }, attributes.object?.metadata.name ?? attributes.name, errors);
  if (attributes.operation === 'CREATE') return;
  const [policy, oldPolicy] = [policyOf(labels, 'enforce'), policyOf(oldLabels, 'enforce')];
  const isRelaxed = LEVELS.indexOf(policy.level) <= LEVELS.indexOf(oldPolicy.level);
  if (policy.level === 'privileged' || (policy.version === oldPolicy.version && isRelaxed)) return;
  warnOfExisting(attributes, policy, reader);
}

function labelErrors(labels: Labels, oldLabels: Labels): FieldError[] {
  const errors: FieldError[] = [];
  const check = (key: string, valid: (value: string) => boolean, text: string): void => {
    const value = labels[key];
    if (value === undefined || value === oldLabels[key] || valid(value)) return;
    const message = `Invalid value: ${JSON.stringify(value)}: ${text}`;
    errors.push({ type: 'FieldValueInvalid', field: `metadata.labels[${key}]`, message });
  };
  for (const mode of MODES) {
    check(PREFIX + mode, (value) => LEVELS.includes(value), `must be one of ${LEVELS.join(', ')}`);
    check(`${PREFIX}${mode}-version`, (value) => VERSION.test(value), 'must be "latest" or "v1.x"');
  }
  return errors;
}

/** Tells which running pods a stricter label would refuse, by what they violate. */
function warnOfExisting(attributes: AdmissionAttributes, policy: Policy, reader: ObjectReader): void {
  const byReasons = new Map<string, string[]>();
  for (const pod of reader.list(resources.pods, attributes.name)) {
    const reasons = evaluate(policy, pod).map(({ reason }) => reason);
    if (reasons.length === 0) continue;
    const key = reasons.join(', ');
    byReasons.set(key, [...(byReasons.get(key) ?? []), pod.metadata.name]);
  }
  if (byReasons.size === 0) return;
  attributes.warn(
    `existing pods in namespace "${attributes.name}" violate the new PodSecurity enforce level "${policy.level}:${policy.version}"`,
  );
  const warnings = [...byReasons].map(([reasons, names]) => {
    const others = names.length - 1;
    const more = others === 0 ? '' : ` (and ${others} other ${others === 1 ? 'pod' : 'pods'})`;
    return `${names.sort()[0]}${more}: ${reasons}`;
  });
  for (const warning of warnings.sort()) attributes.warn(warning);
}
