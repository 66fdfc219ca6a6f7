import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { resources } from '../../api/generated/resources.ts';
import { aborted } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { Counter, type Metrics } from '../../base/metrics.ts';
import { type Sealer, StoreError } from '../../storage/index.ts';
import { REGISTRY_PREFIX } from '../watchcache/watch-cache.ts';
import { type EncryptionRule, type Method, readEncryptionConfiguration, ruleFor } from './configuration.ts';

export interface EncryptionDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const MARK = Buffer.from('k8s:enc:');
const OPEN_BRACE = 0x7b;
/** Editors write a file in several steps. */
const SETTLE_MS = 200;

const CORE_RESOURCES: ReadonlySet<string> = new Set(
  Object.values(resources)
    .filter(({ group }) => group === '')
    .map(({ resource }) => resource),
);

/** Encryption at rest as an EncryptionConfiguration file has it. As a component it follows the file. */
export class Encryption implements Sealer, Component {
  readonly name = 'encryption';
  readonly #file: string;
  readonly #deps: EncryptionDeps;
  readonly #reloads: Counter;
  #rules: readonly EncryptionRule[];
  /** By the part of a storage key that names the resource. */
  readonly #ruleOf = new Map<string, EncryptionRule | undefined>();

  private constructor(file: string, rules: readonly EncryptionRule[], deps: EncryptionDeps) {
    this.#file = file;
    this.#rules = rules;
    this.#deps = deps;
    this.#reloads = new Counter({
      name: 'apiserver_encryption_config_controller_automatic_reloads_total',
      help: 'How often the encryption configuration was read again.',
      labelNames: ['status'],
      registers: [deps.metrics],
    });
  }

  /** Throws ConfigError for a file that cannot be used. */
  static async open(file: string, deps: EncryptionDeps): Promise<Encryption> {
    return new Encryption(file, await readEncryptionConfiguration(file), deps);
  }

  seal(key: string, value: Uint8Array): Uint8Array {
    const writer = this.#ruleFor(key)?.methods[0];
    if (writer?.cipher === undefined) return value;
    return Buffer.concat([Buffer.from(writer.prefix), writer.cipher.seal(value, key)]);
  }

  open(key: string, value: Uint8Array): Uint8Array {
    const methods = this.#ruleFor(key)?.methods;
    if (!isSealed(value)) {
      if (methods === undefined || methods.some(({ cipher }) => cipher === undefined)) return value;
      throw this.#unreadable(key, 'it is stored unencrypted, and its providers do not include identity');
    }
    let failure: unknown;
    for (const { prefix, cipher } of methods ?? []) {
      if (cipher === undefined || !startsWith(value, prefix)) continue;
      try {
        const plain = cipher.open(value.subarray(prefix.length), key);
        // Not every cipher notices a wrong key.
        if (plain[0] === OPEN_BRACE) return plain;
      } catch (error) {
        failure = error;
      }
      throw this.#unreadable(key, `the key of that name did not write what begins with ${prefix}`, failure);
    }
    const end = value.indexOf(0x3a, value.indexOf(0x3a, value.indexOf(0x3a, MARK.length) + 1) + 1);
    const prefix = Buffer.from(value.subarray(0, Math.min(end + 1, 100))).toString('latin1');
    throw this.#unreadable(key, `it is stored with ${prefix}, which no provider of its resource has`);
  }

  covers(key: string): boolean {
    return this.#ruleFor(key) !== undefined;
  }

  isStale(key: string, value: Uint8Array): boolean {
    const writer = this.#ruleFor(key)?.methods[0];
    if (writer === undefined) return false;
    return writer.cipher === undefined ? isSealed(value) : !startsWith(value, writer.prefix);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, logger } = this.#deps;
    let before = await readFile(this.#file, 'utf8');
    let watcher: FSWatcher | undefined;
    let cancel = (): void => {};
    const check = async (): Promise<void> => {
      try {
        const now = await readFile(this.#file, 'utf8');
        if (now === before) return;
        this.#use(await readEncryptionConfiguration(this.#file));
        before = now;
        this.#reloads.inc({ status: 'success' });
        logger.info({ file: this.#file }, 'encryption configuration read again');
      } catch (error) {
        this.#reloads.inc({ status: 'failure' });
        logger.error({ err: error, file: this.#file }, 'the former encryption configuration stays in use');
      }
    };
    try {
      // The directory: the file may be replaced by another, as mounted Secrets are.
      watcher = watch(dirname(this.#file), () => {
        cancel();
        cancel = clock.after(SETTLE_MS, () => void check());
      });
      watcher.on('error', (error) => logger.warn({ err: error }, 'the encryption configuration is not followed'));
      ready();
      await aborted(signal);
    } finally {
      cancel();
      watcher?.close();
    }
  }

  #use(rules: readonly EncryptionRule[]): void {
    this.#rules = rules;
    this.#ruleOf.clear();
  }

  #ruleFor(key: string): EncryptionRule | undefined {
    const first = key.indexOf('/', REGISTRY_PREFIX.length);
    const head = key.slice(REGISTRY_PREFIX.length, first);
    const isCore = CORE_RESOURCES.has(head);
    const place = isCore ? head : key.slice(REGISTRY_PREFIX.length, key.indexOf('/', first + 1));
    if (this.#ruleOf.has(place)) return this.#ruleOf.get(place);
    const resource = isCore ? head : place.slice(head.length + 1);
    const rule = ruleFor(this.#rules, isCore ? '' : head, resource);
    this.#ruleOf.set(place, rule);
    return rule;
  }

  #unreadable(key: string, why: string, cause?: unknown): StoreError {
    return new StoreError('UNREADABLE', `${key} cannot be read with the keys in ${this.#file}: ${why}`, { cause });
  }
}

function isSealed(value: Uint8Array): boolean {
  return value[0] === MARK[0] && MARK.equals(value.subarray(0, MARK.length));
}

function startsWith(value: Uint8Array, prefix: Method['prefix']): boolean {
  return Buffer.from(prefix).equals(value.subarray(0, prefix.length));
}
