/** What the controllers, the scheduler and the kubelet of upstream did, as recorded: one file an area below data/. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type JSONObject = Record<string, unknown>;

/** One action of a scenario's script, with the answer that upstream gave. */
export interface Step {
  readonly action: string;
  /** create: the object. */
  readonly manifest?: JSONObject;
  /** patch, delete, post: `Kind/name`. */
  readonly object?: string;
  readonly subresource?: string;
  readonly patchType?: 'merge' | 'strategic' | 'json';
  readonly patch?: unknown;
  readonly body?: unknown;
  /** delete: DeleteOptions. */
  readonly options?: JSONObject;
  /** kubectl: its arguments. */
  readonly args?: readonly string[];
  /** wait: what for, in words. */
  readonly until?: string;
  readonly reached?: boolean;
  /** sleep. */
  readonly seconds?: number;
  readonly hook?: string;
  readonly response?: { readonly code: number; readonly reason?: string; readonly message?: string };
}

/** A distinct state of a watched object: its status, and what of the rest matters. */
export interface State {
  readonly event?: 'DELETED';
  readonly status?: JSONObject;
  readonly [field: string]: unknown;
}

export interface Watched {
  readonly kind: string;
  readonly name: string;
  readonly states: readonly State[];
}

export interface RecordedEvent {
  readonly type: string;
  readonly reason: string;
  /** `Kind/name` of what it is about. */
  readonly object: string;
  readonly message: string;
  readonly fieldPath?: string;
  readonly source: { readonly component?: string };
  readonly reportingController?: string;
  readonly action?: string;
}

export interface Scenario {
  readonly name: string;
  readonly area: string;
  readonly elapsedSeconds: number;
  readonly steps: readonly Step[];
  readonly watched: readonly Watched[];
  readonly events: readonly RecordedEvent[];
  /** Whole objects, as stored `at` seconds after the start. */
  readonly objects?: readonly (JSONObject & { readonly at: number })[];
}

export async function readScenarios(): Promise<Scenario[]> {
  const directory = join(import.meta.dirname, 'data');
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  const files = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  return files.flatMap((text) => (JSON.parse(text) as { scenarios: Scenario[] }).scenarios);
}
