import { canonicalQuantity, quantityMilliValue, quantityValue } from '../../api/quantity.ts';
import type { Container, EphemeralContainer, Pod } from '../types.ts';

/** What a node adds to a pod's own fields. */
export interface FieldContext {
  readonly hostIPs: readonly string[];
  readonly podIPs: readonly string[];
  /** Limits default to this (upstream: the node's allocatable). */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** A field path or resource that cannot be given to a container. */
export class FieldValueError extends Error {
  override readonly name = 'FieldValueError';
}

/** The value of a downward API field path. Throws a FieldValueError for a path that is not supported. */
export function fieldValue(pod: Pod, fieldPath: string, context: FieldContext): string {
  const { metadata, spec } = pod;
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath);
  if (subscript !== null) return metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2] ?? ''] ?? '';
  switch (fieldPath) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace;
    case 'metadata.uid':
      return metadata.uid;
    case 'metadata.labels':
      return formatMap(metadata.labels);
    case 'metadata.annotations':
      return formatMap(metadata.annotations);
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.hostIP':
      return context.hostIPs[0] ?? '';
    case 'status.hostIPs':
      return context.hostIPs.join(',');
    case 'status.podIP':
      return context.podIPs[0] ?? '';
    case 'status.podIPs':
      return context.podIPs.join(',');
    default:
      throw new FieldValueError(`unsupported fieldPath: ${fieldPath}`);
  }
}

/** `key="escaped value"` lines, sorted: the file form of labels and annotations. */
function formatMap(map: Readonly<Record<string, string>> = {}): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join('\n');
}

/** `limits.cpu` and the like of one container, divided and rounded up. Throws a FieldValueError. */
export function resourceFieldValue(
  container: Container | EphemeralContainer,
  resource: string,
  divisor: string | undefined,
  context: FieldContext,
): string {
  const match = /^(limits|requests)\.(.+)$/.exec(resource);
  if (match === null) throw new FieldValueError(`unsupported container resource : ${resource}`);
  const [, kind, name = ''] = match;
  const own = kind === 'limits' ? container.resources?.limits?.[name] : container.resources?.requests?.[name];
  const amount = own ?? (kind === 'limits' ? (context.allocatable[name] ?? '0') : '0');
  const by = divisor === undefined || canonicalQuantity(divisor) === '0' ? '1' : divisor;
  if (name === 'cpu') return String(Math.ceil(quantityMilliValue(amount) / quantityMilliValue(by)));
  return String(Math.ceil(quantityValue(amount) / quantityValue(by)));
}
