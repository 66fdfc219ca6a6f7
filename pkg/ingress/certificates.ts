import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Ingress, Secret } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import { wildcardOf } from './routing-table.ts';

export interface ServingPair {
  readonly certificatePEM: string;
  readonly keyPEM: string;
}

interface Loaded {
  readonly context: SecureContext;
  readonly names: readonly string[];
}

/** The certificates of the Ingresses' hosts, by the name that a client asks for. */
export class Certificates {
  readonly #secretOf: (key: string) => DeepReadonly<Secret> | undefined;
  /** By Secret: what was made of one of its versions. */
  readonly #loaded = new Map<string, { readonly version: string; readonly loaded: Loaded | string }>();
  /** Host -> Secret. */
  #hosts = new Map<string, string>();

  constructor(secretOf: (key: string) => DeepReadonly<Secret> | undefined) {
    this.#secretOf = secretOf;
  }

  /** Takes up the TLS sections; returns what is wrong, by Ingress. */
  update(ingresses: readonly DeepReadonly<Ingress>[]): Map<string, readonly string[]> {
    const problems = new Map<string, string[]>();
    const hosts = new Map<string, string>();
    const used = new Set<string>();
    for (const { metadata, spec } of ingresses) {
      for (const { hosts: named = [], secretName } of spec?.tls ?? []) {
        if (secretName === undefined || secretName === '') continue;
        const key = `${metadata.namespace}/${secretName}`;
        used.add(key);
        const loaded = this.#load(key);
        if (typeof loaded === 'string') {
          const ingress = `${metadata.namespace}/${metadata.name}`;
          problems.set(ingress, [...(problems.get(ingress) ?? []), `Secret ${key}: ${loaded}`]);
          continue;
        }
        for (const host of named.length > 0 ? named : loaded.names)
          if (!hosts.has(host.toLowerCase())) hosts.set(host.toLowerCase(), key);
      }
    }
    for (const key of this.#loaded.keys()) if (!used.has(key)) this.#loaded.delete(key);
    this.#hosts = hosts;
    return problems;
  }

  /** undefined: the default certificate serves. */
  contextFor(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase();
    const key = this.#hosts.get(name) ?? this.#hosts.get(wildcardOf(name));
    const entry = key === undefined ? undefined : this.#loaded.get(key)?.loaded;
    return typeof entry === 'object' ? entry.context : undefined;
  }

  #load(key: string): Loaded | string {
    const secret = this.#secretOf(key);
    if (secret === undefined) return 'is not there';
    const version = `${secret.metadata.uid} ${secret.metadata.resourceVersion}`;
    const known = this.#loaded.get(key);
    if (known?.version === version) return known.loaded;
    const loaded = loadSecret(secret);
    this.#loaded.set(key, { version, loaded });
    return loaded;
  }
}

/** What is wrong with it, as text, when it cannot be used. */
function loadSecret({ data }: DeepReadonly<Secret>): Loaded | string {
  const { 'tls.crt': certificate, 'tls.key': key } = data ?? {};
  if (certificate === undefined || key === undefined) return 'has no tls.crt and tls.key';
  const cert = Buffer.from(certificate, 'base64');
  try {
    const context = createSecureContext({ cert, key: Buffer.from(key, 'base64') });
    const names = new X509Certificate(cert).subjectAltName ?? '';
    return { context, names: [...names.matchAll(/DNS:([^,\s]+)/g)].map(([, name = '']) => name) };
  } catch {
    return 'is no certificate with its key';
  }
}
