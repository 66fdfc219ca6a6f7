import { errnoCode } from '../../base/errors.ts';
import { UndecidedError } from './request-certificate.ts';

const WRONG_TIME: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/** Why a server could not be asked, in words for whoever reads the log. */
export function unreachedReason(error: unknown): string {
  if (error instanceof UndecidedError) return error.message;
  return WRONG_TIME.has(errnoCode(error) ?? '')
    ? "the server's certificate is not valid at this machine's time: set the clocks, or restart the server, which renews it"
    : 'the server does not answer';
}
