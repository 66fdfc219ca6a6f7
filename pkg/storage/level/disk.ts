import { statfs } from 'node:fs/promises';
import type { Level } from 'level';
import { describeError, errnoCode } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { StoreError, type StoreErrorCode } from '../contract.ts';

/** `level` declares what all its platforms share; on Node it is classic-level, which has more. */
export type Database = Level<string, Uint8Array> & {
  compactRange(start: string, end: string): Promise<void>;
};
/** The class `Level` of the package `level`; tests and other runtimes may bring another one. */
export type LevelClass = new (path: string, options: Readonly<Record<string, unknown>>) => Database;

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string };

export interface Space {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface DiskOptions {
  readonly path: string;
  readonly cacheBytes: number;
  readonly writeBufferBytes: number;
  /** Writes are refused while less is free; bounded by a sixteenth of the file system. */
  readonly minFreeBytes: number;
}

export interface DiskDeps {
  readonly logger: Logger;
  readonly Level: LevelClass;
  readonly space: (path: string) => Promise<Space>;
}

/** Free space is looked at once per so many bytes written (always while it is short). */
const SPACE_CHECK_BYTES = 1 << 20;
/** An option of classic-level that the common type does not know. */
const SYNC: Readonly<Record<string, unknown>> = { sync: true };
/** What opening needs besides the contents of the log. */
const SPARE_BYTES = 1 << 20;

/**
 * The database directory: opening, reading and writing with errors in the store's own codes, and getting back to a
 * known state after a failed write. LevelDB leaves it open whether a failed write is in its log, and may refuse all
 * later ones; so the directory is opened anew, and what the failed write may have left is taken back, before the next
 * write goes out.
 */
export class Disk {
  readonly #options: DiskOptions;
  readonly #deps: DiskDeps;
  #db: Database;
  #readers = 0;
  #drained: (() => void) | undefined;
  #reopening: Promise<void> | undefined;
  /** What takes back writes that failed, newest first; undefined: none has. */
  #undo: Operation[] | undefined;
  /** The database was closed for opening it anew, and that failed. */
  #lost = false;
  #closed = false;
  #uncheckedBytes = SPACE_CHECK_BYTES;
  #short = false;

  private constructor(options: DiskOptions, deps: DiskDeps, db: Database) {
    this.#options = options;
    this.#deps = deps;
    this.#db = db;
  }

  static async open(options: DiskOptions, deps: DiskDeps): Promise<Disk> {
    return new Disk(options, deps, await openDatabase(options, deps));
  }

  /** Runs a reading function; the database it gets is not to be kept. */
  async read<T>(reader: (db: Database) => Promise<T>): Promise<T> {
    while (this.#reopening !== undefined) await this.#reopening;
    if (this.#lost) await this.#recover();
    if (this.#closed) throw new StoreError('CLOSED', MESSAGES.CLOSED);
    this.#readers++;
    try {
      return await reader(this.#db);
    } catch (error) {
      throw toStoreError(error, this.#options.path);
    } finally {
      this.#readers--;
      if (this.#readers === 0) this.#drained?.();
    }
  }

  /** A write failed, and what it may have left is not taken back yet. */
  get unsettled(): boolean {
    return this.#undo !== undefined;
  }

  /** Whether new data fits. Also brings the database back after a failed write. Rejects with NO_SPACE. */
  async prepare(): Promise<void> {
    if (this.#uncheckedBytes >= SPACE_CHECK_BYTES || this.#short || this.#undo !== undefined) await this.#checkSpace();
    if (this.#undo !== undefined) await this.#recover();
  }

  /**
   * Writes atomically and durably. When it rejects, `undo` is what restores the state before; it is applied before
   * the next write.
   */
  async write(operations: Operation[], sizeBytes: number, undo: () => Operation[]): Promise<void> {
    if (this.#undo !== undefined) await this.#recover();
    this.#uncheckedBytes += sizeBytes;
    try {
      // A chained batch takes its operations one by one: half the time on this thread that an array of them takes.
      const batch = this.#db.batch();
      for (const operation of operations) {
        if (operation.type === 'put') batch.put(operation.key, operation.value);
        else batch.del(operation.key);
      }
      await batch.write(SYNC);
    } catch (error) {
      this.#undo = undo();
      throw toStoreError(error, this.#options.path);
    }
  }

  /** For changes that are right whether or not they reach the disk: nothing to take back. */
  async tidy(operations: Operation[], sync: boolean): Promise<void> {
    await this.read((db) => db.batch(operations, { sync }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#reopening !== undefined) await this.#reopening;
    await this.#drain();
    try {
      await this.#db.close();
    } catch (error) {
      throw toStoreError(error, this.#options.path);
    }
  }

  async #checkSpace(): Promise<void> {
    let space: Space;
    try {
      space = await this.#deps.space(this.#options.path);
    } catch (error) {
      throw toStoreError(error, this.#options.path);
    }
    this.#uncheckedBytes = 0;
    const { minFreeBytes, writeBufferBytes } = this.#options;
    const marginBytes = Math.min(minFreeBytes, Math.floor(space.totalBytes / 16));
    // Opening anew writes the log's contents to tables. Until that fits, the database stays as it is, for readers.
    const wantedBytes = this.#undo === undefined ? marginBytes : Math.max(marginBytes, writeBufferBytes + SPARE_BYTES);
    const short = space.freeBytes < wantedBytes;
    if (short !== this.#short) {
      this.#short = short;
      const fields = { path: this.#options.path, freeBytes: space.freeBytes, wantedBytes };
      if (short) this.#deps.logger.error(fields, 'disk is full; writes are refused until there is space');
      else this.#deps.logger.info(fields, 'disk has space again; writes are accepted');
    }
    if (short) {
      throw new StoreError(
        'NO_SPACE',
        `no space left for ${this.#options.path}: ${space.freeBytes} bytes are free, ${wantedBytes} are needed`,
      );
    }
  }

  async #recover(): Promise<void> {
    while (this.#reopening !== undefined) await this.#reopening;
    if (this.#undo === undefined && !this.#lost) return;
    const undo = this.#undo ?? [];
    const reopened = Promise.withResolvers<void>();
    this.#reopening = reopened.promise;
    try {
      await this.#drain();
      this.#lost = true;
      await this.#db.close();
      this.#db = await openDatabase(this.#options, this.#deps);
      this.#lost = false;
      if (undo.length > 0) await this.#db.batch(undo, { sync: true });
      this.#undo = undefined;
      this.#deps.logger.warn({ path: this.#options.path }, 'database opened anew after a failed write');
    } catch (error) {
      throw toStoreError(error, this.#options.path);
    } finally {
      this.#reopening = undefined;
      reopened.resolve();
    }
  }

  /** Waits until nothing reads; the caller keeps new readers out. */
  async #drain(): Promise<void> {
    if (this.#readers === 0) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    this.#drained = undefined;
  }
}

async function openDatabase(options: DiskOptions, deps: DiskDeps): Promise<Database> {
  const db = new deps.Level(options.path, {
    keyEncoding: 'utf8',
    valueEncoding: 'view',
    cacheSize: options.cacheBytes,
    writeBufferSize: options.writeBufferBytes,
  });
  try {
    await db.open();
    return db;
  } catch (error) {
    throw toStoreError(error, options.path);
  }
}

export async function fileSystemSpace(path: string): Promise<Space> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

const MESSAGES: Record<StoreErrorCode, string> = {
  KEY_EXISTS: 'the key exists',
  KEY_NOT_FOUND: 'the key does not exist',
  REVISION_MISMATCH: 'the key is at another revision',
  COMPACTED: 'the revision has been compacted',
  FUTURE_REVISION: 'the revision does not exist yet',
  NO_SPACE: 'no space left for the data directory',
  LOCKED: 'the data directory is used by another running process',
  CORRUPT: 'the data directory cannot be read',
  UNREADABLE: 'a value is sealed with another key',
  CLOSED: 'the store is closed',
  IO: 'reading or writing the data directory failed',
};

export function toStoreError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const code = storeErrorCode(error);
  return new StoreError(code, `${MESSAGES[code]}: ${path}`, { cause: error });
}

function storeErrorCode(error: unknown): StoreErrorCode {
  for (let current = error; current instanceof Error; current = current.cause) {
    switch (errnoCode(current)) {
      case 'LEVEL_LOCKED':
        return 'LOCKED';
      case 'LEVEL_CORRUPTION':
        return 'CORRUPT';
      case 'LEVEL_DATABASE_NOT_OPEN':
        // Opening failed for the reason in `cause`, or the database is closed.
        if (current.cause === undefined) return 'CLOSED';
        break;
      case 'LEVEL_ITERATOR_NOT_OPEN':
        return 'CLOSED';
      case 'ENOSPC':
      case 'EDQUOT':
        return 'NO_SPACE';
    }
  }
  // LevelDB reports the errno of a failed system call only as text.
  return /No space left on device|Disk quota exceeded/.test(describeError(error)) ? 'NO_SPACE' : 'IO';
}
