import { isStatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { OwnerReference, PodTemplateSpec } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder, EventSubject } from '../client/event-recorder.ts';

export interface PodControlDeps {
  readonly client: Client;
  readonly recorder: EventRecorder;
}

type Owner = DeepReadonly<{
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid: string };
}>;

/** Creates a pod from a workload's template and tells so in events on the workload. */
export async function createPod(
  template: DeepReadonly<PodTemplateSpec>,
  owner: Owner,
  reference: OwnerReference,
  { client, recorder }: PodControlDeps,
  generateName = podNamePrefix(owner.metadata.name),
): Promise<void> {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  try {
    const pod = await client.create(resources.pods, {
      metadata: {
        namespace: owner.metadata.namespace,
        generateName,
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
        ...(finalizers === undefined ? {} : { finalizers }),
        ownerReferences: [reference],
      },
      ...(template.spec === undefined ? {} : { spec: template.spec }),
    });
    recorder.event(owner as EventSubject, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
  } catch (error) {
    if (!isNamespaceTerminating(error)) {
      recorder.event(owner as EventSubject, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
    }
    throw error;
  }
}

/** Deletes a pod of a workload; one that is gone already counts as done. */
export async function deletePod(
  pod: DeepReadonly<{ metadata: { namespace: string; name: string } }>,
  owner: Owner,
  { client, recorder }: PodControlDeps,
): Promise<void> {
  try {
    await client.delete(resources.pods, pod.metadata);
    recorder.event(owner as EventSubject, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) {
      recorder.event(owner as EventSubject, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
    }
    throw error;
  }
}

/** The refusal of everything new in a namespace that is being deleted. */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    isStatusError(error, 'Forbidden') &&
    (error.status.details?.causes ?? []).some((cause) => cause.reason === 'NamespaceTerminating')
  );
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A generateName that leaves room for the suffix. */
function podNamePrefix(name: string): string {
  return name.length < 253 ? `${name}-` : name;
}
