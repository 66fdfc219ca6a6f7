import { notFound } from '../../../api/errors.ts';
import { resources } from '../../../api/generated/resources.ts';
import type { LabelSelector, Namespace } from '../../../api/generated/types.ts';
import type { KubeObject } from '../../../api/object.ts';
import { isEmptySelector, matchesLabelSelector } from '../../../api/selector.ts';
import type { DeepReadonly } from '../../../base/json.ts';
import type { AdmissionAttributes, ObjectReader } from '../../contract.ts';

type Selector = DeepReadonly<LabelSelector> | undefined;

/**
 * Whether the namespace of a request has the labels; requests outside of namespaces always match. A Namespace that is written
 * is judged by its new labels. Throws NotFound for a namespace that is not there.
 */
export function matchesNamespaceSelector(
  selector: Selector,
  attributes: AdmissionAttributes,
  reader: ObjectReader,
): boolean {
  if (selector === undefined || isEmptySelector(selector)) return true;
  const { definition, operation, subresource, object } = attributes;
  const isNamespace = definition.type.group === '' && definition.type.resource === 'namespaces';
  if (isNamespace && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE')) {
    return matchesLabelSelector(selector, object?.metadata.labels);
  }
  const name = namespaceOf(attributes);
  return name === '' || matchesLabelSelector(selector, requireNamespace(reader, name).metadata.labels);
}

/** Whether the new or the old object has the labels. */
export function matchesObjectSelector(selector: Selector, { object, oldObject }: AdmissionAttributes): boolean {
  if (selector === undefined || isEmptySelector(selector)) return true;
  return hasLabels(selector, object) || hasLabels(selector, oldObject);
}

function hasLabels(selector: DeepReadonly<LabelSelector>, object: DeepReadonly<KubeObject> | undefined): boolean {
  return object !== undefined && matchesLabelSelector(selector, object.metadata?.labels);
}

/** The namespace of a request; a Namespace is in itself. */
export function namespaceOf({ definition, namespace, name }: AdmissionAttributes): string {
  const isNamespace = definition.type.group === '' && definition.type.resource === 'namespaces';
  return isNamespace ? (name ?? '') : namespace;
}

/** Throws NotFound. */
export function requireNamespace(reader: ObjectReader, name: string): DeepReadonly<Namespace> {
  const found = reader.get(resources.namespaces, { name });
  if (found === undefined) throw notFound(resources.namespaces, name);
  return found;
}
