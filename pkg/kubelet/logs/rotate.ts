import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Component } from '../../base/lifecycle.ts';
import type { KubeletContext } from '../context.ts';
import type { PodManager } from '../pod/pod-manager.ts';

const CHECK_MS = 10_000;
const DEFAULT_MAX_BYTES = 10 * 1024 * 1024;
const DEFAULT_MAX_FILES = 5;

/** Moves logs of running containers away when they are too large, and lets the runtime open new ones. */
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
    const info = await stat(logPath).catch(() => undefined);
    if (info === undefined || info.size <= maxLogSizeBytes) return;
    const stamp = new Date(this.#context.deps.clock.now())
      .toISOString()
      .slice(0, 19)
      .replaceAll(/[-:]/g, '')
      .replace('T', '-');
    const aside = `${logPath}.${stamp}`;
    await rename(logPath, aside);
    try {
      await this.#context.deps.cri.runtime.reopenContainerLog(id);
    } catch (error) {
      // The container has ended meanwhile, perhaps: its log is looked for where it was.
      await rename(aside, logPath);
      throw error;
    }
    for (const old of surplus(basename(logPath), await readdir(dirname(logPath)), maxLogFiles)) {
      await rm(join(dirname(logPath), old), { force: true });
    }
  }
}

/** The oldest rotated files beyond `maxFiles`, the current one counted. */
export function surplus(logName: string, names: readonly string[], maxFiles: number): string[] {
  const rotated = names.filter((name) => name.startsWith(`${logName}.`)).sort();
  return rotated.slice(0, Math.max(0, rotated.length - (maxFiles - 1)));
}
