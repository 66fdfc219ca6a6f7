import { type DeepReadonly, type KubeObject, keyOf } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import type { Lister } from '../client/client.ts';

/** After so long an object that does not show up has been deleted by somebody else. */
const EXPIRY_MS = 10_000;

interface Write {
  readonly version: number;
  readonly atMs: number;
}

/**
 * What a controller has written and may not yet see in its informer, per request. Acting on the old view would write
 * twice: `caughtUp` says whether the lister is as new as the writes. For lists of children without fixed names.
 */
export class OwnWrites {
  readonly #clock: Clock;
  readonly #writes = new Map<string, Map<string, Write>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(request: string, object: unknown): void {
    const written = object as DeepReadonly<KubeObject>;
    let writes = this.#writes.get(request);
    if (writes === undefined) {
      writes = new Map();
      this.#writes.set(request, writes);
    }
    const version = Number(written.metadata.resourceVersion);
    writes.set(keyOf(written), { version, atMs: this.#clock.monotonic() });
  }

  caughtUp(request: string, lister: Lister<unknown>): boolean {
    const writes = this.#writes.get(request);
    if (writes === undefined) return true;
    for (const [key, { version, atMs }] of writes) {
      const seen = lister.get(key) as DeepReadonly<KubeObject> | undefined;
      const isThere = seen !== undefined && Number(seen.metadata.resourceVersion) >= version;
      if (!isThere && this.#clock.monotonic() - atMs < EXPIRY_MS) return false;
      writes.delete(key);
    }
    this.#writes.delete(request);
    return true;
  }

  forget(request: string): void {
    this.#writes.delete(request);
  }
}
