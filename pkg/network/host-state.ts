import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoCode } from '../base/errors.ts';
import { equalJSON } from '../base/json.ts';

/** What is on disk for `uninstall`. */
export interface HostStateFile {
  /** Arguments of `ip` that take our changes back, newest first. */
  readonly undo: readonly (readonly string[])[];
  /** Other commands that take our changes back, newest first; the program comes first. */
  readonly commands: readonly (readonly string[])[];
  /** Kernel settings as they were before us. */
  readonly sysctls: Readonly<Record<string, string>>;
}

/** Notes every change of the host before it is made, so that uninstalling can take it back whatever happens. */
export class HostState {
  readonly #path: string;
  #state: HostStateFile = { undo: [], commands: [], sysctls: {} };

  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<void> {
    try {
      const stored = JSON.parse(await readFile(this.#path, 'utf8')) as Partial<HostStateFile>;
      this.#state = { undo: stored.undo ?? [], commands: stored.commands ?? [], sysctls: stored.sysctls ?? {} };
    } catch (error) {
      if (errnoCode(error) !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
    }
  }

  /** True when an earlier run, or this one, has made the change that `undo` takes back. */
  has(undo: readonly string[]): boolean {
    return this.#state.undo.some((entry) => equalJSON(entry, undo));
  }

  /** The noted changes whose undoing satisfies `matches`. */
  filter(matches: (undo: readonly string[]) => boolean): readonly (readonly string[])[] {
    return this.#state.undo.filter(matches);
  }

  async note(undo: readonly string[]): Promise<void> {
    if (this.has(undo)) return;
    await this.#save({ ...this.#state, undo: [undo, ...this.#state.undo] });
  }

  async noteCommand(command: readonly string[]): Promise<void> {
    const { commands } = this.#state;
    if (commands.some((entry) => equalJSON(entry, command))) return;
    await this.#save({ ...this.#state, commands: [command, ...commands] });
  }

  async forget(undo: readonly string[]): Promise<void> {
    if (!this.has(undo)) return;
    await this.#save({ ...this.#state, undo: this.#state.undo.filter((entry) => !equalJSON(entry, undo)) });
  }

  /** Only the first value counts: later ones are our own. */
  async noteSysctl(path: string, previous: string): Promise<void> {
    if (this.#state.sysctls[path] !== undefined) return;
    await this.#save({ ...this.#state, sysctls: { ...this.#state.sysctls, [path]: previous } });
  }

  async #save(state: HostStateFile): Promise<void> {
    this.#state = state;
    await writeAtomically(this.#path, `${JSON.stringify(state, null, 2)}\n`);
  }
}

/** Readers see the old or the new content, never a part. */
export async function writeAtomically(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.tmp`;
  await writeFile(temporary, text, { mode: 0o644 });
  await rename(temporary, path);
}
