import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AuthConfig } from '../../cri/index.ts';

/** By image id and repository: hashes of the credentials that got it; 'all': the registry gave it to anybody. */
type Records = Record<string, Record<string, readonly string[] | 'all'>>;

/**
 * Remembers with which credentials images were pulled: a pod that has none of them may not use what another one's secret brought to
 * the node. Images that the node never pulled are everybody's. Upstream's image pull manager with its default policy
 * (NeverVerifyPreloadedImages).
 */
export class PulledImages {
  readonly #path: string | undefined;
  #records: Records = {};
  #writing: Promise<void> = Promise.resolve();

  /** `path`: where it is kept over restarts; absent: nowhere. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** A file that cannot be read is none: the node is worth more than what it remembers of its images. */
  async load(): Promise<void> {
    if (this.#path === undefined) return;
    try {
      this.#records = JSON.parse(await readFile(this.#path, 'utf8')) as Records;
    } catch {
      this.#records = {};
    }
  }

  /** Whether it depends on a pod's credentials if it may use the image by this repository's name. */
  isRestricted(imageID: string, repository: string): boolean {
    const record = this.#records[imageID];
    if (record === undefined) return false;
    return record[repository] !== 'all';
  }

  allows(imageID: string, repository: string, credentials: readonly AuthConfig[]): boolean {
    const known = this.#records[imageID]?.[repository];
    if (known === undefined || known === 'all') return known === 'all';
    return credentials.some((auth) => known.includes(hashOf(auth)));
  }

  /** An image was pulled with these credentials; undefined: without any. */
  async pulled(imageID: string, repository: string, auth: AuthConfig | undefined): Promise<void> {
    const before = this.#records[imageID]?.[repository];
    const now = auth === undefined || before === 'all' ? 'all' : [...new Set([...(before ?? []), hashOf(auth)])];
    this.#records = { ...this.#records, [imageID]: { ...this.#records[imageID], [repository]: now } };
    await this.#save();
  }

  /** The image was removed, or brought by other means than a pull. */
  async forget(imageID: string): Promise<void> {
    if (this.#records[imageID] === undefined) return;
    const { [imageID]: _, ...others } = this.#records;
    this.#records = others;
    await this.#save();
  }

  async #save(): Promise<void> {
    const path = this.#path;
    if (path === undefined) return;
    this.#writing = this.#writing
      .catch(() => {})
      .then(async () => {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeFile(`${path}.new`, JSON.stringify(this.#records), { mode: 0o600 });
        await rename(`${path}.new`, path);
      });
    await this.#writing;
  }
}

function hashOf({ username = '', password = '', identityToken = '', registryToken = '' }: AuthConfig): string {
  const parts = [username, password, identityToken, registryToken];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
