import { newStatus, StatusError, type StatusReason } from '../../api/errors.ts';
import type { StatusDetails } from '../../api/generated/types.ts';

/** An error that upstream answers with plain text over HTTP instead of a Status. */
export class PlainTextError extends StatusError {
  readonly text: string;

  constructor(code: number, reason: StatusReason, message: string, text: string, details?: StatusDetails) {
    super(newStatus(code, reason, message, details));
    this.text = text;
  }
}

/** A path that nothing serves: `404 page not found` over HTTP. */
export class PathNotFound extends PlainTextError {
  constructor() {
    super(404, 'NotFound', 'the server could not find the requested resource', '404 page not found\n');
  }
}
