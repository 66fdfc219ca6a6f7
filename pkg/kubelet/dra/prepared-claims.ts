import type { Logger } from '../../base/logger.ts';
import type { CheckpointFile } from '../checkpoints/checkpoint-file.ts';
import type { PreparedDevice } from './dra-driver.ts';

/** A claim that pods of this node use. */
export interface PreparedClaim {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly podUIDs: Set<string>;
  /** All drivers have prepared it. */
  isPrepared: boolean;
  /** By driver; empty until it has answered. */
  readonly drivers: Map<string, readonly PreparedDevice[]>;
}

/** The file's content. */
interface Kept {
  readonly claims: readonly (Omit<PreparedClaim, 'podUIDs' | 'drivers'> & {
    readonly podUIDs: readonly string[];
    readonly drivers: Readonly<Record<string, readonly PreparedDevice[]>>;
  })[];
}

/** Which claims are prepared on this node, and for which pods; kept in a file, over restarts. */
export class PreparedClaims {
  readonly #file: CheckpointFile;
  readonly #logger: Logger;
  readonly #claims = new Map<string, PreparedClaim>();

  constructor(file: CheckpointFile, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
  }

  /** Reads what was prepared before; a file that cannot be read is as good as none. */
  async load(): Promise<void> {
    try {
      const text = await this.#file.read();
      if (text === undefined) return;
      for (const claim of (JSON.parse(text) as Kept).claims) {
        const { namespace, name, uid, isPrepared } = claim;
        this.#claims.set(`${namespace}/${name}`, {
          namespace,
          name,
          uid,
          isPrepared,
          podUIDs: new Set(claim.podUIDs),
          drivers: new Map(Object.entries(claim.drivers)),
        });
      }
    } catch (error) {
      this.#logger.warn({ err: error }, 'which claims were prepared could not be read');
    }
  }

  get(namespace: string, name: string): PreparedClaim | undefined {
    return this.#claims.get(`${namespace}/${name}`);
  }

  all(): readonly PreparedClaim[] {
    return [...this.#claims.values()];
  }

  /** The claims that a pod uses. */
  of(podUID: string): readonly PreparedClaim[] {
    return this.all().filter(({ podUIDs }) => podUIDs.has(podUID));
  }

  add(claim: PreparedClaim): void {
    this.#claims.set(`${claim.namespace}/${claim.name}`, claim);
  }

  delete({ namespace, name }: PreparedClaim): void {
    this.#claims.delete(`${namespace}/${name}`);
  }

  /** Resolves when what is known now is in the file. */
  save(): Promise<void> {
    return this.#file.write(() => {
      const claims = this.all().map((claim) => ({
        ...claim,
        podUIDs: [...claim.podUIDs],
        drivers: Object.fromEntries(claim.drivers),
      }));
      return JSON.stringify({ claims } satisfies Kept);
    });
  }
}
