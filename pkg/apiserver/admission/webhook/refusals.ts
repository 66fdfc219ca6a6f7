import { badRequest, newStatus, StatusError, type StatusReason } from '../../../api/errors.ts';
import type { Status } from '../../../api/generated/types.ts';

const LOWEST_CODE = 400;

/** The error of a request that a webhook does not allow: its own status, in any case a failure. */
export function denied(webhook: string, status: Status | undefined): StatusError {
  const by = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const code = typeof status?.code === 'number' && status.code >= LOWEST_CODE ? status.code : LOWEST_CODE;
  const reason = typeof status?.reason === 'string' ? status.reason : '';
  const said = typeof status?.message === 'string' && status.message !== '' ? status.message : reason;
  const message = said === '' ? `${by} without explanation` : `${by}: ${said}`;
  return new StatusError(newStatus(code, reason as StatusReason, message, status?.details));
}

/** A dry run must not have effects, so a webhook that has some makes it impossible. */
export function dryRunUnsupported(webhook: string): StatusError {
  return badRequest(`admission webhook ${JSON.stringify(webhook)} does not support dry run`);
}

/** The client's time is over. */
export function requestTimeout(): StatusError {
  return new StatusError(newStatus(504, 'Timeout', 'Timeout: request did not complete within requested timeout'));
}
