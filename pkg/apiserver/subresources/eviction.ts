import { badRequest, forbidden, newStatus, StatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Eviction, Pod, PodDisruptionBudget } from '../../api/generated/types.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import { matchesLabelSelector } from '../../api/selector.ts';
import { formatTime } from '../../api/time.ts';
import { cloneJSON } from '../../base/json.ts';
import type { RegistryCore, WriteTarget } from '../registry/core.ts';
import { deleteObject } from '../registry/delete.ts';
import { type ResourceRequest, targetOf, type Verb } from '../registry/registry.ts';
import { updateObject } from '../registry/update.ts';
import { parseDeleteOptions, parseWriteOptions } from '../registry/write-options.ts';
import { subresourceBody } from './token.ts';

const EVICTION = { group: 'policy', version: 'v1', kind: 'Eviction' };
const BUDGET = { group: 'policy', resource: 'poddisruptionbudget' };
const RETRY_AFTER_SECONDS = 10;
/** More evictions than this that the budget's controller has not seen are not allowed. */
const MAX_DISRUPTED_PODS = 2000;

/** POST pods/NAME/eviction: deletes the pod if its disruption budget allows. */
export const evictPod: Verb = async (core, request) => {
  const { definition, context } = request;
  const { namespace, name } = context.info;
  const options = parseWriteOptions(context, 'CreateOptions');
  const type = { ...EVICTION, version: await versionOf(request) };
  const body = await subresourceBody(core, request, type, 'policy.v1.Eviction', options.fieldValidation);
  body.apiVersion = 'policy/v1';
  const eviction = body as unknown as Eviction;
  const { namespace: named = '' } = body.metadata;
  if (named !== '' && named !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  if (body.metadata.name !== name) throw badRequest('name in URL does not match name in Eviction object');
  const target = targetOf(request, { ...options, kind: 'CreateOptions' });
  await core.admit('admit', 'CREATE', target, body, undefined);
  await core.admit('validate', 'CREATE', target, body, undefined);
  const deleteOptions = parseDeleteOptions(context, eviction.deleteOptions ?? {});
  await core.deps.cache.current();
  const pod = core.require(definition, namespace, name).object as unknown as DeepReadonly<Pod>;
  const dryRun = options.dryRun || (Array.isArray(deleteOptions['dryRun']) && deleteOptions['dryRun'].length > 0);
  if (!mayIgnoreBudgets(pod)) await spendBudget(core, { ...target, dryRun }, pod);
  if (!dryRun) await markDisrupted(core, target);
  const deletion = { ...target, subresource: '', dryRun, options: deleteOptions };
  await deleteObject(core, deletion, deleteOptions);
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
  return { kind: 'object', code: 201, object: status };
};

/** Older clients send evictions of policy/v1beta1, which has the same fields. */
async function versionOf(request: ResourceRequest): Promise<string> {
  const body = await request.body();
  if (body === undefined) return EVICTION.version;
  const isOld =
    'bytes' in body
      ? /apiVersion"?\s*:\s*"?policy\/v1beta1\b|^k8s\0.{0,16}policy\/v1beta1/s.test(body.bytes.toString('latin1'))
      : (body.value as { readonly apiVersion?: unknown } | null)?.apiVersion === 'policy/v1beta1';
  return isOld ? 'v1beta1' : EVICTION.version;
}

/** The condition by which owners tell an eviction from a failure. */
async function markDisrupted(core: RegistryCore, target: WriteTarget): Promise<void> {
  const time = formatTime(core.deps.clock.now());
  await updateObject(
    core,
    { ...target, subresource: 'status' },
    {
      trusted: true,
      basedOnCurrent: true,
      build: (current) => {
        const pod = cloneJSON(current) as unknown as Pod;
        const others = (pod.status?.conditions ?? []).filter((condition) => condition.type !== 'DisruptionTarget');
        const condition = {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'EvictionByEvictionAPI',
          message: 'Eviction API: evicting',
          lastProbeTime: null,
          lastTransitionTime: time,
          observedGeneration: pod.metadata.generation,
        };
        pod.status = { ...pod.status, conditions: [...others, condition as unknown as (typeof others)[number]] };
        const object = pod as unknown as KubeObject;
        object.metadata.resourceVersion = '';
        return object;
      },
    },
  );
}

/** Pods that do not run do not disrupt anything. */
function mayIgnoreBudgets(pod: DeepReadonly<Pod>): boolean {
  const phase = pod.status?.phase;
  return (
    phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined
  );
}

async function spendBudget(core: RegistryCore, target: WriteTarget, pod: DeepReadonly<Pod>): Promise<void> {
  const { namespace = '' } = pod.metadata;
  const budgets = [...core.deps.cache.list(resources.poddisruptionbudgets, namespace)].filter((budget) =>
    matchesLabelSelector(budget.spec?.selector, pod.metadata.labels),
  );
  if (budgets.length > 1) {
    const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    throw new StatusError(newStatus(500, '', message));
  }
  const [budget] = budgets;
  if (budget === undefined) return;
  const isReady = pod.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
  const policy = budget.spec?.unhealthyPodEvictionPolicy ?? 'IfHealthyBudget';
  const healthy =
    (budget.status?.currentHealthy ?? 0) >= (budget.status?.desiredHealthy ?? 0) &&
    (budget.status?.desiredHealthy ?? 0) > 0;
  if (!isReady && (policy === 'AlwaysAllow' || healthy)) return;
  await decrement(core, target, budget);
}

/** Takes one allowed disruption from the budget's status. Throws TooManyRequests when there is none. */
async function decrement(
  core: RegistryCore,
  { name: pod, dryRun, context }: WriteTarget,
  budget: DeepReadonly<PodDisruptionBudget>,
): Promise<void> {
  const definition = core.definitionOf(resources.poddisruptionbudgets);
  const { namespace = '', name = '' } = budget.metadata as { namespace?: string; name?: string };
  for (let attempt = 0; attempt < 20; attempt++) {
    const entry = core.deps.cache.cacheOf(definition.type).get(namespace, name);
    if (entry === undefined) return;
    const current = entry.object as unknown as DeepReadonly<PodDisruptionBudget>;
    const { status } = current;
    const generation = (current.metadata as { generation?: number }).generation ?? 0;
    if ((status?.observedGeneration ?? 0) < generation) throw unsettled(name);
    const allowed = status?.disruptionsAllowed ?? 0;
    if (allowed < 0) throw forbidden(BUDGET, name, 'pdb disruptions allowed is negative');
    if (Object.keys(status?.disruptedPods ?? {}).length > MAX_DISRUPTED_PODS) {
      const text = 'DisruptedPods map too big - too many evictions not confirmed by PDB controller';
      throw forbidden(BUDGET, name, text);
    }
    if (allowed === 0) {
      throw refused(
        `The disruption budget ${name} needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`,
      );
    }
    if (dryRun) return;
    const object = cloneJSON(entry.object) as KubeObject;
    const next = object['status'] as BudgetStatus;
    const time = formatTime(core.deps.clock.now());
    next.disruptionsAllowed = allowed - 1;
    if (allowed === 1) next.conditions = exhausted(next.conditions, generation, time);
    next.disruptedPods = { ...next.disruptedPods, [pod]: time };
    const written = await core.commitUpdate(definition, object, entry.revision, context);
    if (written !== undefined) return;
  }
  throw unsettled(name);
}

type BudgetStatus = NonNullable<PodDisruptionBudget['status']>;
type Conditions = NonNullable<BudgetStatus['conditions']>;

/** The conditions of a budget that allows no further disruption. */
function exhausted(conditions: Conditions | undefined, generation: number, time: string): Conditions {
  const before = conditions?.find(({ type }) => type === 'DisruptionAllowed');
  const condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'InsufficientPods',
    message: '',
    observedGeneration: generation,
    lastTransitionTime: before?.status === 'False' ? before.lastTransitionTime : time,
  };
  if (before === undefined) return [...(conditions ?? []), condition];
  return (conditions ?? []).map((one) => (one === before ? condition : one));
}

function refused(message: string, retryAfterSeconds?: number): StatusError {
  return new StatusError(
    newStatus(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
      causes: [{ reason: 'DisruptionBudget', message }],
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    }),
  );
}

/** The budget has changed and its controller has not seen that yet. */
function unsettled(name: string): StatusError {
  return refused(`The disruption budget ${name} is still being processed by the server.`, RETRY_AFTER_SECONDS);
}
