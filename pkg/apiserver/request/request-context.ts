import type { UserInfo } from '../../api/user.ts';
import type { AuditRecord } from '../audit/index.ts';
import type { RequestInfo } from '../contract.ts';
import type { Query } from './query.ts';

/** One request on its way through the pipeline, after authentication; the same for both front doors. */
export interface RequestContext {
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly query: Query;
  /** Who writes, where the request does not say: the user agent up to its first `/`. */
  readonly defaultFieldManager: string;
  readonly signal: AbortSignal;
  /** When the answer has to be there, in the clock's monotonic milliseconds; absent: whenever it comes. */
  readonly deadlineMs?: number;
  /** The size of what the request works on: of its body, once it has been read, or of the object that it changes. */
  workBytes?: number;
  /** How long the request has waited for admission webhooks. */
  webhookMs?: number;
  readonly warnings: string[];
  /** Of audit. */
  readonly annotations: Map<string, string>;
  /** Absent: nothing is recorded of the request. */
  readonly audit: AuditRecord | undefined;
}
