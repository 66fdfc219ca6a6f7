import type { DeepReadonly, KubeObject } from '../object.ts';

type JSONObject = Readonly<Record<string, unknown>>;

/**
 * resource.k8s.io/v1beta1 <-> v1. v1beta1 wraps a device in `basic`, v1 does not; v1 wraps a request for a device in `exactly`,
 * v1beta1 does not.
 */
export function resourceFromV1Beta1(object: DeepReadonly<KubeObject>): KubeObject {
  return convert(object, 'resource.k8s.io/v1', unwrapDevice, wrapRequest);
}

export function resourceToV1Beta1(object: DeepReadonly<KubeObject>): KubeObject {
  return convert(object, 'resource.k8s.io/v1beta1', wrapDevice, unwrapRequest);
}

function convert(
  object: DeepReadonly<KubeObject>,
  apiVersion: string,
  device: (one: JSONObject) => JSONObject,
  request: (one: JSONObject) => JSONObject,
): KubeObject {
  const out = { ...object, apiVersion } as KubeObject;
  const spec = object['spec'] as JSONObject | undefined;
  if (spec === undefined) return out;
  if (object.kind === 'ResourceSlice') out['spec'] = mapList(spec, 'devices', device);
  if (object.kind === 'ResourceClaim') out['spec'] = claim(spec, request);
  if (object.kind === 'ResourceClaimTemplate' && isObject(spec['spec'])) {
    out['spec'] = { ...spec, spec: claim(spec['spec'], request) };
  }
  return out;
}

function claim(spec: JSONObject, request: (one: JSONObject) => JSONObject): JSONObject {
  return isObject(spec['devices']) ? { ...spec, devices: mapList(spec['devices'], 'requests', request) } : spec;
}

function mapList(owner: JSONObject, field: string, change: (one: JSONObject) => JSONObject): JSONObject {
  const list = owner[field];
  return Array.isArray(list)
    ? { ...owner, [field]: list.map((one: unknown) => (isObject(one) ? change(one) : one)) }
    : owner;
}

function unwrapDevice(device: JSONObject): JSONObject {
  const { basic, ...rest } = device;
  return isObject(basic) ? { ...rest, ...basic } : rest;
}

function wrapDevice(device: JSONObject): JSONObject {
  const { name, ...basic } = device;
  return { name, basic };
}

function wrapRequest(request: JSONObject): JSONObject {
  const { name, firstAvailable, ...exactly } = request;
  if (firstAvailable !== undefined) return { name, firstAvailable };
  return { name, exactly };
}

function unwrapRequest(request: JSONObject): JSONObject {
  const { exactly, ...rest } = request;
  return isObject(exactly) ? { ...rest, ...exactly } : rest;
}

function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
