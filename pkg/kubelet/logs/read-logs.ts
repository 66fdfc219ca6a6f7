import { watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseTime } from '../../api/time.ts';
import { parseLogLine } from './cri-log.ts';

export interface LogOptions {
  readonly follow?: boolean;
  /** Negative or absent: all. */
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly timestamps?: boolean;
  /** Milliseconds since 1970. */
  readonly sinceMs?: number;
  readonly stream?: 'All' | 'Stdout' | 'Stderr';
}

export interface LogSource {
  readonly path: string;
  /** False once the container has ended: then following ends with the file. */
  readonly running: () => boolean;
  /** Resolves when `running` may have changed. */
  readonly ended: (signal: AbortSignal) => Promise<void>;
}

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** The log of one run of a container, as `kubectl logs` shows it. Follows rotation. */
export async function* readLogs(source: LogSource, options: LogOptions, signal: AbortSignal): AsyncIterable<Buffer> {
  let file = await open(source.path, 'r');
  const done = new AbortController();
  try {
    let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
    const { size } = await file.stat();
    let position = await tailStart(file, size, options.tailLines);
    // So many lines and no more, whatever the container writes meanwhile.
    const end = options.follow === true || isAll(options.tailLines) ? Number.POSITIVE_INFINITY : size;
    let rest: Buffer = Buffer.alloc(0);
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const changes = options.follow === true ? watchFile(source, AbortSignal.any([signal, done.signal])) : undefined;
    while (!signal.aborted) {
      const wasRunning = source.running();
      const { bytesRead } = await file.read(chunk, 0, Math.min(CHUNK_BYTES, end - position), position);
      if (bytesRead > 0) {
        position += bytesRead;
        const { output, rest: remainder } = renderLines(Buffer.concat([rest, chunk.subarray(0, bytesRead)]), options);
        rest = remainder;
        if (output.length > left) {
          yield output.subarray(0, left);
          return;
        }
        left -= output.length;
        if (output.length > 0) yield output;
        continue;
      }
      if (position >= end) return;
      const next = await reopened(file, source.path, position);
      if (next !== undefined) {
        await file.close();
        file = next;
        position = 0;
        rest = Buffer.alloc(0);
        continue;
      }
      if (changes === undefined || !wasRunning) return;
      await changes.next();
    }
  } finally {
    done.abort();
    await file.close();
  }
}

/** The file that is at `path` now, if that is another one (rotation), or if it became shorter. */
async function reopened(file: FileHandle, path: string, position: number): Promise<FileHandle | undefined> {
  const [own, current] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  if (current === undefined || (current.ino === own.ino && current.size >= position)) return undefined;
  return open(path, 'r').catch(() => undefined);
}

/** `next` resolves when the file or the container has changed since the last call. */
function watchFile(source: LogSource, signal: AbortSignal): { next: () => Promise<void> } {
  let changed = false;
  let wake: () => void = () => {};
  const notify = (): void => {
    changed = true;
    wake();
  };
  const watcher = watch(dirname(source.path), notify);
  watcher.on('error', notify);
  const close = (): void => {
    watcher.close();
    notify();
  };
  signal.addEventListener('abort', close, { once: true });
  source.ended(signal).then(notify, notify);
  return {
    async next() {
      if (!changed && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      changed = false;
    },
  };
}

/** Renders all whole lines in `bytes`; what follows the last newline is `rest`. */
export function renderLines(bytes: Buffer, options: LogOptions): { output: Buffer; rest: Buffer } {
  const parts: Buffer[] = [];
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end < 0) break;
    const line = parseLogLine(bytes.subarray(start, end + 1));
    start = end + 1;
    if (line === undefined) continue;
    if (options.sinceMs !== undefined && parseTime(line.timestamp) < options.sinceMs) continue;
    if (options.stream === 'Stdout' && line.stream !== 'stdout') continue;
    if (options.stream === 'Stderr' && line.stream !== 'stderr') continue;
    if (options.timestamps === true) parts.push(Buffer.from(`${line.timestamp} `));
    parts.push(line.content);
  }
  return { output: Buffer.concat(parts), rest: Buffer.from(bytes.subarray(start)) };
}

function isAll(lines: number | undefined): lines is undefined {
  return lines === undefined || lines < 0;
}

/** Where the last `lines` lines of the file's first `size` bytes begin. */
async function tailStart(file: FileHandle, size: number, lines: number | undefined): Promise<number> {
  if (isAll(lines)) return 0;
  let end = size;
  if (lines === 0) return end;
  let missing = lines + 1;
  const chunk = Buffer.alloc(CHUNK_BYTES);
  while (end > 0) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) if (chunk[at] === NEWLINE && --missing === 0) return start + at + 1;
    end = start;
  }
  return 0;
}
