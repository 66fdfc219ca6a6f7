import { newStatus, StatusError } from '../errors.ts';

/**
 * What a body, or an object that a patch makes, may have of fields and elements. With their owners, so many fields do not fit
 * into the 1.5 MiB that etcd takes. A step of the work on that many takes some tens of milliseconds.
 */
export const MAX_FIELDS = 100_000;

/** RequestEntityTooLarge, for more than MAX_FIELDS. */
export function tooManyFields(): StatusError {
  return new StatusError(
    newStatus(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_FIELDS} fields`, {}),
  );
}

/** Throws RequestEntityTooLarge for JSON data with more fields and elements than MAX_FIELDS; what is `ignored` does not count. */
export function limitFields(value: unknown, ignored?: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  let count = 0;
  const queue = [value as Readonly<Record<string, unknown>>];
  for (let fields = queue.pop(); fields !== undefined; fields = queue.pop()) {
    for (const name in fields) {
      count++;
      if (count > MAX_FIELDS) throw tooManyFields();
      const field = fields[name];
      if (typeof field === 'object' && field !== null && field !== ignored) queue.push(field as typeof fields);
    }
  }
}
