import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A value as JSON has it. */
export type JSONValue = unknown;

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: JSONValue;
  /** The body as it goes out, where it is no JSON. */
  readonly raw?: string;
  /** Content-Type; `none`: without. */
  readonly ct?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whom to impersonate. */
  readonly as?: {
    readonly user: string;
    readonly groups?: readonly string[];
    readonly uid?: string;
    readonly extra?: Readonly<Record<string, string>>;
  };
  /** A bearer token in place of the administrator's credentials; null: anonymous. */
  readonly token?: string | null;
}

/** How an answer was and is compared. */
export type Comparison =
  | 'status'
  | 'text'
  | 'text?'
  | 'error'
  | 'object'
  | 'pick'
  | 'names'
  | 'table'
  | 'watch'
  | 'discovery'
  | 'schema'
  | 'shape'
  | 'keys';

/** What of an answer is compared, after normalising. */
export interface Outcome {
  status: number;
  compare?: Comparison;
  body?: JSONValue;
  warnings?: string[];
  contentType?: string;
  headers?: Record<string, string>;
  /** Which values equal, or differ from, values captured before. */
  rel?: Record<string, boolean>;
}

export interface Step {
  readonly request: RecordedRequest;
  readonly expect: Outcome;
  readonly compare?: Comparison;
  readonly pick?: readonly string[];
  readonly sortPick?: boolean;
  readonly omit?: readonly string[];
  readonly at?: string;
  readonly types?: readonly string[];
  readonly tableKeys?: boolean;
  readonly keepMF?: boolean;
  readonly warn?: boolean;
  readonly contentType?: boolean;
  readonly respHeaders?: readonly string[];
  /** Milliseconds before the request. */
  readonly wait?: number;
  /** Repeat until this status (and text) is the answer, for `within` milliseconds. */
  readonly eventually?: number;
  readonly eventuallyHas?: string;
  readonly within?: number;
  /** Variables to take from paths of the answer. */
  readonly capture?: Readonly<Record<string, string>>;
  readonly same?: Readonly<Record<string, string>>;
  readonly differs?: Readonly<Record<string, string>>;
  /** A watch: how many events to wait for, for how long, and how long to look for more. */
  readonly watch?: { readonly n?: number; readonly ms?: number; readonly settle?: number };
  readonly during?: readonly Step[];
  readonly watchPick?: readonly string[];
  readonly kinds?: boolean;
  readonly sortEvents?: boolean;
}

export interface Scenario {
  readonly name: string;
  readonly area: string;
  readonly ns: boolean;
  readonly nsLabels?: Readonly<Record<string, string>>;
  /** Changes defaults of the whole cluster: runs alone. */
  readonly serial?: boolean;
  readonly cleanup?: readonly { readonly method?: string; readonly path: string; readonly body?: JSONValue }[];
  readonly steps: readonly Step[];
}

export async function readScenarios(): Promise<Scenario[]> {
  const directory = join(import.meta.dirname, 'data');
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  const files = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  return files.flatMap((text) => (JSON.parse(text) as { scenarios: Scenario[] }).scenarios);
}
