import { type FileHandle, open } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';

export interface AccessLogEntry {
  readonly clientAddress: string;
  readonly timeMs: number;
  readonly method: string;
  readonly host: string;
  readonly rawPath: string;
  readonly httpVersion: string;
  readonly status: number;
  readonly bytesSent: number;
  readonly referer: string;
  readonly userAgent: string;
  readonly durationMs: number;
  readonly ingress: string;
  readonly endpoint: string;
}

export interface AccessLog {
  write(entry: AccessLogEntry): void;
  close(): Promise<void>;
}

const FLUSH_MS = 1000;
/** Lines that wait for the disk beyond this are dropped. */
const MAX_WAITING = 50_000;

/** Appends one JSON line a request to a file, many at once. */
export async function openAccessLog(path: string, deps: { clock: Clock; logger: Logger }): Promise<AccessLog> {
  const handle = await open(path, 'a', 0o640);
  return new FileAccessLog(handle, deps);
}

class FileAccessLog implements AccessLog {
  readonly #handle: FileHandle;
  readonly #deps: { readonly clock: Clock; readonly logger: Logger };
  #waiting: AccessLogEntry[] = [];
  #flushing: Promise<void> | undefined;

  constructor(handle: FileHandle, deps: { clock: Clock; logger: Logger }) {
    this.#handle = handle;
    this.#deps = deps;
  }

  write(entry: AccessLogEntry): void {
    if (this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push(entry);
    if (this.#waiting.length === 1 && this.#flushing === undefined)
      this.#deps.clock.after(FLUSH_MS, () => {
        this.#flushing ??= this.#flush();
      });
  }

  async close(): Promise<void> {
    await this.#flushing;
    await this.#flush();
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const entries = this.#waiting;
      this.#waiting = [];
      try {
        await this.#handle.appendFile(entries.map(formatEntry).join(''));
      } catch (error) {
        this.#deps.logger.warn({ err: error }, 'the access log could not be written');
      }
    }
    this.#flushing = undefined;
  }
}

function formatEntry({ timeMs, ...entry }: AccessLogEntry): string {
  return `${JSON.stringify({ time: new Date(timeMs).toISOString(), ...entry })}\n`;
}
