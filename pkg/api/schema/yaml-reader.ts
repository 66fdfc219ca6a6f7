import type { Worker } from 'node:worker_threads';
import type { Clock } from '../../base/clock.ts';
import { JobError, JobThread } from '../../base/job-thread.ts';
import { inTurns } from '../../base/steps.ts';
import { isStatusError, tooManyRequests } from '../errors.ts';
import { DecodeError, type DecodeErrorCode } from './decode-error.ts';
import { tooManyFields } from './field-limit.ts';
import { parseYAML, readJSON, type YAMLBody } from './yaml.ts';

/** Reads a YAML document as parseYAML does. Throws what that throws, or StatusError TooManyRequests. */
export type ReadYAML = (text: string) => Promise<YAMLBody>;

/** What the thread answers. */
export type YAMLOutcome =
  | YAMLBody
  | { readonly error: { readonly code: DecodeErrorCode; readonly message: string } }
  | { readonly error: 'too many fields' };

/** The parser takes 3 to 4 µs a character. */
const INLINE_LENGTH = 4096;
/** How long a step may be followed by another one in the same turn. */
const SLICE_MS = 5;
const OPTIONS = { limitMs: 30_000, idleMs: 30_000, maxWaiting: 16 };

export interface ThreadedYAMLDeps {
  /** Starts a thread that answers texts with `yamlOutcome`. */
  readonly spawn: () => Worker;
  readonly clock: Clock;
}

/** Reads short documents at once, and long ones in a thread, so that they do not hold up others. */
export function threadedYAML(deps: ThreadedYAMLDeps): ReadYAML {
  const thread = new JobThread<string, YAMLOutcome>(OPTIONS, deps);
  return async (text) => {
    if (text.length <= INLINE_LENGTH) return parseYAML(text);
    const json = await inTurns(readJSON(text), SLICE_MS);
    if (json !== undefined) return json;
    let outcome: YAMLOutcome;
    try {
      outcome = await thread.run(text);
    } catch (error) {
      throw error instanceof JobError ? refusal(error) : error;
    }
    if (!('error' in outcome)) return outcome;
    const { error } = outcome;
    throw error === 'too many fields' ? tooManyFields() : new DecodeError(error.code, error.message);
  };
}

/** The thread's side. */
export async function yamlOutcome(text: string): Promise<YAMLOutcome> {
  try {
    return await parseYAML(text);
  } catch (error) {
    if (error instanceof DecodeError) return { error: { code: error.code, message: error.message } };
    if (isStatusError(error, 'RequestEntityTooLarge')) return { error: 'too many fields' };
    throw error;
  }
}

function refusal(cause: JobError): Error {
  if (cause.code === 'BUSY')
    return tooManyRequests('too many YAML documents are being read, please try again later', 1);
  if (cause.code === 'FAILED') return cause;
  const message = 'error converting YAML to JSON: yaml: the document takes too much time or memory to read';
  return new DecodeError('syntax', message, { cause });
}
