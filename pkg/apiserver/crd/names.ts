import type { CustomResourceDefinitionNames } from '../../api/generated/types.ts';
import { cloneJSON, type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { NewCondition } from './conditions.ts';
import type { CRD } from './types.ts';

type Names = CustomResourceDefinitionNames;

export interface AcceptedNames {
  readonly acceptedNames: Names;
  readonly condition: NewCondition;
}

/**
 * Which of the names that a definition asks for it gets: those that no definition of its group (itself included) has been
 * given. Names that are taken leave what it had before. Corresponds to upstream's naming controller.
 */
export function acceptNames(crd: CRD, inGroup: Iterable<CRD>): AcceptedNames {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { status } of inGroup) {
    const names = status?.acceptedNames;
    for (const name of [names?.plural, names?.singular, ...(names?.shortNames ?? [])]) if (name) resources.add(name);
    for (const name of [names?.kind, names?.listKind]) if (name) kinds.add(name);
  }
  const wanted = crd.spec.names;
  const had: DeepReadonly<Names> = crd.status?.acceptedNames ?? { plural: '', kind: '' };
  const got: Names = { plural: had.plural, kind: had.kind };
  let problem: { readonly reason: string; readonly message: string } | undefined;
  const take = (key: 'plural' | 'singular' | 'kind' | 'listKind', used: ReadonlySet<string>, reason: string): void => {
    const name = wanted[key] ?? '';
    const isFree = name === had[key] || !used.has(name);
    if (!isFree) problem = { reason, message: inUse(name) };
    const value = isFree ? name : had[key];
    if (value !== undefined && value !== '') got[key] = value;
  };
  take('plural', resources, 'PluralConflict');
  take('singular', resources, 'SingularConflict');
  const conflicts = (wanted.shortNames ?? []).filter((name) => !had.shortNames?.includes(name) && resources.has(name));
  if (conflicts.length > 0) problem = { reason: 'ShortNamesConflict', message: listOf(conflicts.map(inUse)) };
  const shortNames = conflicts.length > 0 ? had.shortNames : wanted.shortNames;
  if (shortNames !== undefined && shortNames.length > 0) got.shortNames = [...shortNames];
  take('kind', kinds, 'KindConflict');
  take('listKind', kinds, 'ListKindConflict');
  if (wanted.categories !== undefined && wanted.categories.length > 0) got.categories = [...wanted.categories];
  const condition: NewCondition =
    problem === undefined
      ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
      : { type: 'NamesAccepted', status: 'False', ...problem };
  return { acceptedNames: equalJSON(got, had) ? cloneJSON(had) : got, condition };
}

function inUse(name: string): string {
  return `${JSON.stringify(name)} is already in use`;
}

function listOf(texts: readonly string[]): string {
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}
