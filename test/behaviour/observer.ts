import type { Client } from '../../pkg/client/index.ts';
import { kindOf, OBSERVED } from './kinds.ts';
import type { JSONObject } from './scenario.ts';

export interface Observed extends JSONObject {
  readonly metadata: JSONObject & {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
    readonly generateName?: string;
    readonly creationTimestamp?: string;
  };
  readonly status?: JSONObject;
  readonly spec?: JSONObject;
}

export interface Version {
  readonly object: Observed;
  readonly deleted: boolean;
}

/** Everything that happens to the objects of one namespace, and to those that are in none, from a start on. */
export class Observer {
  /** By `Kind/name`, every version in order. */
  readonly history = new Map<string, Version[]>();
  /** Events as they are now, by name, in order of creation. */
  readonly events = new Map<string, JSONObject>();
  readonly #client: Client;
  readonly #namespace: string;
  readonly #stop = new AbortController();
  readonly #waiters = new Set<() => void>();

  constructor(client: Client, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
  }

  /** Starts watching; what goes wrong with a watch is thrown by `close`. */
  start(): void {
    this.#work = [...OBSERVED.map((kind) => this.#watch(kind)), this.#watchEvents()];
    for (const work of this.#work) work.catch(() => undefined);
  }

  #work: Promise<void>[] = [];

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#work);
  }

  /** The object as it is now; undefined when it is not there. */
  current(key: string): Observed | undefined {
    const last = this.history.get(key)?.at(-1);
    return last === undefined || last.deleted ? undefined : last.object;
  }

  /** What is there now of a kind, oldest first. */
  list(kind: string): Observed[] {
    const found: Observed[] = [];
    for (const key of this.history.keys()) {
      const object = key.startsWith(`${kind}/`) ? this.current(key) : undefined;
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  /** Every name of a kind that there has been, in order of appearance. */
  names(kind: string): string[] {
    return [...this.history.keys()]
      .filter((key) => key.startsWith(`${kind}/`))
      .map((key) => key.slice(kind.length + 1));
  }

  /** Resolves to whether `check` came true within the time; looks after every change. */
  async until(check: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      if (check()) return true;
      const left = deadline - Date.now();
      if (left <= 0) return false;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#waiters.delete(done);
          resolve();
        };
        const timer = setTimeout(done, left);
        this.#waiters.add(done);
      });
    }
  }

  /** Waits until what a write answered is in the history: the object as written, or that it is gone. */
  async caughtUpWith(answer: JSONObject, timeoutMs: number): Promise<void> {
    const { kind, metadata, details } = answer as Partial<Observed> & { readonly details?: { readonly uid?: string } };
    if (details?.uid !== undefined) {
      await this.until(() => !this.#isThere(details.uid), timeoutMs);
    } else if (OBSERVED.includes(String(kind)) && metadata !== undefined) {
      const versions = (): readonly Version[] => this.history.get(`${kind}/${metadata.name}`) ?? [];
      const wanted = Number(metadata.resourceVersion);
      await this.until(() => Number(versions().at(-1)?.object.metadata.resourceVersion ?? 0) >= wanted, timeoutMs);
    }
  }

  #isThere(uid: string | undefined): boolean {
    for (const versions of this.history.values()) {
      const last = versions.at(-1);
      if (last?.object.metadata['uid'] === uid) return last?.deleted === false;
    }
    return false;
  }

  async #watch(kindName: string): Promise<void> {
    const kind = kindOf(kindName);
    for await (const { type, object } of this.#open(kind.apiVersion, kind.resource, kindName, kind.namespaced)) {
      const key = `${kindName}/${object.metadata.name}`;
      const versions = this.history.get(key);
      const version = { object, deleted: type === 'DELETED' };
      if (versions === undefined) this.history.set(key, [version]);
      else versions.push(version);
      this.#changed();
    }
  }

  async #watchEvents(): Promise<void> {
    for await (const { type, object } of this.#open('v1', 'events', 'Event', true)) {
      if (type !== 'DELETED') this.events.set(object.metadata.name, object);
      this.#changed();
    }
  }

  async *#open(
    apiVersion: string,
    resource: string,
    kind: string,
    namespaced: boolean,
  ): AsyncGenerator<{ type: string; object: Observed }> {
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    const type = { group: group ?? '', version: version ?? '', resource, kind, namespaced };
    const query = namespaced ? { namespace: this.#namespace } : {};
    try {
      for await (const event of this.#client.watch(type, query, this.#stop.signal)) {
        if (event.type !== 'BOOKMARK') yield { type: event.type, object: event.object as unknown as Observed };
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  #changed(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}
