import type { Status, StatusCause, StatusDetails } from './generated/types.ts';

/** Upstream's metav1.StatusReason values. */
export type StatusReason =
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'ServerTimeout'
  | 'StoreReadError'
  | 'Timeout'
  | 'TooManyRequests'
  | 'BadRequest'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'InternalError'
  | 'Expired'
  | 'ServiceUnavailable'
  | '';

/** Upstream's field.ErrorType values, as they appear as `reason` of a cause. */
export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

/** One rejected field. `field` is a path as upstream prints it: `spec.containers[0].name`, `metadata.labels[a/b]`. */
export interface FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  /** The whole text after the path, for instance `Invalid value: "x": must be ...`. */
  readonly message: string;
}

/** An error with a Kubernetes Status; the only error class that the API machinery throws for what a client did. */
export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Status, options?: { cause?: unknown }) {
    super(status.message ?? status.reason ?? 'unknown', options);
    this.name = 'StatusError';
    this.status = status;
  }

  get reason(): StatusReason {
    return (this.status.reason ?? '') as StatusReason;
  }

  get code(): number {
    return this.status.code ?? 500;
  }
}

/** True for a StatusError, of this reason when one is given. */
export function isStatusError(error: unknown, reason?: StatusReason): error is StatusError {
  return error instanceof StatusError && (reason === undefined || error.reason === reason);
}

export function newStatus(code: number, reason: StatusReason, message: string, details?: StatusDetails): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

/** What an error is about: `resource` is the plural name; upstream calls the pair GroupResource. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** `deployments.apps`, `pods`. */
export function qualifiedResource(about: GroupResource): string {
  return about.group === '' ? about.resource : `${about.resource}.${about.group}`;
}

function details(about: GroupResource, name: string): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(about.group === '' ? {} : { group: about.group }),
    ...(about.resource === '' ? {} : { kind: about.resource }),
  };
}

export function notFound(about: GroupResource, name: string): StatusError {
  return new StatusError(
    newStatus(404, 'NotFound', `${qualifiedResource(about)} "${name}" not found`, details(about, name)),
  );
}

export function alreadyExists(about: GroupResource, name: string): StatusError {
  return new StatusError(
    newStatus(409, 'AlreadyExists', `${qualifiedResource(about)} "${name}" already exists`, details(about, name)),
  );
}

/** AlreadyExists for an object whose name the server was to make up. */
export function generateNameConflict(about: GroupResource, name: string): StatusError {
  const message = `${qualifiedResource(about)} "${name}" already exists, the server was not able to generate a unique name for the object`;
  return new StatusError(newStatus(409, 'AlreadyExists', message, { ...details(about, name), retryAfterSeconds: 1 }));
}

export function conflict(about: GroupResource, name: string, reason: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualifiedResource(about)} "${name}": ${reason}`;
  return new StatusError(newStatus(409, 'Conflict', message, details(about, name)));
}

export function forbidden(about: GroupResource, name: string, reason: string): StatusError {
  const subject =
    about.resource === ''
      ? 'forbidden'
      : `${qualifiedResource(about)}${name === '' ? ' is' : ` "${name}" is`} forbidden`;
  return new StatusError(newStatus(403, 'Forbidden', `${subject}: ${reason}`, details(about, name)));
}

/** No more are told: nobody reads them, and to write many megabytes of them takes its time. */
const MAX_FIELD_ERRORS = 10_000;

/** `about.kind` is the kind's name, as upstream has it for invalid objects. */
export function invalid(
  about: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const told = errors.slice(0, MAX_FIELD_ERRORS);
  const causes: StatusCause[] = told.map((error) => ({
    reason: error.type,
    message: error.message,
    field: error.field,
  }));
  const texts = [...new Set(told.map((error) => `${error.field}: ${error.message}`))];
  if (errors.length > told.length) texts.push(`and ${errors.length - told.length} more`);
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const kind = about.group === '' ? about.kind : `${about.kind}.${about.group}`;
  return new StatusError(
    newStatus(422, 'Invalid', `${kind} "${name}" is invalid: ${list}`, {
      ...(name === '' ? {} : { name }),
      ...(about.group === '' ? {} : { group: about.group }),
      ...(about.kind === '' ? {} : { kind: about.kind }),
      causes,
    }),
  );
}

export function badRequest(message: string): StatusError {
  return new StatusError(newStatus(400, 'BadRequest', message));
}

export function unauthorized(): StatusError {
  return new StatusError(newStatus(401, 'Unauthorized', 'Unauthorized'));
}

export function expired(message: string): StatusError {
  return new StatusError(newStatus(410, 'Expired', message));
}

export function methodNotSupported(about: GroupResource, action: string): StatusError {
  return new StatusError(
    newStatus(
      405,
      'MethodNotAllowed',
      `${action} is not supported on resources of kind "${qualifiedResource(about)}"`,
      details(about, ''),
    ),
  );
}

export function tooManyRequests(message: string, retryAfterSeconds?: number): StatusError {
  return new StatusError(
    newStatus(429, 'TooManyRequests', message, retryAfterSeconds === undefined ? undefined : { retryAfterSeconds }),
  );
}

export function serverTimeout(about: GroupResource, operation: string, retryAfterSeconds = 0): StatusError {
  const message = `The ${operation} operation against ${qualifiedResource(about)} could not be completed at this time, please try again.`;
  return new StatusError(newStatus(500, 'ServerTimeout', message, { ...details(about, operation), retryAfterSeconds }));
}

export function internalError(cause: unknown): StatusError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new StatusError(
    newStatus(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }),
    { cause },
  );
}
