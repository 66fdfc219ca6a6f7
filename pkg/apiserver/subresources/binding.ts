import { badRequest, conflict, newStatus, StatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Binding, ObjectMeta, Pod } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import { cloneJSON } from '../../base/json.ts';
import type { Answer } from '../registry/answer.ts';
import type { RegistryCore } from '../registry/core.ts';
import { type ResourceRequest, targetOf, type Verb } from '../registry/registry.ts';
import { updateObject } from '../registry/update.ts';
import { parseWriteOptions } from '../registry/write-options.ts';
import { subresourceBody } from './token.ts';

const BINDING = { group: '', version: 'v1', kind: 'Binding' };

/** POST pods/NAME/binding: assigns a pod to a node. */
export const bindPod: Verb = async (core, request) => {
  const binding = await readBinding(core, request);
  return bind(core, request, request.context.info.name, binding);
};

/** POST bindings: the older form; the pod's name is the binding's. */
export const createBinding: Verb = async (core, request) => {
  const binding = await readBinding(core, request);
  return bind(core, request, binding.metadata?.name ?? '', binding);
};

async function readBinding(core: RegistryCore, request: ResourceRequest): Promise<Binding> {
  const { fieldValidation } = parseWriteOptions(request.context, 'CreateOptions');
  const body = await subresourceBody(core, request, BINDING, 'core.v1.Binding', fieldValidation);
  return body as unknown as Binding;
}

async function bind(core: RegistryCore, request: ResourceRequest, name: string, binding: Binding): Promise<Answer> {
  const { context } = request;
  const { namespace } = context.info;
  const options = parseWriteOptions(context, 'CreateOptions');
  check(binding, name, namespace);
  if (name === '') throw badRequest('Name parameter required.');
  const definition = core.definitionOf(resources.pods);
  const kind = 'CreateOptions';
  const target = { ...targetOf({ definition, context }, { ...options, kind }), name, subresource: 'binding' };
  // Admission sees what the client has asked for: `pods/binding`, or the older `bindings`.
  const asked = { ...targetOf(request, { ...options, kind }), name };
  binding.metadata ??= {} as Binding['metadata'] & object;
  await core.admit('admit', 'CREATE', asked, binding as unknown as KubeObject, undefined);
  await core.admit('validate', 'CREATE', asked, binding as unknown as KubeObject, undefined);
  await updateObject(core, target, {
    trusted: true,
    // Upstream notes no owner of what a binding sets.
    tracked: true,
    build: (current) => {
      const pod = cloneJSON(current) as unknown as Pod;
      const { uid = '', resourceVersion = '' } = binding.metadata ?? {};
      // What the binding says of the pod's state is checked when this is done, and comes first.
      const isOther =
        (uid !== '' && uid !== current.metadata.uid) ||
        (resourceVersion !== '' && resourceVersion !== current.metadata.resourceVersion);
      if (!isOther) assign(pod, binding, formatTime(core.deps.clock.now()));
      const object = pod as unknown as KubeObject;
      object.metadata.resourceVersion = resourceVersion;
      if (uid !== '') object.metadata.uid = uid;
      return object;
    },
  });
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
  return { kind: 'object', code: 201, object: status };
}

function check(binding: Binding, name: string, namespace: string): void {
  const { target } = binding;
  const metadata: ObjectMeta = binding.metadata ?? {};
  if ((metadata.name ?? '') !== name) throw badRequest('name in URL does not match name in Binding object');
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const errors = [];
  if (target?.kind && target.kind !== 'Node') {
    errors.push({
      type: 'FieldValueNotSupported',
      field: 'target.kind',
      message: `Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node", "<empty>"`,
    } as const);
  }
  if (!target?.name) {
    errors.push({ type: 'FieldValueRequired', field: 'target.name', message: 'Required value' } as const);
  }
  if (errors.length === 0) return;
  // Upstream returns these without making a Status of them.
  const texts = errors.map(({ field, message }) => `${field}: ${message}`);
  throw new StatusError(newStatus(500, '', texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`));
}

function assign(pod: Pod, binding: Binding, now: string): void {
  const { name = '' } = pod.metadata;
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw conflict(
      { group: '', resource: 'pods/binding' },
      name,
      `pod ${name} is being deleted, cannot be assigned to a host`,
    );
  }
  if (pod.spec.nodeName) {
    throw conflict(
      { group: '', resource: 'pods/binding' },
      name,
      `pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`,
    );
  }
  if ((pod.spec.schedulingGates?.length ?? 0) > 0) {
    throw new StatusError(
      newStatus(
        409,
        'Conflict',
        `Operation cannot be fulfilled on pods/binding "${name}": pod ${name} has non-empty .spec.schedulingGates`,
        { name, kind: 'pods/binding' },
      ),
    );
  }
  pod.spec.nodeName = binding.target.name ?? '';
  // What was expected is no news any more. Upstream: ClearingNominatedNodeNameAfterBinding.
  delete pod.status?.nominatedNodeName;
  const annotations = binding.metadata?.annotations;
  if (annotations !== undefined) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
  const labels = binding.metadata?.labels;
  // The pod's own labels stay as they are.
  if (labels !== undefined) pod.metadata.labels = { ...labels, ...pod.metadata.labels };
  const conditions = pod.status?.conditions ?? [];
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: now };
  const others = conditions.filter((condition) => condition.type !== 'PodScheduled');
  const before = conditions.find((condition) => condition.type === 'PodScheduled');
  if (before?.status === 'True') return;
  pod.status = { ...pod.status, conditions: [...others, scheduled as unknown as (typeof conditions)[number]] };
}
