import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Pod, PriorityClass } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Client } from '../../client/client.ts';
import type { AdmissionAttributes, AdmissionPlugin, ObjectReader } from '../contract.ts';
import { podOf, refuse } from './refuse.ts';

const GROUP = 'scheduling.k8s.io';
const PREEMPT = 'PreemptLowerPriority';

/** The classes that every cluster has. */
const SYSTEM_CLASSES: readonly { readonly name: string; readonly value: number; readonly description: string }[] = [
  {
    name: 'system-node-critical',
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    name: 'system-cluster-critical',
    value: 2_000_000_000,
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
];

/** Creates the system priority classes where they are missing. */
export async function ensureSystemPriorityClasses(client: Client, signal?: AbortSignal): Promise<void> {
  await Promise.all(
    SYSTEM_CLASSES.map(async ({ name, value, description }) => {
      try {
        await client.get(resources.priorityclasses, { name }, signal);
        return;
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
      const object = { metadata: { name }, value, description, preemptionPolicy: PREEMPT };
      try {
        await client.create(resources.priorityclasses, object, {}, signal);
      } catch (error) {
        if (!isStatusError(error, 'AlreadyExists')) throw error;
      }
    }),
  );
}

/** Resolves priorityClassName to a priority; keeps the classes themselves in order. */
export function priority({ reader }: { readonly reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'Priority',
    handles: (operation, { type }, subresource) => {
      if (subresource !== '') return false;
      if (type.group === '' && type.resource === 'pods') return operation === 'CREATE' || operation === 'UPDATE';
      return type.group === GROUP && type.resource === 'priorityclasses' && operation !== 'CONNECT';
    },
    admit(attributes) {
      if (attributes.definition.type.resource === 'pods') admitPod(attributes, reader);
    },
    validate(attributes) {
      if (attributes.definition.type.resource === 'priorityclasses') validateClass(attributes, reader);
    },
  };
}

function admitPod(attributes: AdmissionAttributes, reader: ObjectReader): void {
  const pod = podOf(attributes);
  if (attributes.operation === 'UPDATE') {
    const old = attributes.oldObject as unknown as DeepReadonly<Pod> | undefined;
    // Clients of old versions leave these out; a pod keeps what it has.
    if (pod.spec.priority === undefined && old?.spec.priority !== undefined) pod.spec.priority = old.spec.priority;
    if (pod.spec.preemptionPolicy === undefined && old?.spec.preemptionPolicy !== undefined)
      pod.spec.preemptionPolicy = old.spec.preemptionPolicy;
    return;
  }
  const found = findClass(attributes, pod, reader);
  if (found !== undefined) pod.spec.priorityClassName = found.metadata.name;
  const value = found?.value ?? 0;
  if (pod.spec.priority !== undefined && pod.spec.priority !== value)
    throw refuse(
      attributes,
      `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  pod.spec.priority = value;
  const policy = found?.preemptionPolicy ?? PREEMPT;
  if (pod.spec.preemptionPolicy !== undefined && pod.spec.preemptionPolicy !== policy)
    throw refuse(
      attributes,
      `the string value of PreemptionPolicy (${pod.spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
    );
  pod.spec.preemptionPolicy = policy;
}

function findClass(
  attributes: AdmissionAttributes,
  pod: Pod,
  reader: ObjectReader,
): DeepReadonly<PriorityClass> | undefined {
  const name = pod.spec.priorityClassName ?? '';
  if (name === '') return defaultClass(reader);
  const found = reader.get(resources.priorityclasses, { name });
  if (found === undefined) throw refuse(attributes, `no PriorityClass with name ${name} was found`);
  return found;
}

/** Several defaults can only come about by a race; the lowest one counts. */
function defaultClass(reader: ObjectReader): DeepReadonly<PriorityClass> | undefined {
  let found: DeepReadonly<PriorityClass> | undefined;
  for (const candidate of reader.list(resources.priorityclasses)) {
    if (candidate.globalDefault === true && (found === undefined || (candidate.value ?? 0) < (found.value ?? 0)))
      found = candidate;
  }
  return found;
}

function validateClass(attributes: AdmissionAttributes, reader: ObjectReader): void {
  if (attributes.operation === 'DELETE') {
    if (SYSTEM_CLASSES.some(({ name }) => name === attributes.name))
      throw refuse(attributes, 'this is a system priority class and cannot be deleted');
    return;
  }
  const object = attributes.object as unknown as PriorityClass;
  if (object.globalDefault !== true) return;
  for (const other of reader.list(resources.priorityclasses)) {
    if (other.globalDefault === true && other.metadata.name !== object.metadata.name)
      throw refuse(
        attributes,
        `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
      );
  }
}
