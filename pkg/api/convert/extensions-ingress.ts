import type { DeepReadonly, KubeObject } from '../object.ts';

type JSONObject = Readonly<Record<string, unknown>>;
type Change = (backend: JSONObject) => JSONObject;

/** extensions/v1beta1 Ingress -> networking.k8s.io/v1: backends name their service and port in an object of their own. */
export function ingressFromExtensions(object: DeepReadonly<KubeObject>): KubeObject {
  return convert(object, 'networking.k8s.io/v1', ['backend', 'defaultBackend'], backendFromExtensions);
}

export function ingressToExtensions(object: DeepReadonly<KubeObject>): KubeObject {
  return convert(object, 'extensions/v1beta1', ['defaultBackend', 'backend'], backendToExtensions);
}

function convert(
  object: DeepReadonly<KubeObject>,
  apiVersion: string,
  [from, to]: readonly [string, string],
  backend: Change,
): KubeObject {
  const { [from]: byDefault, ...spec } = (object['spec'] ?? {}) as Record<string, unknown>;
  if (isObject(byDefault)) spec[to] = backend(byDefault);
  if (Array.isArray(spec['rules'])) {
    spec['rules'] = spec['rules'].map((rule: unknown) => mapMember(rule, 'http', (http) => mapPaths(http, backend)));
  }
  return { ...object, apiVersion, spec } as unknown as KubeObject;
}

function mapPaths(http: JSONObject, backend: Change): JSONObject {
  const { paths } = http;
  if (!Array.isArray(paths)) return http;
  return { ...http, paths: paths.map((path: unknown) => mapMember(path, 'backend', backend)) };
}

function mapMember(owner: unknown, name: string, change: Change): unknown {
  if (!isObject(owner) || !isObject(owner[name])) return owner;
  return { ...owner, [name]: change(owner[name]) };
}

function backendFromExtensions({ serviceName, servicePort, ...rest }: JSONObject): JSONObject {
  if (!serviceName && (servicePort === undefined || servicePort === 0 || servicePort === '')) return rest;
  const port = typeof servicePort === 'string' ? { name: servicePort } : servicePort ? { number: servicePort } : {};
  return { ...rest, service: { name: serviceName ?? '', port } };
}

function backendToExtensions({ service, ...rest }: JSONObject): JSONObject {
  if (!isObject(service)) return rest;
  const { name, number } = (isObject(service['port']) ? service['port'] : {}) as JSONObject;
  return { ...rest, serviceName: service['name'], servicePort: name || (number ?? 0) };
}

function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
