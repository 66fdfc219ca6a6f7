import type { IncomingMessage } from 'node:http';
import { managerName } from '../../api/apply/index.ts';
import type { UserInfo } from '../../api/user.ts';
import type { AuditRecord } from '../audit/index.ts';
import type { RequestInfo } from '../contract.ts';
import type { Query } from '../request/query.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { Response } from './response.ts';

/** The context of a request over HTTPS. */
export class HTTPRequestContext implements RequestContext {
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly query: Query;
  readonly warnings: string[];
  readonly annotations: Map<string, string>;
  readonly audit: AuditRecord | undefined;
  readonly deadlineMs?: number;
  workBytes = 0;
  webhookMs = 0;
  readonly #userAgent: string;
  readonly #response: Response;
  #controller: AbortController | undefined;

  constructor(
    request: IncomingMessage,
    response: Response,
    known: Pick<RequestContext, 'info' | 'user' | 'query' | 'warnings' | 'annotations' | 'audit' | 'deadlineMs'>,
  ) {
    if (known.deadlineMs !== undefined) this.deadlineMs = known.deadlineMs;
    this.info = known.info;
    this.user = known.user;
    this.query = known.query;
    this.annotations = known.annotations;
    this.audit = known.audit;
    this.#userAgent = single(request.headers['user-agent']);
    this.warnings = known.warnings;
    this.#response = response;
  }

  get defaultFieldManager(): string {
    return managerName(undefined, this.#userAgent) || 'unknown';
  }

  /** Most requests end before anybody asks for their signal. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const created = new AbortController();
      this.#controller = created;
      this.#response.once('close', () => created.abort());
    }
    return this.#controller.signal;
  }
}

/** The first of a header's values. */
export function single(value: string | string[] | undefined): string {
  return Array.isArray(value) ? (value[0] ?? '') : (value ?? '');
}
