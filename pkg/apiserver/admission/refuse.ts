import { forbidden, type StatusError } from '../../api/errors.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { AdmissionAttributes } from '../contract.ts';

/** The Forbidden error of an admission plugin about the object of a request. */
export function refuse(attributes: AdmissionAttributes, reason: string): StatusError {
  return forbidden(attributes.definition.type, nameOf(attributes), reason);
}

/** The name of the object, or its generateName as long as it has none. */
export function nameOf(attributes: AdmissionAttributes): string {
  const metadata = attributes.object?.metadata;
  return attributes.name || metadata?.name || (metadata?.generateName ?? '');
}

/** The pod of a request for pods. The schema has been checked, so it has the shape; containers may still be missing. */
export function podOf(attributes: AdmissionAttributes): Pod {
  const pod = attributes.object as unknown as Pod;
  pod.spec.containers ??= [];
  return pod;
}

/** A filter for pods themselves, without subresources. */
export function forPods(...operations: readonly string[]): {
  handles(operation: string, definition: AdmissionAttributes['definition'], subresource: string): boolean;
} {
  return {
    handles: (operation, { type }, subresource) =>
      type.group === '' && type.resource === 'pods' && subresource === '' && operations.includes(operation),
  };
}

/** A filter for one resource without subresources. */
export function forResource(
  group: string,
  resource: string,
  ...operations: readonly string[]
): { handles(operation: string, definition: AdmissionAttributes['definition'], subresource: string): boolean } {
  return {
    handles: (operation, { type }, subresource) =>
      type.group === group && type.resource === resource && subresource === '' && operations.includes(operation),
  };
}
