import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type PayloadSource, pruneOldPayloads, unpackPayload } from './payload.ts';
import type { ProcessInfo } from './processes.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'payload-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

async function source(digest: string, files: Record<string, string>): Promise<PayloadSource & { reads: () => number }> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name, mode: 0o755 }, content);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  const bytes = zstdCompressSync(Buffer.concat(chunks));
  let reads = 0;
  const read = (): Uint8Array => {
    reads++;
    return bytes;
  };
  return { digest, archive: read, dataDir, reads: () => reads };
}

describe('payload', () => {
  test('is unpacked once, and what a crash left is removed', async () => {
    await mkdir(join(dataDir, 'payload/unpacking-abc'), { recursive: true });
    const from = await source('d1', { 'bin/runc': 'program', 'classic-level.node': 'addon' });
    const payload = await unpackPayload(from);
    expect(await readFile(join(payload.binDir, 'runc'), 'utf8')).toBe('program');
    expect(await readFile(payload.addonPath, 'utf8')).toBe('addon');
    await unpackPayload(from);
    expect(from.reads()).toBe(1);
    expect(await readdir(join(dataDir, 'payload'))).toEqual(['d1']);
  });

  test('a truncated archive leaves no payload behind', async () => {
    const from = await source('d2', { 'bin/runc': 'x'.repeat(100_000) });
    const truncated = { ...from, archive: () => from.archive().subarray(0, 20) };
    await expect(unpackPayload(truncated)).rejects.toThrow();
    expect((await readdir(join(dataDir, 'payload'))).filter((name) => !name.startsWith('unpacking-'))).toEqual([]);
  });

  test('no path leaves the directory', async () => {
    const payload = await unpackPayload(await source('d3', { '../../outside': 'x' }));
    expect(await readdir(join(payload.binDir, '..'))).toEqual(['outside']);
  });

  test('payloads of other versions go unless something runs from them', async () => {
    for (const digest of ['old', 'used']) await unpackPayload(await source(digest, { 'bin/runc': 'x' }));
    await writeFile(join(dataDir, 'payload/stray'), '');
    const current = await unpackPayload(await source('new', { 'bin/runc': 'x' }));
    const shim = { executable: join(dataDir, 'payload/used/bin/shim') } as ProcessInfo;
    await pruneOldPayloads(current, [shim]);
    expect((await readdir(join(dataDir, 'payload'))).sort()).toEqual(['new', 'used']);
  });
});
