import type { APIService, CustomResourceDefinition } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { equalJSON } from '../../base/json.ts';
import type { ResourceName } from '../definitions.ts';
import { builtinPriority, CUSTOM_PRIORITY, type Priority } from './priorities.ts';

/** `onstart`: created when the server starts, then left to the users. `true`: kept as it is. */
export const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged';
/** Is not registered: it must always be served. */
const OWN_GROUP = 'apiregistration.k8s.io';

export type Managed = 'onstart' | 'true';

export interface WantedService {
  readonly name: string;
  readonly managed: Managed;
  readonly spec: APIService['spec'];
}

/** The APIServices of what the server serves: of every version that is built in, and of every version that a CRD serves. */
export function wantedServices(
  builtin: Iterable<Omit<ResourceName, 'resource'>>,
  crds: Iterable<DeepReadonly<CustomResourceDefinition>>,
): ReadonlyMap<string, WantedService> {
  const wanted = new Map<string, WantedService>();
  const add = (group: string, version: string, managed: Managed, priority: Priority): void => {
    const name = `${version}.${group}`;
    const spec = { group, version, groupPriorityMinimum: priority.group, versionPriority: priority.version };
    if (!wanted.has(name)) wanted.set(name, { name, managed, spec });
  };
  for (const { group, version } of builtin) {
    const priority = builtinPriority(group, version);
    if (priority !== undefined && group !== OWN_GROUP) add(group, version, 'onstart', priority);
  }
  for (const { spec } of crds) {
    for (const version of spec.versions) if (version.served) add(spec.group, version.name, 'true', CUSTOM_PRIORITY);
  }
  return wanted;
}

export type Step = 'none' | 'create' | 'update' | 'delete';

/**
 * What has to happen to the APIService of a name. `isStart`: for the first time since the server started. APIServices without
 * the label belong to somebody else.
 */
export function planService(
  wanted: WantedService | undefined,
  existing: DeepReadonly<APIService> | undefined,
  isStart: boolean,
): Step {
  if (existing === undefined) return wanted !== undefined && (isStart || wanted.managed === 'true') ? 'create' : 'none';
  const managed = existing.metadata.labels?.[AUTOMANAGED];
  if (managed !== 'true' && managed !== 'onstart') return 'none';
  if (wanted === undefined) return managed === 'true' || isStart ? 'delete' : 'none';
  if (wanted.managed === 'onstart' && !isStart) return 'none';
  return managed === wanted.managed && equalJSON(existing.spec, wanted.spec) ? 'none' : 'update';
}
