import type { JSONObject } from './scenario.ts';

/** Between recordings and runs these differ: numbers of placeholders, since what was first is chance. */
const NUMBERED = /<(suffix|hash|minute)-\d+>/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;
const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const IPV4 = /\b(?:\d{1,3}\.){3}\d{1,3}\b/g;
const CONTAINER_ID = /\b(?:containerd:\/\/)?[0-9a-f]{64}\b/g;
const PEM_BASE64 = /\bLS0tLS1CRUdJTi[A-Za-z0-9+/=]+/g;
const PEM = /-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----\n?/g;
const KUBELET = /\/[\w./-]+\/agent\/kubelet\b/g;
const NODE = /\bnode-[12]\b/g;

/** What a run calls its own. */
export interface RunNames {
  readonly namespace: string;
  /** Real node names; recordings have node-1 and node-2. */
  readonly nodes: readonly string[];
}

/** A recorded text without what is chance in it. */
export function recordedText(text: string): string {
  return text
    .replace(NUMBERED, (_, name: string) => `<${name}>`)
    .replace(NODE, '<node>')
    .replace(/<kubelet-root>/g, '<kubelet>');
}

/** Turns texts of a run into the form that recorded texts have. */
export class Normalizer {
  readonly #names: RunNames;
  readonly #nodes: RegExp;

  constructor(names: RunNames) {
    this.#names = names;
    this.#nodes = new RegExp(`(?<![\\w-])(?:${names.nodes.join('|')})(?![\\w-])`, 'g');
  }

  text(text: string): string {
    return text
      .replaceAll(this.#names.namespace, '<namespace>')
      .replaceAll(btoa(this.#names.namespace), '<base64>')
      .replace(KUBELET, '<kubelet>')
      .replace(/\bdocker\.io\/library\/busybox/g, 'busybox')
      .replace(TIME, '<time>')
      .replace(UUID, '<uid>')
      .replace(CONTAINER_ID, '<id>')
      .replace(PEM, '<pem>')
      .replace(PEM_BASE64, '<long-value>')
      .replace(IPV4, '<ip>')
      .replace(/kube-api-access-[a-z0-9]{5}\b/g, 'kube-api-access-<suffix>')
      .replace(/default-scheduler-[\w.-]+/g, 'default-scheduler-<host>')
      .replace(this.#nodes, '<node>');
  }
}

/** Applies `text` to every text and key of a value. */
export function mapTexts(value: unknown, text: (text: string) => string): unknown {
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, text));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as JSONObject).map(([key, member]) => [text(key), mapTexts(member, text)]),
  );
}

/** Whether a real name can be what a recording calls `recorded`, such as `web-<hash-1>-<suffix-2>`. */
export function namePattern(recorded: string): RegExp {
  const escaped = recorded.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(
    `^${escaped
      .replace(/<suffix-\d+>/g, '[bcdfghjklmnpqrstvwxz2456789]{5}')
      .replace(/<hash-\d+>/g, '[a-z0-9]{8,10}')
      .replace(/<minute-\d+>/g, '\\d{8,}')}$`,
  );
}
