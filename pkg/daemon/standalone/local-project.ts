import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Layout } from '../layout.ts';
import { type PodState, readPodStates } from './pod-states.ts';

const POLL_MS = 100;

export interface LocalProjectDeps {
  readonly layout: Layout;
  readonly clock: Clock;
  /** The pods of a manifest, as `namespace/name`. */
  readonly podsOf: (file: string, text: string) => Promise<readonly string[]>;
  /** Starts the standalone agent in the background. */
  readonly startAgent: () => void;
  /** Asks the process to end. */
  readonly stopProcess: (pid: number) => void;
  readonly isRunning: (pid: number) => boolean;
}

/** What did not come about; one line for the user. */
export class ProjectError extends Error {
  override readonly name = 'ProjectError';
}

/** Pods that are run without a cluster: their manifests, and the agent in the background that runs them. */
export class LocalProject {
  readonly #deps: LocalProjectDeps;

  constructor(deps: LocalProjectDeps) {
    this.#deps = deps;
  }

  /** Writes a manifest for the agent; what ran by an older version of it has ended before. */
  async write(file: string, text: string, pods: readonly string[], timeoutMs: number): Promise<void> {
    const { localManifestDir } = this.#deps.layout;
    const path = join(localManifestDir, file);
    const before = await readFile(path, 'utf8').catch(() => undefined);
    if (before === text) return;
    await this.#checkOthers(file, pods);
    if (before !== undefined) {
      await rm(path);
      await this.#until(timeoutMs, async () => {
        const left = ((await this.#states()) ?? []).map(keyOf).filter((key) => pods.includes(key));
        return left.length === 0 ? undefined : `pods of before are still there: ${left.join(', ')}`;
      });
    }
    await mkdir(localManifestDir, { recursive: true, mode: 0o700 });
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  /** Throws a ProjectError when another manifest runs a pod of the same name. */
  async #checkOthers(file: string, pods: readonly string[]): Promise<void> {
    const { layout, podsOf } = this.#deps;
    const names = await readdir(layout.localManifestDir).catch(() => []);
    for (const name of names) {
      if (name === file || !name.endsWith('.yaml')) continue;
      const others = await podsOf(name, await readFile(join(layout.localManifestDir, name), 'utf8'));
      const [both] = pods.filter((key) => others.includes(key));
      if (both !== undefined) throw new ProjectError(`pod ${nameOf(both)} is run by another file, ${name}, already`);
    }
  }

  async ensureAgent(): Promise<void> {
    if ((await this.#agentPID()) === undefined) this.#deps.startAgent();
  }

  /** Resolves when all pods run, or have done their work; `running` is called for each when it does. Throws a ProjectError. */
  async untilRunning(pods: readonly string[], timeoutMs: number, running: (state: PodState) => void): Promise<void> {
    const waiting = new Set(pods);
    const graceAtMs = this.#deps.clock.monotonic() + AGENT_START_MS;
    await this.#until(timeoutMs, async () => {
      const states = await this.#states();
      if (states === undefined && this.#deps.clock.monotonic() > graceAtMs && (await this.#agentPID()) === undefined) {
        throw new ProjectError('the agent ended; see its log');
      }
      for (const state of states ?? []) {
        const key = keyOf(state);
        if (!waiting.has(key)) continue;
        if (state.phase === 'Failed') throw new ProjectError(`pod ${state.name} failed${because(state)}`);
        if (!state.ready) continue;
        waiting.delete(key);
        running(state);
      }
      const [first] = waiting;
      if (first === undefined) return undefined;
      const state = states?.find((one) => keyOf(one) === first);
      return state === undefined
        ? `pod ${nameOf(first)} has not been started`
        : `pod ${state.name} is ${state.phase}${because(state)}`;
    });
  }

  /** All pods of the machine's agent, by name; none when no agent runs. */
  async pods(): Promise<readonly PodState[]> {
    if ((await this.#agentPID()) === undefined) return [];
    return ((await this.#states()) ?? []).toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)));
  }

  /** Removes every manifest, waits until the pods are gone, and ends the agent if it runs no others. Throws a ProjectError. */
  async remove(timeoutMs: number, removed: (name: string) => void): Promise<void> {
    const { localManifestDir } = this.#deps.layout;
    const files = (await readdir(localManifestDir).catch(() => [])).filter((name) => !name.startsWith('.'));
    if (files.length === 0 && (await this.#agentPID()) === undefined) return;
    await this.ensureAgent();
    await this.#until(timeoutMs, async () =>
      (await this.#states()) === undefined ? 'the agent does not start' : undefined,
    );
    const pods = new Map((await this.#ownStates()).map((state) => [keyOf(state), state.name]));
    for (const name of files) await rm(join(localManifestDir, name), { recursive: true, force: true });
    await this.#until(timeoutMs, async () => {
      const left = new Set((await this.#ownStates()).map(keyOf));
      for (const [key, name] of pods) {
        if (left.has(key)) continue;
        pods.delete(key);
        removed(name);
      }
      return left.size === 0 ? undefined : `still there: ${[...left].map(nameOf).join(', ')}`;
    });
    // Static pods are not ours to end: their agent stays with them.
    if (((await this.#states()) ?? []).length === 0) await this.#stopAgent(timeoutMs);
  }

  /** Of the pods that manifests of ours made. */
  async #ownStates(): Promise<PodState[]> {
    return ((await this.#states()) ?? []).filter(({ isStatic }) => !isStatic);
  }

  async #stopAgent(timeoutMs: number): Promise<void> {
    const pid = await this.#agentPID();
    if (pid === undefined) return;
    this.#deps.stopProcess(pid);
    await this.#until(timeoutMs, async () => (this.#deps.isRunning(pid) ? 'the agent does not end' : undefined));
  }

  #states(): Promise<PodState[] | undefined> {
    return readPodStates(this.#deps.layout.podStatesFile);
  }

  async #agentPID(): Promise<number | undefined> {
    const pid = Number(await readFile(this.#deps.layout.pidFile, 'utf8').catch(() => ''));
    return pid > 0 && this.#deps.isRunning(pid) ? pid : undefined;
  }

  /** `check` gives what is still to come about, or undefined. */
  async #until(timeoutMs: number, check: () => Promise<string | undefined>): Promise<void> {
    const { clock } = this.#deps;
    const deadline = clock.monotonic() + timeoutMs;
    for (;;) {
      const missing = await check();
      if (missing === undefined) return;
      if (clock.monotonic() > deadline) throw new ProjectError(`${missing} (after ${timeoutMs / 1000}s)`);
      await clock.sleep(POLL_MS);
    }
  }
}

/** An agent has written its process id long before this. */
const AGENT_START_MS = 10_000;

function keyOf({ namespace, name }: Pick<PodState, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

function nameOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}

function because({ reason }: PodState): string {
  return reason === '' ? '' : `: ${reason}`;
}
