import { newStatus, StatusError } from '../errors.ts';
import { type FieldSet, pathsOf } from './field-set.ts';
import type { Managed } from './managed-fields.ts';
import { formatPath } from './path-element.ts';

/** What a manager owns of what somebody else wants to set to another value. */
export interface Conflict {
  readonly owner: Managed;
  readonly fields: FieldSet;
}

/** 409 Conflict with a cause for every field. */
export function applyConflict(conflicts: readonly Conflict[]): StatusError {
  const owners = conflicts
    .map(({ owner, fields }) => ({ owner: describeOwner(owner), paths: pathsOf(fields).map(formatPath) }))
    .sort((a, b) => (a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : 0));
  const causes = owners.flatMap(({ owner, paths }) =>
    paths.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${owner}`, field })),
  );
  const first = causes[0];
  const text =
    causes.length === 1
      ? `1 conflict: ${first?.message}: ${first?.field}`
      : `${causes.length} conflicts: ${owners
          .flatMap(({ owner, paths }) => [`conflicts with ${owner}:`, ...paths.map((path) => `- ${path}`)])
          .join('\n')}`;
  return new StatusError(newStatus(409, 'Conflict', `Apply failed with ${text}`, { causes }));
}

/** `"kubectl-edit" using v1`, `"kubelet" with subresource "status" using v1`, `"helm"` for an applier. */
function describeOwner({ manager, operation, apiVersion, subresource }: Managed): string {
  const through = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  return `${JSON.stringify(manager)}${through}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;
}
