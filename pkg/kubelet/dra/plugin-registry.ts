import { watch } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { aborted } from '../../base/abort.ts';
import { Backoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { criErrorText, GrpcConnection, parseFacts } from '../../cri/index.ts';
import { pluginRegistrationFacts } from './plugin-facts.ts';

/** What a plugin says of itself. */
export interface PluginInfo {
  readonly name: string;
  /** The path of the socket that it serves at. */
  readonly endpoint: string;
  readonly supportedVersions: readonly string[];
}

/** What is done with plugins of one type. */
export interface PluginHandler {
  /** Throws an Error with the reason when the plugin is not taken. */
  register(plugin: PluginInfo): Promise<void>;
  /** Its registration socket is gone. */
  deregister(plugin: PluginInfo): void;
}

export interface PluginRegistryDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** By plugin type: `DRAPlugin`. */
  readonly handlers: Readonly<Record<string, PluginHandler>>;
}

interface Known {
  /** Tells a socket from one that took its place. */
  readonly identity: string;
  readonly backoff: Backoff;
  readonly registered: { readonly handler: PluginHandler; readonly plugin: PluginInfo } | undefined;
}

const CALL_TIMEOUT_MS = 10_000;
const RETRY = { initialMs: 500, maxMs: 120_000 };
/** A socket appears before it is served. */
const SETTLE_MS = 50;
/** Linux' sun_path without its end. */
const MAX_SOCKET_PATH = 107;

/**
 * Plugins that offer themselves by a socket in a directory: each is asked what it is, handed to who deals with its type, and told
 * how that went. Corresponds to upstream's plugin watcher (`plugins_registry`).
 */
export class PluginRegistry implements Component {
  readonly name = 'plugin-registry';
  readonly #directory: string;
  readonly #deps: PluginRegistryDeps;
  readonly #facts = parseFacts('pluginregistration', pluginRegistrationFacts);
  readonly #known = new Map<string, Known>();
  #timers: (() => void)[] = [];
  /** One look at a time. */
  #turn: Promise<void> = Promise.resolve();

  constructor(directory: string, deps: PluginRegistryDeps) {
    this.#directory = directory;
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o750 });
    const watcher = watch(this.#directory, () => this.#later(SETTLE_MS, signal));
    watcher.on('error', (error) => this.#deps.logger.warn({ err: error }, 'the directory of plugins is not watched'));
    try {
      this.#later(0, signal);
      ready();
      await aborted(signal);
    } finally {
      watcher.close();
      for (const cancel of this.#timers) cancel();
      await this.#turn;
    }
  }

  #later(ms: number, signal: AbortSignal): void {
    if (signal.aborted) return;
    const cancel = this.#deps.clock.after(ms, () => {
      this.#timers = this.#timers.filter((one) => one !== cancel);
      this.#turn = this.#turn
        .then(() => this.#look(signal))
        .catch((error: unknown) => {
          this.#deps.logger.warn({ err: error }, 'the directory of plugins could not be read');
        });
    });
    this.#timers.push(cancel);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const sockets = await socketsOf(this.#directory);
    for (const [path, { identity, registered }] of this.#known) {
      if (sockets.get(path) === identity) continue;
      this.#known.delete(path);
      if (registered === undefined) continue;
      this.#deps.logger.info({ plugin: registered.plugin.name, socket: path }, 'a plugin went');
      registered.handler.deregister(registered.plugin);
    }
    for (const [path, identity] of sockets) {
      if (signal.aborted) return;
      const known = this.#known.get(path);
      if (known?.registered === undefined)
        await this.#try(path, identity, known?.backoff ?? new Backoff(RETRY), signal);
    }
  }

  async #try(path: string, identity: string, backoff: Backoff, signal: AbortSignal): Promise<void> {
    this.#known.set(path, { identity, backoff, registered: undefined });
    try {
      if (Buffer.byteLength(path) > MAX_SOCKET_PATH) throw new Error('the path of the socket is too long');
      const registered = await this.#register(path);
      this.#known.set(path, { identity, backoff, registered });
      this.#deps.logger.info({ plugin: registered.plugin.name, socket: path }, 'a plugin registered');
    } catch (error) {
      this.#deps.logger.warn({ socket: path, reason: describeError(error) }, 'a plugin could not be registered');
      this.#later(backoff.next(), signal);
    }
  }

  async #register(path: string): Promise<NonNullable<Known['registered']>> {
    const connection = new GrpcConnection(`unix://${path}`);
    const call = (name: string, request: object): Promise<unknown> =>
      connection.unary(this.#facts.method('Registration', name), request, { timeoutMs: CALL_TIMEOUT_MS });
    try {
      const info = (await call('GetInfo', {})) as PluginInfo & { readonly type: string };
      const plugin = { name: info.name, endpoint: info.endpoint || path, supportedVersions: info.supportedVersions };
      const handler = this.#deps.handlers[info.type];
      try {
        if (handler === undefined)
          throw new Error(`no handler registered for plugin type: ${info.type} at socket ${path}`);
        await handler.register(plugin);
      } catch (error) {
        const problem = `RegisterPlugin error -- ${criErrorText(error)}`;
        await call('NotifyRegistrationStatus', { pluginRegistered: false, error: problem });
        throw new Error(problem);
      }
      // It is taken, whether or not it wants to know.
      await call('NotifyRegistrationStatus', { pluginRegistered: true, error: '' }).catch((error: unknown) =>
        this.#deps.logger.warn({ err: error, socket: path }, 'a plugin could not be told that it is registered'),
      );
      return { handler, plugin };
    } finally {
      connection.close();
    }
  }
}

/** Path -> identity of the sockets in a directory. */
async function socketsOf(directory: string): Promise<ReadonlyMap<string, string>> {
  const sockets = new Map<string, string>();
  for (const name of await readdir(directory)) {
    if (name.startsWith('.')) continue;
    const path = join(directory, name);
    // It may be gone by now.
    const found = await stat(path).catch(() => undefined);
    if (found?.isSocket() === true) sockets.set(path, `${found.ino}/${found.ctimeMs}`);
  }
  return sockets;
}
