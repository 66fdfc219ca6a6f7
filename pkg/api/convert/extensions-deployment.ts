import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { KubeObject } from '../object.ts';

type JSONObject = Readonly<Record<string, unknown>>;

/** Where apps/v1 keeps the revision to go back to, which it has no field for. */
const ROLLBACK = 'deprecated.deployment.rollback.to';

/** extensions/v1beta1 Deployment -> apps/v1. */
export function deploymentFromExtensions(object: DeepReadonly<KubeObject>): KubeObject {
  const { rollbackTo, ...spec } = (object['spec'] ?? {}) as JSONObject;
  const { [ROLLBACK]: before, ...others } = object.metadata.annotations ?? {};
  const annotations = isObject(rollbackTo) ? { ...others, [ROLLBACK]: String(rollbackTo['revision'] ?? 0) } : others;
  return withAnnotations({ ...object, apiVersion: 'apps/v1', spec }, object, annotations);
}

export function deploymentToExtensions(object: DeepReadonly<KubeObject>): KubeObject {
  const { [ROLLBACK]: revision, ...annotations } = object.metadata.annotations ?? {};
  const spec = (object['spec'] ?? {}) as JSONObject;
  const rollbackTo = /^\d+$/.test(revision ?? '') ? { rollbackTo: { revision: Number(revision) } } : {};
  return withAnnotations(
    { ...object, apiVersion: 'extensions/v1beta1', spec: { ...spec, ...rollbackTo } },
    object,
    annotations,
  );
}

function withAnnotations(
  changed: object,
  object: DeepReadonly<KubeObject>,
  annotations: Readonly<Record<string, string>>,
): KubeObject {
  if (equalJSON(annotations, object.metadata.annotations ?? {})) return changed as KubeObject;
  const { annotations: _, ...metadata } = object.metadata;
  const isEmpty = Object.keys(annotations).length === 0;
  return { ...changed, metadata: isEmpty ? metadata : { ...metadata, annotations } } as unknown as KubeObject;
}

function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null;
}
