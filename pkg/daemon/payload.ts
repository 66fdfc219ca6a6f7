import { createWriteStream } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { type Extract, extract } from 'tar-stream';
import type { ProcessInfo } from './processes.ts';

/** The programs and images that travel inside the executable, unpacked. */
export interface Payload {
  /** containerd, containerd-shim-runc-v2, ctr, runc and what stands before it. */
  readonly binDir: string;
  /** CNI plugins. */
  readonly cniBinDir: string;
  /** Shared libraries that runc needs. */
  readonly libDir: string;
  /** Image archives that every node has. */
  readonly imageDir: string;
  /** What the first process of a sandbox may ask of the kernel, as a seccomp profile. */
  readonly pauseProfilePath: string;
  /** LevelDB's native addon. */
  readonly addonPath: string;
}

export interface PayloadSource {
  /** SHA-256 of the uncompressed archive; names the directory. */
  readonly digest: string;
  /** The zstd-compressed tar; read only when it must be unpacked. */
  readonly archive: () => Uint8Array;
  readonly dataDir: string;
}

/**
 * Unpacks the payload to `DATA-DIR/payload/DIGEST`, once. Atomic: a crash half-way leaves a temporary directory that the
 * next start removes.
 */
export async function unpackPayload(source: PayloadSource): Promise<Payload> {
  const parent = join(source.dataDir, 'payload');
  const target = join(parent, source.digest.slice(0, 32));
  if (!(await exists(target))) {
    await mkdir(parent, { recursive: true, mode: 0o700 });
    for (const entry of await readdir(parent))
      if (entry.startsWith('unpacking-')) await rm(join(parent, entry), { recursive: true });
    const work = await mkdtemp(join(parent, 'unpacking-'));
    await unpackTar(source.archive(), work);
    await rename(work, target);
  }
  return {
    binDir: join(target, 'bin'),
    cniBinDir: join(target, 'cni'),
    libDir: join(target, 'lib'),
    imageDir: join(target, 'images'),
    pauseProfilePath: join(target, 'pause-seccomp.json'),
    addonPath: join(target, 'classic-level.node'),
  };
}

/** Removes the payloads of other versions from which nothing runs any more: shims keep theirs until their pods end. */
export async function pruneOldPayloads(current: Payload, processes: readonly ProcessInfo[]): Promise<void> {
  const currentDir = dirname(current.addonPath);
  const parent = dirname(currentDir);
  for (const entry of await readdir(parent)) {
    const directory = join(parent, entry);
    if (directory === currentDir) continue;
    if (processes.some(({ executable }) => executable.startsWith(`${directory}/`))) continue;
    await rm(directory, { recursive: true, force: true });
  }
}

async function unpackTar(archive: Uint8Array, target: string): Promise<void> {
  const unpack = extract();
  await Promise.all([pipeline(Readable.from([archive]), createZstdDecompress(), unpack), writeEntries(unpack, target)]);
}

async function writeEntries(unpack: Extract, target: string): Promise<void> {
  for await (const entry of unpack) {
    const path = join(target, normalize(`/${entry.header.name}`));
    await mkdir(dirname(path), { recursive: true });
    await pipeline(entry, createWriteStream(path, { mode: entry.header.mode }));
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
