import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ResourceDefinition } from '../../api/definition.ts';
import { internalError, isStatusError } from '../../api/errors.ts';
import type { TableOptions } from '../../api/printers/index.ts';
import type { UserInfo } from '../../api/user.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { type Auditor, type AuditRecord, recordAnswer, sourceIPs } from '../audit/index.ts';
import { Impersonator } from '../authentication/impersonation.ts';
import type { AuthenticatedUser, Authenticator, Authorizer, RequestInfo } from '../contract.ts';
import { type Admission, type Fairness, TooBusy } from '../flowcontrol/index.ts';
import type { ObjectBody } from '../object-engine.ts';
import { nextTurn } from '../registry/next-turn.ts';
import { objectBody, patchBody, patchKindOf, readBody } from '../request/body.ts';
import { ACCEPTED, metaTransform, type Negotiated, negotiate, ROUTED_COLLECTION } from '../request/negotiate.ts';
import { methodNotAllowed, type Pipeline } from '../request/pipeline.ts';
import { PathNotFound, PlainTextError } from '../request/plain-text-error.ts';
import { Query } from '../request/query.ts';
import type { RequestContext } from '../request/request-context.ts';
import { isLongRunning, isUndetermined, parseRequestInfo, withSelectors } from '../request/request-info.ts';
import type { AccessMetrics } from './access-metrics.ts';
import { tableOptions, writeAnswer } from './answer-writer.ts';
import { HTTPRequestContext, single } from './http-request-context.ts';
import { LoopTurns } from './loop-turns.ts';
import { requestTimeoutMs, within } from './request-deadline.ts';
import { type MeasuredKind, type RequestMetrics, variantOf } from './request-metrics.ts';
import { type Response, type ResponseHead, sendStatus, sendText } from './response.ts';
import { Senders } from './senders.ts';
import { SlowRequests } from './slow-requests.ts';
import type { Underway } from './underway.ts';
import { WatchPacer } from './watch-pacer.ts';
import { WatchStream } from './watch-stream.ts';

/** As upstream cuts it. */
const AUDIT_ID_MAX_LENGTH = 64;
const WATCH_MIN_MS = 30 * 60_000;
const PLAIN: Negotiated = { encoding: 'json', as: '', group: '', version: '' };

/** A request on its way to a handler of paths that are no resources. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: Response;
  readonly context: RequestContext;
  readonly head: ResponseHead;
  /** The request's place among those under way; streams give it back once they are open. */
  readonly admission: Admission | undefined;
}

/** Serves paths that are no resources; false: not mine. */
export type PathHandler = (exchange: Exchange) => boolean | Promise<boolean>;

/** Serves connect subresources (exec, log, proxy). */
export interface ConnectHandler {
  connect(exchange: Exchange, definition: ResourceDefinition): Promise<void>;
}

/** Serves what another server is responsible for; undefined: it is for this one. */
export interface RemoteHandler {
  serve(exchange: Exchange): Promise<void> | undefined;
}

export interface RequestHandlerOptions {
  /** Answers that are no streams have to be there after this long; clients may ask for less. */
  readonly requestTimeoutMs: number;
}

export interface RequestHandlerDeps {
  readonly pipeline: Pipeline;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** Absent: nothing is recorded. */
  readonly auditor?: Auditor;
  /** Absent: every request is served at once. */
  readonly fairness?: Fairness;
  /** Asked in order. */
  readonly paths: readonly PathHandler[];
  readonly connect: ConnectHandler;
  readonly remote?: RemoteHandler;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RequestMetrics;
  readonly access: AccessMetrics;
  readonly underway: Underway;
}

/** The HTTPS front door: from an HTTP request to its answer. */
export class RequestHandler {
  readonly #options: RequestHandlerOptions;
  readonly #deps: RequestHandlerDeps;
  readonly #senders: Senders;
  readonly #impersonator: Impersonator;
  readonly #pacer: WatchPacer;
  readonly #turns: LoopTurns;
  readonly #slow: SlowRequests;

  constructor(options: RequestHandlerOptions, deps: RequestHandlerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#senders = new Senders(deps);
    this.#impersonator = new Impersonator(deps.authorizer);
    this.#pacer = new WatchPacer(deps.clock);
    this.#turns = new LoopTurns(deps.clock);
    this.#slow = new SlowRequests(deps.clock, deps.logger);
  }

  /** Never rejects. */
  async handle(request: IncomingMessage, response: Response): Promise<void> {
    const { clock, logger, metrics, underway } = this.#deps;
    const started = clock.monotonic();
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const warnings: string[] = [];
    let head: ResponseHead = {
      auditID: single(request.headers['audit-id']).slice(0, AUDIT_ID_MAX_LENGTH) || randomUUID(),
      warnings,
      gzip: /\bgzip\b/.test(single(request.headers['accept-encoding'])),
      pretty: false,
      headOnly: request.method === 'HEAD',
      sent: { bytes: 0 },
    };
    const annotations = new Map<string, string>();
    let info: RequestInfo | undefined;
    let measured: MeasuredKind | undefined;
    let context: RequestContext | undefined;
    let audit: AuditRecord | undefined;
    let admission: Admission | undefined;
    let waitedMs = 0;
    try {
      const query = Query.parse(mark < 0 ? '' : url.slice(mark + 1));
      info = parseRequestInfo(request.method ?? 'GET', path, query);
      if (!info.isResourceRequest && isUndetermined(path)) throw undetermined(url);
      measured = metrics.begin(info, variantOf(info, query, request.headers['content-type']));
      const timeoutMs = isLongRunning(info) ? undefined : requestTimeoutMs(query, this.#options.requestTimeoutMs);
      if (timeoutMs !== undefined) underway.begin(response);
      const known = await this.#authenticate(request, path, info, head);
      const { user: sender } = known;
      if (known.remarks !== undefined) {
        warnings.push(...known.remarks.warnings);
        for (const [key, value] of known.remarks.annotations) annotations.set(key, value);
      }
      audit = this.#auditOf(request, info, head, sender);
      const stored = audit?.received();
      if (stored !== undefined) await stored.catch((cause: unknown) => notRecorded(request.url ?? '', cause));
      const about = info;
      const wanted = await this.#impersonator.impersonate(request.headers, request.rawHeaders, () => ({
        ...withSelectors(about, query),
        user: sender,
      }));
      if (wanted !== undefined) audit?.impersonating(wanted.user, wanted.constraint);
      const user = wanted?.user ?? sender;
      context = new HTTPRequestContext(request, response, {
        info,
        user,
        query,
        warnings,
        annotations,
        audit,
        ...(timeoutMs === undefined ? {} : { deadlineMs: started + timeoutMs }),
      });
      const entered = this.#deps.fairness?.enter(context);
      if (entered instanceof Promise) {
        const queuedMs = clock.monotonic();
        admission = await this.#queued(entered, measured);
        waitedMs = clock.monotonic() - queuedMs;
      } else admission = entered;
      head = { ...head, flow: admission, pretty: wantsPretty(request, query) };
      await this.#authorize(context, response);
      const serving = this.#serve({ request, response, context, head, admission });
      // Timers of the same length share a list: the time until now is given as a present.
      await (timeoutMs === undefined ? serving : within(serving, timeoutMs, clock));
      const completed = audit?.complete(response.statusCode, annotations);
      if (completed !== undefined) await completed;
    } catch (error) {
      this.#fail(error, request, response, head, path, audit);
      if (error instanceof TooBusy && measured !== undefined) metrics.terminated(measured, error.code);
      await (isStatusError(error)
        ? audit?.complete(error.code, annotations)
        : audit?.panicked(response.statusCode, annotations));
    } finally {
      admission?.release();
      if (info !== undefined && measured !== undefined)
        this.#ended(request, response, info, { measured, head, started, waitedMs, webhookMs: context?.webhookMs ?? 0 });
    }
    if (request.complete === false) request.resume();
    logger.debug({ method: request.method, path, code: response.statusCode }, 'request');
  }

  async #queued(entered: Promise<Admission>, measured: MeasuredKind): Promise<Admission> {
    const { metrics } = this.#deps;
    metrics.queued(measured, 1);
    try {
      return await entered;
    } finally {
      metrics.queued(measured, -1);
    }
  }

  #ended(
    request: IncomingMessage,
    response: Response,
    info: RequestInfo,
    about: {
      readonly measured: MeasuredKind;
      readonly head: ResponseHead;
      readonly started: number;
      readonly waitedMs: number;
      readonly webhookMs: number;
    },
  ): void {
    const { clock, metrics, underway } = this.#deps;
    const code = response.statusCode;
    const tookMs = clock.monotonic() - about.started;
    const { auditID, sent } = about.head;
    const waitedMs = about.waitedMs + about.webhookMs;
    metrics.end(about.measured, code, { tookMs, waitedMs, bytes: sent?.bytes ?? 0 });
    if (isLongRunning(info)) return;
    underway.finish(response);
    this.#slow.observe(request, info, { auditID, waitedMs: about.waitedMs, code, tookMs });
  }

  /** Throws Unauthorized. */
  async #authenticate(
    request: IncomingMessage,
    path: string,
    info: RequestInfo,
    head: ResponseHead,
  ): Promise<AuthenticatedUser> {
    try {
      return await this.#senders.identify(request, path);
    } catch (error) {
      const audit = this.#auditOf(request, info, head, undefined);
      if (audit !== undefined && isStatusError(error)) {
        audit.ended(error.status);
        audit.responseStarted(error.code, new Map());
      }
      throw error;
    }
  }

  /** Throws Forbidden. */
  async #authorize(context: RequestContext, response: Response): Promise<void> {
    const { access, clock, pipeline } = this.#deps;
    const started = clock.monotonic();
    let result: 'allowed' | 'denied' = 'denied';
    try {
      await pipeline.authorize(context);
      result = 'allowed';
    } finally {
      if (result === 'denied') response.setHeader('X-Content-Type-Options', 'nosniff');
      access.authorized(result, clock.monotonic() - started);
    }
  }

  #auditOf(
    request: IncomingMessage,
    info: RequestInfo,
    head: ResponseHead,
    user: UserInfo | undefined,
  ): AuditRecord | undefined {
    return this.#deps.auditor?.begin({
      auditID: head.auditID,
      requestURI: request.url ?? '',
      info,
      user,
      sourceIPs: sourceIPs(request.headers, request.socket.remoteAddress ?? ''),
      userAgent: single(request.headers['user-agent']),
    });
  }

  async #serve(exchange: Exchange): Promise<void> {
    const { context, request, response, head } = exchange;
    const { info } = context;
    const elsewhere = this.#deps.remote?.serve(exchange);
    if (elsewhere !== undefined) return elsewhere;
    if (!info.isResourceRequest) {
      for (const handler of this.#deps.paths) if (await handler(exchange)) return;
      throw new PathNotFound();
    }
    const { pipeline } = this.#deps;
    const legacyWatch = info.verb === 'watch';
    const { definition, connect } = pipeline.resolve(context);
    const { audit, annotations } = context;
    const isCustom = definition.custom === true;
    // Upstream's router, which custom resources do not pass, knows HEAD of proxies only.
    if (head.headOnly && !isCustom && info.subresource !== 'proxy') throw methodNotAllowed();
    if (connect) {
      if (isLongRunning(info)) audit?.responseStarted(request.headers.upgrade === undefined ? 200 : 101, annotations);
      return this.#deps.connect.connect(exchange, definition);
    }

    const wanted = negotiate(request.headers.accept, metaTransform(info.verb, verbsOf(definition, info)), {
      protobuf: (as) => as !== 'Table' && (as !== '' || !isCustom),
      stream: legacyWatch,
      ...(isCustom ? {} : { routed: legacyWatch || info.verb === 'list' ? ROUTED_COLLECTION : ACCEPTED }),
    });
    if (legacyWatch) return this.#watch(exchange, definition, wanted);
    const patchKind = info.verb === 'patch' ? patchKindOf(request.headers['content-type'], isCustom) : undefined;
    let parsed: Promise<ObjectBody | undefined> | undefined;
    const body = (): Promise<ObjectBody | undefined> => {
      parsed ??= readBody(request).then(async (bytes) => {
        context.workBytes = bytes.length;
        // An immediate from here on comes before anything else is read: the work begins with one, and the next gives way.
        await nextTurn(context);
        return patchKind === undefined
          ? objectBody(bytes, request.headers['content-type'])
          : patchBody(bytes, patchKind);
      });
      return parsed;
    };
    const answer = await pipeline.answer(context, definition, body, patchKind);
    if (audit !== undefined) recordAnswer(audit, answer);
    await writeAnswer(response, answer, wanted, this.#tableOptions(exchange, wanted), head, this.#turns);
    if (!response.writableEnded && head.headOnly) response.end();
  }

  async #watch(exchange: Exchange, definition: ResourceDefinition, wanted: Negotiated): Promise<void> {
    const { response, context, head } = exchange;
    const seconds = context.query.integer('timeoutSeconds');
    const limitMs = seconds !== undefined && seconds > 0 ? seconds * 1000 : WATCH_MIN_MS * (1 + Math.random());
    const table = this.#tableOptions(exchange, wanted);
    let stream: WatchStream | undefined;
    const ended = new Promise<void>((resolve) => response.once('close', resolve));
    const events = this.#deps.metrics.watchEvents(definition);
    await this.#deps.pipeline.watch(context, definition, () => {
      stream = new WatchStream(response, definition, wanted, table, head, { pacer: this.#pacer, events });
      return stream;
    });
    exchange.admission?.release();
    context.audit?.responseStarted(200, context.annotations);
    const cancel = this.#deps.clock.after(limitMs, () => stream?.end());
    const forget = this.#deps.underway.watching({ end: () => stream?.end() });
    await ended;
    forget();
    cancel();
  }

  #tableOptions({ context }: Exchange, wanted: Negotiated): TableOptions {
    return tableOptions(context.query, wanted, this.#deps.clock.now());
  }

  #fail(
    error: unknown,
    request: IncomingMessage,
    response: Response,
    head: ResponseHead,
    path: string,
    audit: AuditRecord | undefined,
  ): void {
    const known = isStatusError(error) ? error : internalError(error);
    audit?.ended(known.status);
    if (!isStatusError(error)) this.#deps.logger.error({ path, method: request.method, err: error }, 'request failed');
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    if (error instanceof PlainTextError) {
      const seconds = error.status.details?.retryAfterSeconds;
      if (seconds !== undefined) response.setHeader('Retry-After', String(seconds));
      sendText(
        response,
        known.code,
        error.text,
        error instanceof TooBusy ? { ...head, flow: error.classification } : head,
      );
      return;
    }
    let wanted = PLAIN;
    try {
      wanted = negotiate(request.headers.accept, () => false, { protobuf: () => true });
    } catch {
      wanted = PLAIN;
    }
    sendStatus(response, known.status, wanted, head);
  }
}

/** The answer for a request whose arrival has to be recorded and could not be. */
function notRecorded(uri: string, cause: unknown): never {
  throw Object.assign(beforeServing(uri, 'failed to store audit event'), { cause });
}

function undetermined(uri: string): PlainTextError {
  const problem = `unable to determine kind and namespace from url, ${uri}`;
  return beforeServing(uri, `failed to create RequestInfo: ${problem}`);
}

/** What fails before anybody looks at what is asked for. */
function beforeServing(uri: string, message: string): PlainTextError {
  return new PlainTextError(
    500,
    'InternalError',
    message,
    `Internal Server Error: ${JSON.stringify(uri)}: ${message}\n`,
  );
}

/** The verbs of the resource that a request is for, or of its subresource. */
function verbsOf({ verbs, subresources }: ResourceDefinition, { subresource }: RequestInfo): readonly string[] {
  return subresource === '' ? verbs : (subresources.find(({ name }) => name === subresource)?.verbs ?? []);
}

function wantsPretty(request: IncomingMessage, query: Query): boolean {
  if (query.has('pretty')) return query.flag('pretty') || query.get('pretty') === '';
  const agent = single(request.headers['user-agent']);
  return agent.startsWith('curl') || agent.startsWith('Wget') || agent.startsWith('Mozilla/5.0');
}
