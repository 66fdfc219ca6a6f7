import type { ResourceDefinition } from '../../api/definition.ts';
import { badRequest } from '../../api/errors.ts';
import {
  type FieldSelector,
  fieldValue,
  matchesFields,
  parseFieldSelector,
  pinnedValue,
} from '../../api/field-selector.ts';
import { type LabelQuery, parseLabelQuery } from '../../api/label-query.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import { matchesRequirements } from '../../api/selector.ts';
import type { Entry } from '../watchcache/entry.ts';

/** Groups some of whose kinds upstream gives selectable fields, and then its own words about others. */
const groupsWithOwnRules: ReadonlySet<string> = new Set(['', 'certificates.k8s.io', 'events.k8s.io']);

/** What a list, watch or deletecollection is about. */
export interface Filter {
  readonly definition: ResourceDefinition;
  /** undefined: all namespaces (and cluster-scoped resources). */
  readonly namespace: string | undefined;
  /** Set when the selection can only be one object. */
  readonly name: string | undefined;
  readonly labels: LabelQuery;
  readonly fields: FieldSelector;
}

export function parseFilter(
  definition: ResourceDefinition,
  namespace: string | undefined,
  query: { readonly labelSelector?: string | undefined; readonly fieldSelector?: string | undefined },
  name?: string,
): Filter {
  const fields = query.fieldSelector ? fieldsOf(definition, query.fieldSelector) : [];
  const pinned = name ?? pinnedValue(fields, 'metadata.name');
  const labels = query.labelSelector ? parseLabelQuery(query.labelSelector) : [];
  const inNamespace = namespace ?? (definition.type.namespaced ? pinnedValue(fields, 'metadata.namespace') : undefined);
  return { definition, namespace: inNamespace, name: pinned, labels, fields };
}

/** Whether the filter has no selector (a namespace is none). */
export function selectsAll(filter: Filter): boolean {
  return filter.labels.length === 0 && filter.fields.length === 0 && filter.name === undefined;
}

/** The scope of a filter without its selectors. */
export function wholeScope({ definition, namespace }: Filter): Filter {
  return { definition, namespace, name: undefined, labels: [], fields: [] };
}

/**
 * The part of a filter that stored objects can be asked about; undefined: all of it. Fields of a custom resource are those of
 * the version that is asked for, thus only known of objects in that version.
 */
export function storedPart(filter: Filter): Filter | undefined {
  if (filter.definition.custom !== true || filter.fields.every(isMetadata)) return undefined;
  return { ...filter, fields: filter.fields.filter(isMetadata) };
}

function isMetadata({ field }: FieldSelector[number]): boolean {
  return field.startsWith('metadata.');
}

export function matches(filter: Filter, entry: Entry): boolean {
  if (filter.namespace !== undefined && filter.namespace !== entry.namespace) return false;
  if (filter.name !== undefined && filter.name !== entry.name) return false;
  if (filter.labels.length > 0 && !matchesRequirements(filter.labels, entry.object.metadata.labels)) return false;
  return filter.fields.length === 0 || matchesFields(filter.fields, valuesOf(filter.definition, entry.object));
}

/** A field selector with fields that the resource allows; throws BadRequest. */
function fieldsOf({ type, selectableFields, custom }: ResourceDefinition, text: string): FieldSelector {
  const selector = parseFieldSelector(text);
  const ownRules = custom === true || (selectableFields.length > 0 && groupsWithOwnRules.has(type.group));
  for (const { field } of selector) {
    if (field === 'metadata.name' || selectableFields.includes(field)) continue;
    if (field === 'metadata.namespace' && (type.namespaced || !ownRules)) continue;
    if (ownRules) throw badRequest(`field label not supported: ${field}`);
    const known = ['metadata.name', 'metadata.namespace', ...selectableFields].map((name) => `"${name}"`).join(', ');
    throw badRequest(`${JSON.stringify(field)} is not a known field selector: only ${known}`);
  }
  return selector;
}

function valuesOf(definition: ResourceDefinition, object: DeepReadonly<KubeObject>): (field: string) => string {
  let fields: Readonly<Record<string, string>> | undefined;
  return (field) => {
    if (field === 'metadata.name') return object.metadata.name;
    if (field === 'metadata.namespace') return object.metadata.namespace ?? '';
    fields ??= definition.strategy.selectableFields?.(object) ?? {};
    return fields[field] ?? fieldValue(object, field);
  };
}
