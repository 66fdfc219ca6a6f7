import { randomUUID } from 'node:crypto';
import { badRequest, internalError, isStatusError, StatusError } from '../../api/errors.ts';
import type { DeepReadonly, KubeObject, ResourceType } from '../../api/object.ts';
import { apiVersionOf } from '../../api/object.ts';
import type { UserInfo } from '../../api/user.ts';
import { linkedController } from '../../base/abort.ts';
import { AsyncQueue } from '../../base/queue.ts';
import type { ApiRequest, Transport, WatchEvent, WatchQuery } from '../../client/client.ts';
import { requestURL, watchURL } from '../../client/request-path.ts';
import type { RemoteCalls } from '../aggregation/remote-calls.ts';
import { type Auditor, type AuditRecord, recordAnswer } from '../audit/index.ts';
import type { RequestInfo } from '../contract.ts';
import { answerCode, answerObject } from '../registry/answer.ts';
import { bookmarkObject, type WatchConsumer } from '../registry/watch.ts';
import type { Pipeline } from '../request/pipeline.ts';
import { Query } from '../request/query.ts';
import type { RequestContext } from '../request/request-context.ts';

const NEVER = new AbortController().signal;

export interface InProcessDeps {
  readonly pipeline: Pipeline;
  /** Absent: no other server is asked. */
  readonly remote?: RemoteCalls;
  /** Absent: nothing is recorded. */
  readonly auditor?: Auditor;
  /** GETs of paths that are no resources, as parsed JSON. */
  raw(path: string, user: UserInfo, signal: AbortSignal): Promise<unknown>;
}

/** As whom upstream's components write: by the names of their executables. */
const COMPONENTS: Readonly<Record<string, string>> = {
  'system:apiserver': 'kube-apiserver',
  'system:kube-controller-manager': 'kube-controller-manager',
  'system:kube-scheduler': 'kube-scheduler',
};

function componentOf(username: string): string {
  return COMPONENTS[username] ?? (username.startsWith('system:node:') ? 'kubelet' : username);
}

/**
 * The front door for the process itself: same authorization, admission and registry as over HTTPS, but objects are handed over
 * by reference.
 */
export class InProcessTransport implements Transport {
  readonly inProcess = true;
  readonly #user: UserInfo;
  readonly #deps: InProcessDeps;

  constructor(user: UserInfo, deps: InProcessDeps) {
    this.#user = user;
    this.#deps = deps;
  }

  async request(request: ApiRequest, signal: AbortSignal = NEVER): Promise<unknown> {
    const context = this.#context(request.type, request, Query.of(request.query), signal, () => requestURL(request));
    const { audit, annotations } = context;
    try {
      await recorded(audit);
      const { pipeline, remote } = this.#deps;
      await pipeline.authorize(context);
      const server = remote?.serverOf(request.type);
      if (remote !== undefined && server !== undefined) {
        const object = await remote.request(server, request, this.#user, signal);
        await audit?.complete(200, annotations);
        return object;
      }
      const { definition, connect } = pipeline.resolve(context);
      if (connect) throw badRequest(`${request.subresource ?? ''} is a stream and not served in-process`);
      const body = request.body === undefined ? undefined : { value: withKind(request) };
      const answer = await pipeline.answer(context, definition, () => Promise.resolve(body), request.patchKind);
      if (audit !== undefined) recordAnswer(audit, answer);
      await audit?.complete(answerCode(answer), annotations);
      return answerObject(answer);
    } catch (error) {
      const known = isStatusError(error) ? error : internalError(error);
      audit?.ended(known.status);
      await audit?.complete(known.code, annotations);
      throw known;
    }
  }

  async *watch(type: ResourceType, query: WatchQuery, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const { controller, unlink } = linkedController(signal);
    const queue = new AsyncQueue<WatchEvent>();
    const end = (): void => queue.end();
    let context: RequestContext | undefined;
    controller.signal.addEventListener('abort', end, { once: true });
    try {
      const { namespace = '', ...rest } = query;
      const request = { verb: 'watch', namespace };
      context = this.#context(type, request, queryOf(rest), controller.signal, () => watchURL(type, query));
      await recorded(context.audit);
      const { pipeline, remote } = this.#deps;
      await pipeline.authorize(context);
      const server = remote?.serverOf(type);
      if (remote !== undefined && server !== undefined) {
        context.audit?.responseStarted(200, context.annotations);
        yield* remote.watch(server, type, query, this.#user, controller.signal);
        return;
      }
      const { definition } = pipeline.resolve(context);
      const consumer: WatchConsumer = {
        deliver: (deliveries) => {
          for (const { type: change, entry } of deliveries) queue.push({ type: change, object: entry.object });
        },
        bookmark: (resourceVersion, initialEnd) => {
          const object = bookmarkObject(definition, resourceVersion, initialEnd) as DeepReadonly<KubeObject>;
          queue.push({ type: 'BOOKMARK', object });
        },
        fail: (status) => queue.fail(new StatusError(status)),
        end,
      };
      const started = pipeline.watch(context, definition, () => consumer);
      started.catch((error: unknown) => queue.fail(error));
      context.audit?.responseStarted(200, context.annotations);
      yield* queue;
    } finally {
      void context?.audit?.complete(200, context.annotations);
      controller.abort();
      unlink();
    }
  }

  raw(path: string, signal: AbortSignal = NEVER): Promise<unknown> {
    return this.#deps.raw(path, this.#user, signal);
  }

  #context(
    type: ResourceType,
    request: Pick<ApiRequest, 'namespace' | 'name' | 'subresource'> & { readonly verb: string },
    query: Query,
    signal: AbortSignal,
    uri: () => string,
  ): RequestContext {
    const { namespace = '', name = '', subresource = '', verb } = request;
    const info: RequestInfo = {
      isResourceRequest: true,
      path: '',
      verb,
      group: type.group,
      version: type.version,
      resource: type.resource,
      subresource,
      // As in paths: a Namespace is in itself.
      namespace: type.namespaced ? namespace : type.group === '' && type.resource === 'namespaces' ? name : '',
      name,
      subpath: '',
    };
    const defaultFieldManager = componentOf(this.#user.username);
    const audit = this.#deps.auditor?.begin({
      auditID: randomUUID(),
      requestURI: uri(),
      info,
      user: this.#user,
      sourceIPs: ['127.0.0.1'],
      userAgent: `kube-lite/${this.#user.username}`,
    });
    return { info, user: this.#user, query, defaultFieldManager, signal, warnings: [], annotations: new Map(), audit };
  }
}

/** Throws InternalError for a call whose beginning has to be recorded and could not be. */
async function recorded(audit: AuditRecord | undefined): Promise<void> {
  try {
    await audit?.received();
  } catch (cause) {
    throw internalError(new Error('failed to store audit event', { cause }));
  }
}

/** Drafts need no apiVersion and kind. */
function withKind(request: ApiRequest): unknown {
  const { body, type, verb, subresource = '' } = request;
  if (verb !== 'create' && verb !== 'update') return body;
  if (subresource !== '' && subresource !== 'status') return body;
  if (typeof body !== 'object' || body === null || ('kind' in body && 'apiVersion' in body)) return body;
  return { apiVersion: apiVersionOf(type), kind: type.kind, ...body };
}

function queryOf(query: Omit<WatchQuery, 'namespace'>): Query {
  const record: Record<string, string> = {};
  for (const [name, value] of Object.entries(query)) if (value !== undefined) record[name] = String(value);
  if (query.sendInitialEvents !== undefined && query.resourceVersionMatch === undefined) {
    record['resourceVersionMatch'] = 'NotOlderThan';
  }
  return Query.of(record);
}
