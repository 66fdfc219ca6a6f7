import { newStatus, StatusError } from '../errors.ts';
import { goTypeName } from './go-format.ts';

/** What upstream answers when a patch is well-formed but cannot be applied to the object: 422 without a cause. */
export function notApplicable(cause: string | Error): StatusError {
  return new StatusError(
    newStatus(422, 'Invalid', 'the server rejected our request due to an error in our request', {}),
    { cause: typeof cause === 'string' ? new Error(cause) : cause },
  );
}

/** An error that upstream passes on without classifying it: 500 with its text and no reason. */
export function unclassified(message: string): StatusError {
  return new StatusError(newStatus(500, '', message));
}

/** Something in a strategic merge patch, or in what it is for, has not the type that it has to have. */
export function wrongType(expected: string, found: unknown): StatusError {
  return unclassified(`expected a ${expected}, but received a ${found === null ? '%!s(<nil>)' : goTypeName(found)}`);
}

/** `Go value of type ...` texts name a JSON value like this. */
export function jsonKind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** The cause of the error for a JSON patch whose `test` does not hold. */
export class PatchTestFailed extends Error {
  override readonly name = 'PatchTestFailed';
}
