import { mkdir, readFile, statfs } from 'node:fs/promises';
import { errnoCode } from '../base/errors.ts';
import { type Exec, execOutput } from '../base/exec.ts';
import { ConfigError } from '../config/index.ts';
import { type RegistryAuth, writeRegistries } from '../cri/index.ts';

/** statfs's f_type of tmpfs (linux/magic.h). */
const TMPFS_MAGIC = 0x01021994;

/** Makes a directory that is on a tmpfs: secrets of pods must not reach a disk. Mounts one where /run is none. */
export async function ensureTmpfs(directory: string, exec: Exec): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const { type } = await statfs(directory);
  if (type === TMPFS_MAGIC) return;
  await execOutput(exec, 'mount', ['-t', 'tmpfs', '-o', 'mode=0755,nosuid,nodev', 'tmpfs', directory]);
}

/**
 * Turns the user's registries.yaml into what containerd reads, and returns what lets the user in, by host. No file: no mirrors.
 * Throws ConfigError for a wrong one.
 */
export async function writeRegistryConfig(file: string, directory: string): Promise<ReadonlyMap<string, RegistryAuth>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw new ConfigError(`cannot read ${file}: ${String(error)}`, { cause: error });
    text = '';
  }
  try {
    return await writeRegistries(text, directory);
  } catch (error) {
    throw new ConfigError(`${file}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`, {
      cause: error,
    });
  }
}
