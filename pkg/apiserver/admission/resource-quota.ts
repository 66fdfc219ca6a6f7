import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Pod, ResourceQuota } from '../../api/generated/types.ts';
import { addQuantities, formatQuantity, parseQuantity, subtractQuantities } from '../../api/quantity.ts';
import { namesCounting } from '../../api/quota/counted-resource.ts';
import type { Amounts } from '../../api/quota/pod-totals.ts';
import { quotaMatches } from '../../api/quota/scopes.ts';
import { usageOf } from '../../api/quota/usage.ts';
import { compareQuantity, quantitySign } from '../../api/validation/quantity.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Client } from '../../client/client.ts';
import type { AdmissionAttributes, AdmissionPlugin, ObjectReader } from '../contract.ts';
import { refuse } from './refuse.ts';

export interface ResourceQuotaDeps {
  readonly reader: ObjectReader;
  readonly client: Client;
}

type Quota = DeepReadonly<ResourceQuota>;

const RETRIES = 5;

/**
 * Refuses what would exceed a namespace's quotas, and books what it admits in their status, so that requests at the same
 * time cannot exceed them together. Comes last: what it books is given back only by the quota controller's next count.
 */
export function resourceQuota(deps: ResourceQuotaDeps): AdmissionPlugin {
  /** The last booking of each namespace that has quotas: they are done one after the other. */
  const bookings = new Map<string, Promise<void>>();
  return {
    name: 'ResourceQuota',
    handles: (operation, { type }, subresource) =>
      type.namespaced &&
      ((operation === 'CREATE' && subresource === '' && type.resource !== 'events') ||
        (operation === 'UPDATE' && UPDATED.has([type.resource, subresource].join('/')))),
    async validate(attributes) {
      if (!hasAny(deps.reader.list(resources.resourcequotas, attributes.namespace))) return;
      const { namespace } = attributes;
      const before = bookings.get(namespace) ?? Promise.resolve();
      const booking = before.then(() => book(attributes, deps));
      const settled = booking.catch(() => undefined);
      bookings.set(namespace, settled);
      try {
        await booking;
      } finally {
        if (bookings.get(namespace) === settled) bookings.delete(namespace);
      }
    },
  };
}

/** Where usage can grow by an update. */
const UPDATED = new Set([
  'services/',
  'persistentvolumeclaims/',
  'persistentvolumeclaims/status',
  'resourceclaims/',
  'pods/resize',
]);

async function book(attributes: AdmissionAttributes, deps: ResourceQuotaDeps): Promise<void> {
  const booked = new Set<string>();
  for (let attempt = 1; ; attempt++) {
    const fresh = attempt > 1;
    const quotas = fresh
      ? (await deps.client.list(resources.resourcequotas, { namespace: attributes.namespace })).items
      : [...deps.reader.list(resources.resourcequotas, attributes.namespace)];
    const changes = plan(
      attributes,
      quotas.filter(({ metadata }) => !booked.has(metadata.name)),
    );
    if (changes.length === 0 || attributes.dryRun) return;
    try {
      for (const quota of changes) {
        await deps.client.updateStatus(resources.resourcequotas, quota);
        booked.add(quota.metadata.name);
      }
      return;
    } catch (error) {
      if (!isStatusError(error, 'Conflict') || attempt === RETRIES) throw error;
    }
  }
}

/** The quotas with the request's usage added to their status; throws when one is exceeded. */
function plan(attributes: AdmissionAttributes, quotas: readonly Quota[]): Quota[] {
  const { object, oldObject, definition } = attributes;
  if (object === undefined) return [];
  const { type } = definition;
  const concerned: { quota: Quota; names: string[] }[] = [];
  for (const quota of quotas) {
    const names = namesCounting(type, Object.keys(quota.status?.hard ?? {})).sort();
    if (names.length === 0 || !quotaMatches(quota, type, object)) continue;
    checkSpecified(attributes, quota, names);
    if (names.some((name) => quota.status?.used?.[name] === undefined))
      throw refuse(attributes, `status unknown for quota: ${quota.metadata.name}, resources: ${names.join(',')}`);
    concerned.push({ quota, names });
  }
  if (concerned.length === 0) return [];
  const usage = usageOf(type, object);
  const oldUsage = oldObject === undefined ? {} : usageOf(type, oldObject);
  const changes: Quota[] = [];
  for (const { quota, names } of concerned) {
    const counted = oldObject !== undefined && quotaMatches(quota, type, oldObject);
    const delta = increase(usage, counted ? oldUsage : {}, names);
    const increased = Object.keys(delta).sort();
    if (increased.length > 0) changes.push(raised(attributes, quota, delta, increased));
  }
  return changes;
}

function raised(attributes: AdmissionAttributes, quota: Quota, delta: Amounts, names: readonly string[]): Quota {
  const hard = quota.status?.hard ?? {};
  const used: Record<string, string> = { ...quota.status?.used };
  const exceeded: string[] = [];
  for (const name of names) {
    const sum = addQuantities(parseQuantity(used[name] ?? '0'), parseQuantity(delta[name] ?? '0'));
    // What has happened already is not refused.
    if (attributes.subresource !== 'status' && compareQuantity(formatQuantity(sum), hard[name]) > 0)
      exceeded.push(name);
    else used[name] = formatQuantity(sum);
  }
  if (exceeded.length > 0) {
    const list = (amounts: Amounts | undefined): string =>
      exceeded.map((name) => `${name}=${amounts?.[name]}`).join(',');
    throw refuse(
      attributes,
      `exceeded quota: ${quota.metadata.name}, requested: ${list(delta)}, used: ${list(quota.status?.used)}, limited: ${list(hard)}`,
    );
  }
  return { ...quota, status: { ...quota.status, used } };
}

/** What a request adds to the named resources; what it gives back is left to the controller. */
function increase(usage: Amounts, oldUsage: Amounts, names: readonly string[]): Amounts {
  const delta: Record<string, string> = {};
  for (const name of names) {
    const amount = usage[name];
    if (amount === undefined) continue;
    const old = oldUsage[name];
    if (quantitySign(amount) === 0) continue;
    if (old === undefined) delta[name] = amount;
    else if (compareQuantity(amount, old) > 0)
      delta[name] = formatQuantity(subtractQuantities(parseQuantity(amount), parseQuantity(old)));
  }
  return delta;
}

const COMPUTE = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']);

/** Under a quota on a compute resource every container must say how much of it it wants, unless their pod does. */
function checkSpecified(attributes: AdmissionAttributes, quota: Quota, names: readonly string[]): void {
  const { type } = attributes.definition;
  if (type.group !== '' || type.resource !== 'pods') return;
  const { spec } = attributes.object as unknown as Pod;
  if (Object.keys({ ...spec.resources?.requests, ...spec.resources?.limits }).length > 0) return;
  const missing: string[] = [];
  for (const name of names) {
    if (!COMPUTE.has(name)) continue;
    const [side, resource] = name.startsWith('limits.')
      ? (['limits', name.slice('limits.'.length)] as const)
      : (['requests', name.replace('requests.', '')] as const);
    const containers = [...spec.containers, ...(spec.initContainers ?? [])]
      .filter((container) => container.resources?.[side]?.[resource] === undefined)
      .map((container) => container.name);
    if (containers.length > 0) missing.push(`${name} for: ${containers.sort().join(',')}`);
  }
  if (missing.length > 0)
    throw refuse(attributes, `failed quota: ${quota.metadata.name}: must specify ${missing.join('; ')}`);
}

function hasAny(items: Iterable<unknown>): boolean {
  for (const _ of items) return true;
  return false;
}
