import type { ResourceDefinition } from '../../api/definition.ts';
import type { Entry } from '../watchcache/entry.ts';
import { type FieldSelector, matchesFields, parseFieldSelector, pinnedValue } from './field-selector.ts';
import { type LabelSelector, matchesLabels, parseLabelSelector } from './label-selector.ts';

/** What a list, watch or deletecollection is about. */
export interface Filter {
  readonly definition: ResourceDefinition;
  /** undefined: all namespaces (and cluster-scoped resources). */
  readonly namespace: string | undefined;
  /** Set when the selection can only be one object. */
  readonly name: string | undefined;
  readonly labels: LabelSelector;
  readonly fields: FieldSelector;
}

export function parseFilter(
  definition: ResourceDefinition,
  namespace: string | undefined,
  query: { readonly labelSelector?: string | undefined; readonly fieldSelector?: string | undefined },
  name?: string,
): Filter {
  const fields = query.fieldSelector ? parseFieldSelector(definition, query.fieldSelector) : [];
  const pinned = name ?? pinnedValue(fields, 'metadata.name');
  const labels = query.labelSelector ? parseLabelSelector(query.labelSelector) : [];
  const inNamespace = namespace ?? (definition.type.namespaced ? pinnedValue(fields, 'metadata.namespace') : undefined);
  return { definition, namespace: inNamespace, name: pinned, labels, fields };
}

/** Whether the filter has no selector (a namespace is none). */
export function selectsAll(filter: Filter): boolean {
  return filter.labels.length === 0 && filter.fields.length === 0 && filter.name === undefined;
}

export function matches(filter: Filter, entry: Entry): boolean {
  if (filter.namespace !== undefined && filter.namespace !== entry.namespace) return false;
  if (filter.name !== undefined && filter.name !== entry.name) return false;
  if (filter.labels.length > 0 && !matchesLabels(filter.labels, entry.object.metadata.labels)) return false;
  return filter.fields.length === 0 || matchesFields(filter.definition, filter.fields, entry.object);
}
