import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { aborted } from '../base/abort.ts';
import { type Component, component } from '../base/lifecycle.ts';

/**
 * A file that says something about the process while this part of it runs; `stale` are such files of a process that was killed.
 */
export function processFile(name: string, path: string, stale: readonly string[]): Component {
  return component(name, async (signal, ready) => {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    for (const file of stale) await rm(file, { force: true });
    await writeFile(path, `${process.pid}\n`);
    ready();
    await aborted(signal);
    await rm(path, { force: true });
  });
}
