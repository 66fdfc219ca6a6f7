import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Backoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Exec } from '../../base/exec.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { connectCRI } from '../client.ts';
import { PAUSE_IMAGE, renderContainerdConfig } from './config.ts';
import { containerdEvents } from './events.ts';
import { detectContainerdHost } from './host.ts';
import { type ProcessRecord, processStartTime, readRunning, spawnDetached, terminate, writeRecord } from './process.ts';
import type { RegistryAuth } from './registries.ts';

export interface ContainerdOptions {
  /** Holds containerd, containerd-shim-runc-v2, ctr, runc and what stands before it. */
  readonly binDir: string;
  /** Shared libraries for runc. */
  readonly libDir?: string;
  readonly rootDir: string;
  readonly stateDir: string;
  readonly logPath: string;
  readonly cniBinDir: string;
  readonly cniConfDir: string;
  readonly sandboxImage?: string;
  readonly registryConfigDir?: string;
  /** Asked when containerd's configuration is written. */
  readonly registryAuths?: () => ReadonlyMap<string, RegistryAuth>;
  /** Proxy variables and the like for image pulls. */
  readonly env?: Readonly<Record<string, string>>;
  /** End containerd with this component; otherwise it goes on and the next start adopts it. */
  readonly stopOnExit?: boolean;
}

export interface ContainerdDeps {
  readonly clock: Clock;
  readonly exec: Exec;
  readonly logger: Logger;
}

export interface ContainerdPaths {
  readonly socketPath: string;
  readonly configPath: string;
  readonly recordPath: string;
}

export function containerdPaths(options: Pick<ContainerdOptions, 'rootDir' | 'stateDir'>): ContainerdPaths {
  return {
    socketPath: join(options.stateDir, 'containerd.sock'),
    configPath: join(options.rootDir, 'config.toml'),
    recordPath: join(options.rootDir, 'containerd.pid.json'),
  };
}

const HOST_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const READY_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 10_000;

/**
 * Runs containerd as a detached child: it and the containers' shims outlive this process, and a start finds and adopts what
 * runs already. A containerd that dies is started again, with back-off; it finds its shims by its state directory.
 */
export class ContainerdSupervisor implements Component {
  readonly name = 'containerd';
  readonly paths: ContainerdPaths;
  readonly #options: ContainerdOptions;
  readonly #deps: ContainerdDeps;
  #snapshotter: 'overlayfs' | 'native' = 'overlayfs';

  constructor(options: ContainerdOptions, deps: ContainerdDeps) {
    this.#options = options;
    this.#deps = deps;
    this.paths = containerdPaths(options);
  }

  /** How images and containers are laid out on disk: known once containerd is ready. */
  get snapshotter(): string {
    return this.#snapshotter;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, logger } = this.#deps;
    const digest = await this.#writeConfig();
    let record = await this.#adopt(digest);
    const backoff = new Backoff({ initialMs: 100, maxMs: 30_000 });
    let announced = false;
    while (!signal.aborted) {
      const startedAt = clock.monotonic();
      const ended = new AbortController();
      const gone =
        record === undefined ? await this.#start(digest) : { record, exited: this.#watchAdopted(record, ended.signal) };
      record = gone.record;
      const cause = gone.exited.then((reason) => {
        ended.abort();
        return reason;
      });
      if (await this.#untilReady(AbortSignal.any([signal, ended.signal]))) {
        logger.info({ pid: record.pid }, 'containerd is ready');
        if (!announced) ready();
        announced = true;
      }
      const reason = await Promise.race([cause, onAbort(signal)]);
      ended.abort();
      if (signal.aborted) break;
      logger.warn({ reason, pid: record.pid }, 'containerd ended; starting it again');
      record = undefined;
      if (clock.monotonic() - startedAt > 60_000) backoff.reset();
      await clock.sleep(backoff.next(), signal);
    }
    if (this.#options.stopOnExit === true && record !== undefined) {
      await terminate(record, STOP_GRACE_MS, clock);
      await rm(this.paths.recordPath, { force: true });
    }
  }

  async #writeConfig(): Promise<string> {
    const {
      binDir,
      rootDir,
      stateDir,
      cniConfDir,
      cniBinDir,
      registryConfigDir,
      registryAuths,
      sandboxImage = PAUSE_IMAGE,
    } = this.#options;
    const host = await detectContainerdHost(rootDir, this.#deps.exec);
    this.#snapshotter = host.snapshotter;
    const { socketPath, configPath } = this.paths;
    const text = renderContainerdConfig({
      rootDir,
      stateDir,
      socketPath,
      cniConfDir,
      cniBinDir,
      runtimePath: join(binDir, 'kube-lite-runc'),
      sandboxImage,
      registryConfigDir,
      ...(registryAuths === undefined ? {} : { registryAuths: registryAuths() }),
      ...host,
    });
    for (const dir of [dirname(configPath), dirname(socketPath)]) await mkdir(dir, { recursive: true, mode: 0o711 });
    await mkdir(cniConfDir, { recursive: true });
    await writeFile(`${configPath}.new`, text, { mode: 0o600 });
    await rename(`${configPath}.new`, configPath);
    return createHash('sha256')
      .update(JSON.stringify([text, this.#env(), this.#options.binDir]))
      .digest('hex');
  }

  #env(): Record<string, string> {
    const { binDir, libDir, env } = this.#options;
    return { ...env, PATH: `${binDir}:${HOST_PATH}`, ...(libDir === undefined ? {} : { LD_LIBRARY_PATH: libDir }) };
  }

  /** The running containerd, if it is what would be started now; another one is ended (its containers go on). */
  async #adopt(digest: string): Promise<ProcessRecord | undefined> {
    const record = await readRunning(this.paths.recordPath);
    if (record === undefined || record.digest === digest) return record;
    this.#deps.logger.info({ pid: record.pid }, 'replacing containerd: its configuration or version changed');
    await terminate(record, STOP_GRACE_MS, this.#deps.clock);
    return undefined;
  }

  async #start(digest: string): Promise<{ record: ProcessRecord; exited: Promise<string> }> {
    const { binDir, logPath } = this.#options;
    const { configPath, recordPath } = this.paths;
    const command = join(binDir, 'containerd');
    const child = await spawnDetached({ command, args: ['--config', configPath], env: this.#env(), logPath });
    const record = { pid: child.pid, startTime: (await processStartTime(child.pid)) ?? '', digest };
    await writeRecord(recordPath, record);
    return { record, exited: child.exited };
  }

  /** A process that is not our child has no exit event: its event stream breaks when it ends. */
  async #watchAdopted(record: ProcessRecord, signal: AbortSignal): Promise<string> {
    while (!signal.aborted && (await processStartTime(record.pid)) === record.startTime) {
      try {
        for await (const _ of containerdEvents(this.paths.socketPath, signal)) {
          // Only the end of the stream matters.
        }
      } catch (error) {
        this.#deps.logger.debug({ err: error }, 'event stream of the adopted containerd broke');
      }
      await this.#deps.clock.sleep(200, signal);
    }
    return 'gone';
  }

  async #untilReady(signal: AbortSignal): Promise<boolean> {
    const cri = connectCRI({ endpoint: this.paths.socketPath });
    const deadline = this.#deps.clock.monotonic() + READY_TIMEOUT_MS;
    try {
      while (!signal.aborted) {
        try {
          const status = await cri.runtime.status({ signal, timeoutMs: 2_000 });
          if (status.conditions.some((condition) => condition.type === 'RuntimeReady' && condition.status)) return true;
        } catch (error) {
          if (signal.aborted) return false;
          if (this.#deps.clock.monotonic() > deadline)
            throw new Error('containerd does not get ready', { cause: error });
        }
        await this.#deps.clock.sleep(30, signal);
      }
      return false;
    } finally {
      cri.close();
    }
  }
}

function onAbort(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('stopped');
    signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
}
