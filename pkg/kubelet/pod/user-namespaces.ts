import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UserNamespace } from '../../cri/index.ts';
import type { Pod } from '../types.ts';

/** A pod cannot have a user namespace. */
export class UserNamespaceError extends Error {
  override readonly name = 'UserNamespaceError';
}

export interface UserNamespacesOptions {
  /** `DIR/UID/userns` says which ids a pod has. */
  readonly podsDir: string;
  /** The runtime's handlers that know user namespaces; '' is the default one. */
  readonly handlers: ReadonlySet<string>;
  /** Pods that may have one at a time. */
  readonly maxPods: number;
}

/** Upstream's: each pod has so many ids, and the machine's own users are below the first pod's. */
const IDS_PER_POD = 65_536;
const FILE = 'userns';

/**
 * Gives pods with `hostUsers: false` ranges of the machine's user and group ids, each one to one pod, as long as the pod is there.
 * Upstream's userns manager, without ranges of /etc/subuid.
 */
export class UserNamespaces {
  readonly #options: UserNamespacesOptions;
  /** By pod uid: which range it has, from 1 on. */
  readonly #ranges = new Map<string, number>();

  constructor(options: UserNamespacesOptions) {
    this.#options = options;
  }

  /** Reads which ranges pods of before have. */
  async load(): Promise<void> {
    const { podsDir } = this.#options;
    for (const uid of await readdir(podsDir).catch(() => [])) {
      const text = await readFile(join(podsDir, uid, FILE), 'utf8').catch(() => undefined);
      if (text !== undefined) this.#ranges.set(uid, rangeIn(text, uid));
    }
  }

  /**
   * Gives the pod its range, if it wants a user namespace. Throws a UserNamespaceError when its runtime handler has none, or no range
   * is left.
   */
  async prepare(pod: Pod, handler: string): Promise<void> {
    const { uid } = pod.metadata;
    if (pod.spec.hostUsers !== false) return;
    if (!this.#options.handlers.has(handler)) {
      const what = handler === '' ? 'runtime' : `RuntimeClass handler "${handler}"`;
      throw new UserNamespaceError(`can't set \`spec.hostUsers: false\`, ${what} does not support user namespaces`);
    }
    if (this.#ranges.has(uid)) return;
    const taken = new Set(this.#ranges.values());
    let range = 1;
    while (taken.has(range)) range++;
    if (range > this.#options.maxPods) throw new UserNamespaceError('no range of user ids is left for the pod');
    this.#ranges.set(uid, range);
    const dir = join(this.#options.podsDir, uid);
    const mappings = [mappingOf(range)];
    await mkdir(dir, { recursive: true, mode: 0o750 });
    await writeFile(join(dir, `${FILE}.new`), JSON.stringify({ uidMappings: mappings, gidMappings: mappings }));
    await rename(join(dir, `${FILE}.new`), join(dir, FILE));
  }

  /** What the runtime is told; undefined: the pod has the machine's users. */
  of(pod: Pod): UserNamespace | undefined {
    const range = this.#ranges.get(pod.metadata.uid);
    if (pod.spec.hostUsers !== false || range === undefined) return undefined;
    const mappings = [mappingOf(range)];
    return { mode: 'POD', uids: mappings, gids: mappings };
  }

  release(podUID: string): void {
    this.#ranges.delete(podUID);
  }
}

function mappingOf(range: number): { hostId: number; containerId: number; length: number } {
  return { hostId: range * IDS_PER_POD, containerId: 0, length: IDS_PER_POD };
}

function rangeIn(text: string, uid: string): number {
  const { uidMappings } = JSON.parse(text) as { uidMappings?: readonly { hostId?: number }[] };
  const range = (uidMappings?.[0]?.hostId ?? 0) / IDS_PER_POD;
  if (!Number.isInteger(range) || range < 1) throw new UserNamespaceError(`the user ids of pod ${uid} are not known`);
  return range;
}
