import { isObject, placeholder, type Variables } from './variables.ts';

type JSONObject = Record<string, unknown>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;
export const ADDRESS = /^(\d+\.\d+\.\d+\.\d+|[0-9a-f:]*:[0-9a-f:]+)$/i;
const RECENT_MS = 26 * 3_600_000;
/** How much of generateName is sure to stay in a name. */
const GENERATED_BASE = 58;
/** Managers that may or may not have been at an object when it was looked at. */
const CONTROLLER = /^(kube-(controller-manager|scheduler|proxy)|kubelet|cloud-controller-manager)$/;
/** Objects that controllers put into every namespace. */
const INTRUDERS: ReadonlySet<unknown> = new Set(['kube-root-ca.crt', 'openshift-service-ca.crt']);

export function isIntruder(object: unknown): boolean {
  return isObject(object) && isObject(object['metadata']) && INTRUDERS.has(object['metadata']['name']);
}

export function isRecent(text: string): boolean {
  return TIME.test(text) && Math.abs(Date.parse(text) - Date.now()) < RECENT_MS;
}

/** Puts placeholders where runs differ: identifiers, times, addresses, generated names, captured values. */
export class Normalizer {
  readonly #captured: readonly (readonly [text: string, name: string])[];
  readonly #keepManagedFields: boolean;

  constructor(variables: Variables, keepManagedFields = false) {
    this.#captured = Object.entries(variables)
      .map(([name, value]) => [String(value), name] as const)
      .filter(([text, name]) => name === 'ns' || (text.length >= 8 && !/^[\d.:]+$/.test(text)))
      .sort(([a], [b]) => b.length - a.length)
      .map(([text, name]) => [text, placeholder(name)] as const);
    this.#keepManagedFields = keepManagedFields;
  }

  text(text: string): string {
    let result = text;
    for (const [captured, name] of this.#captured) result = result.replaceAll(captured, () => name);
    return result.replace(/kube-api-access-[a-z0-9]{5}\b/g, `kube-api-access-${placeholder('rand')}`);
  }

  value(value: unknown, key = ''): unknown {
    if (typeof value === 'string') return this.#string(value, key);
    if (typeof value === 'number') {
      return (key === 'nodePort' || key === 'healthCheckNodePort') && value > 0 ? placeholder('port') : value;
    }
    if (Array.isArray(value)) return value.map((item) => this.value(item, key));
    return isObject(value) ? this.#object(value) : value;
  }

  #string(value: string, key: string): string {
    if (key === 'resourceVersion') return /^\d+$/.test(value) ? placeholder('rv') : value;
    if (key === 'continue') return value === '' ? '' : placeholder('continue');
    if (key === 'clusterIP' || key === 'clusterIPs') return ADDRESS.test(value) ? placeholder('ip') : value;
    if (JWT.test(value)) return placeholder('jwt');
    if (TIME.test(value)) {
      if (!isRecent(value)) return value;
      return /\.\d{6}/.test(value) ? placeholder('tsmicro') : placeholder('ts');
    }
    const text = this.text(value);
    return UUID.test(text) ? placeholder('uuid') : text;
  }

  #object(value: JSONObject): JSONObject {
    const result: JSONObject = {};
    for (const [key, member] of Object.entries(value)) {
      if (key === 'creationTimestamp' && member === null) continue;
      if (key === 'continue' && member === '') continue;
      if (key !== 'managedFields') result[this.text(key)] = this.value(member, key);
      else if (this.#keepManagedFields) result[key] = this.#managers(member);
    }
    this.#blankGeneratedName(value['metadata'], result['metadata']);
    return result;
  }

  /** A generated name keeps its prefix. */
  #blankGeneratedName(given: unknown, result: unknown): void {
    if (!isObject(given) || !isObject(result)) return;
    const { generateName, name } = given;
    if (typeof generateName !== 'string' || typeof name !== 'string') return;
    const base = generateName.slice(0, GENERATED_BASE);
    if (!name.startsWith(base) || name.length <= base.length) return;
    if (!/\$\{(?!ns\})\w+\}/.test(String(result['name']))) result['name'] = `${this.text(base)}${placeholder('rand')}`;
  }

  #managers(entries: unknown): unknown[] {
    const list = (Array.isArray(entries) ? entries : []) as JSONObject[];
    const order = (entry: JSONObject): string =>
      JSON.stringify([entry['manager'], entry['operation'], entry['subresource']]);
    return list
      .filter(({ manager }) => !CONTROLLER.test(String(manager)))
      .map((entry) => {
        const { time: _, ...rest } = JSON.parse(this.text(JSON.stringify(entry))) as JSONObject;
        return rest;
      })
      .sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }
}
