import type { NamespaceCondition } from '../../api/generated/types.ts';
import type { DeepReadonly, ResourceType } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';

/** What a pass over a namespace's content has found. */
export interface ContentReport {
  readonly discoveryErrors: readonly string[];
  readonly deletionErrors: readonly string[];
  /** Resources with the number of objects left. */
  readonly remaining: readonly { readonly type: ResourceType; readonly count: number }[];
  /** Finalizers of what is left, with the number of objects that have them. */
  readonly finalizers: ReadonlyMap<string, number>;
}

/** The conditions of a namespace that is being deleted, in upstream's order. Times change only with the status. */
export function deletionConditions(
  report: ContentReport,
  current: readonly DeepReadonly<NamespaceCondition>[],
  nowMs: number,
): NamespaceCondition[] {
  const { discoveryErrors, deletionErrors, remaining, finalizers } = report;
  const counts = remaining.map(({ type, count }) => `${type.resource}.${type.group} has ${count} resource instances`);
  const held = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`);
  const rows: readonly [type: string, bad: string | undefined, badReason: string, reason: string, message: string][] = [
    [
      'NamespaceDeletionDiscoveryFailure',
      discoveryErrors.length > 0
        ? `Discovery failed for some groups, ${discoveryErrors.length} failing: unable to retrieve the complete list of server APIs: ${discoveryErrors.toSorted().join(', ')}`
        : undefined,
      'DiscoveryFailed',
      'ResourcesDiscovered',
      'All resources successfully discovered',
    ],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      undefined,
      'GroupVersionParsingFailed',
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ],
    [
      'NamespaceDeletionContentFailure',
      deletionErrors.length > 0
        ? `Failed to delete all resource types, ${deletionErrors.length} remaining: ${deletionErrors.toSorted().join(', ')}`
        : undefined,
      'ContentDeletionFailed',
      'ContentDeleted',
      'All content successfully deleted, may be waiting on finalization',
    ],
    [
      'NamespaceContentRemaining',
      counts.length > 0 ? `Some resources are remaining: ${counts.toSorted().join(', ')}` : undefined,
      'SomeResourcesRemain',
      'ContentRemoved',
      'All content successfully removed',
    ],
    [
      'NamespaceFinalizersRemaining',
      held.length > 0
        ? `Some content in the namespace has finalizers remaining: ${held.toSorted().join(', ')}`
        : undefined,
      'SomeFinalizersRemain',
      'ContentHasNoFinalizers',
      'All content-preserving finalizers finished',
    ],
  ];
  return rows.map(([type, bad, badReason, goodReason, goodMessage]) => {
    const status = bad === undefined ? 'False' : 'True';
    const old = current.find((condition) => condition.type === type);
    const lastTransitionTime = (old?.status === status ? old.lastTransitionTime : undefined) ?? formatTime(nowMs);
    const reason = bad === undefined ? goodReason : badReason;
    return { type, status, lastTransitionTime, reason, message: bad ?? goodMessage };
  });
}
