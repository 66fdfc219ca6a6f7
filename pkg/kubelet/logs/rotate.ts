import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Component } from '../../base/lifecycle.ts';
import type { KubeletContext } from '../context.ts';
import type { PodManager } from '../pod/pod-manager.ts';

const CHECK_MS = 10_000;
const DEFAULT_MAX_BYTES = 10 * 1024 * 1024;
const DEFAULT_MAX_FILES = 5;
const COMPRESSED = '.gz';
const PARTIAL = '.tmp';

/**
 * Moves logs of running containers away when they are too large, lets the runtime open new ones, and compresses what was moved
 * away before. Upstream's container log manager.
 */
export class LogRotation implements Component {
  readonly name = 'log-rotation';
  readonly #context: KubeletContext;
  readonly #pods: PodManager;

  constructor(context: KubeletContext, pods: PodManager) {
    this.#context = context;
    this.#pods = pods;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const { clock, logger } = this.#context.deps;
    while (!signal.aborted) {
      await clock.sleep(CHECK_MS, signal);
      for (const { id, logPath } of this.#pods.runningContainers()) {
        if (signal.aborted) return;
        try {
          await this.#rotate(id, logPath);
        } catch (error) {
          logger.warn({ err: error, containerID: id }, 'container log could not be rotated');
        }
      }
    }
  }

  async #rotate(id: string, logPath: string): Promise<void> {
    const { maxLogSizeBytes = DEFAULT_MAX_BYTES, maxLogFiles = DEFAULT_MAX_FILES } = this.#context.options;
    const { clock, cri } = this.#context.deps;
    const info = await stat(logPath).catch(() => undefined);
    // Somebody took it away: what the container writes now would be in no file.
    if (info === undefined) return cri.runtime.reopenContainerLog(id);
    if (info.size < maxLogSizeBytes) return;
    const directory = dirname(logPath);
    const { remove, compress } = rotationPlan(basename(logPath), await readdir(directory), maxLogFiles);
    for (const name of remove) await rm(join(directory, name), { force: true });
    for (const name of compress) await compressLog(join(directory, name));
    const stamp = new Date(clock.now()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
    const aside = `${logPath}.${stamp}`;
    await rename(logPath, aside);
    try {
      await cri.runtime.reopenContainerLog(id);
    } catch (error) {
      // The container has ended meanwhile, perhaps: its log is looked for where it was.
      await rename(aside, logPath);
      throw error;
    }
  }
}

/** What has to happen to a container's files before its log is put aside once more. */
export interface RotationPlan {
  readonly remove: readonly string[];
  readonly compress: readonly string[];
}

/**
 * The file that is written, the one that is put aside next and those that stay are `maxFiles` together. What stays is compressed:
 * the newest file that was put aside stays as it is until the next time, for those who still read it. Pure.
 */
export function rotationPlan(logName: string, names: readonly string[], maxFiles: number): RotationPlan {
  const aside = names.filter((name) => name.startsWith(`${logName}.`)).sort();
  // A compression was cut off, before or after its file was whole.
  const isLeft = (name: string): boolean => name.endsWith(PARTIAL) || aside.includes(`${name}${COMPRESSED}`);
  const useful = aside.filter((name) => !isLeft(name));
  const surplus = useful.slice(0, Math.max(0, useful.length - Math.max(0, maxFiles - 2)));
  return {
    remove: [...aside.filter(isLeft), ...surplus],
    compress: useful.slice(surplus.length).filter((name) => !name.endsWith(COMPRESSED)),
  };
}

async function compressLog(path: string): Promise<void> {
  const { mode } = await stat(path);
  const partial = `${path}${PARTIAL}`;
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(partial, { mode }));
    await rename(partial, `${path}${COMPRESSED}`);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await rm(path, { force: true });
}

/** Removes the log of a container's run and all that was put aside of it. */
export async function removeLogs(logPath: string): Promise<void> {
  if (logPath === '') return;
  const directory = dirname(logPath);
  const logName = basename(logPath);
  for (const name of await readdir(directory).catch(() => [])) {
    if (name === logName || name.startsWith(`${logName}.`)) await rm(join(directory, name), { force: true });
  }
}
