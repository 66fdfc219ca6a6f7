import type { Status } from '../../api/generated/types.ts';
import { formatMicroTime } from '../../api/time.ts';
import type { UserInfo } from '../../api/user.ts';
import type { Clock } from '../../base/clock.ts';
import type { RequestInfo } from '../contract.ts';
import { AuditEvent, type ObjectReference } from './event.ts';
import type { AuditDecision, Stage } from './policy.ts';

/** Who sent what, before it is known what comes of it. */
export interface AuditSubject {
  readonly auditID: string;
  readonly requestURI: string;
  readonly info: RequestInfo;
  /** undefined: who could not be authenticated. */
  readonly user: UserInfo | undefined;
  readonly sourceIPs: readonly string[];
  readonly userAgent: string;
}

export interface AuditRecordDeps {
  readonly clock: Clock;
  emit(event: AuditEvent): Promise<void> | undefined;
  /** The request is not served, since its arrival could not be recorded. */
  rejected(): void;
}

/** Requests that take longer say so in their event, as upstream's do. */
const SLOW_MS = 500;

/** One audited request from its arrival to its end. */
export class AuditRecord {
  readonly #subject: AuditSubject;
  readonly #decision: AuditDecision;
  readonly #deps: AuditRecordDeps;
  readonly #receivedMs: number;
  readonly #startedMs: number;
  readonly #objectRef: ObjectReference | undefined;
  #impersonatedUser: UserInfo | undefined;
  #impersonationConstraint = '';
  #requestObject: string | undefined;
  #responseObject: string | undefined;
  #status: Partial<Status> | undefined;

  constructor(subject: AuditSubject, decision: AuditDecision, deps: AuditRecordDeps) {
    this.#subject = subject;
    this.#decision = decision;
    this.#deps = deps;
    this.#receivedMs = deps.clock.now();
    this.#startedMs = deps.clock.monotonic();
    this.#objectRef = subject.info.isResourceRequest ? referenceOf(subject.info) : undefined;
  }

  /** Whether what requests carry is part of the events. */
  get recordsBodies(): boolean {
    const { level } = this.#decision;
    return level === 'Request' || level === 'RequestResponse';
  }

  /** What has to be waited for before the request is served; rejects with AuditFailure: it must not be. */
  received(): Promise<void> | undefined {
    return this.#emit('RequestReceived', undefined, {})?.catch((error: unknown) => {
      this.#deps.rejected();
      throw error;
    });
  }

  /** `constraint`: the verb that allows it, where it has limits; '' otherwise. */
  impersonating(user: UserInfo, constraint: string): void {
    this.#impersonatedUser = user;
    this.#impersonationConstraint = constraint;
  }

  /** The object, patch or options in the body. It is read now: it may change later. */
  requested(object: unknown): void {
    if (this.#objectRef !== undefined) completeReference(this.#objectRef, object);
    if (this.recordsBodies) this.#requestObject = this.#json(object);
  }

  /** The object of the answer; a function, since making it may cost something. A Status is told by `ended`. */
  answered(object: () => unknown): void {
    if (this.#decision.level === 'RequestResponse') this.#responseObject = this.#json(object());
  }

  /** A Status is the answer. */
  ended(status: Status): void {
    const { message, reason, details, code } = status;
    this.#status = {
      ...(status.status === undefined ? {} : { status: status.status }),
      ...(message === undefined ? {} : { message }),
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      ...(code === undefined ? {} : { code }),
    };
    this.answered(() => status);
  }

  /** The head of a stream's answer is written. */
  responseStarted(code: number, annotations: ReadonlyMap<string, string>): void {
    void settle(this.#emit('ResponseStarted', { ...this.#status, code }, Object.fromEntries(annotations)));
  }

  /** What has to be waited for before the next request is served in place of this one; never rejects. */
  complete(code: number, annotations: ReadonlyMap<string, string>): Promise<void> | undefined {
    const all = Object.fromEntries(annotations);
    const tookMs = this.#deps.clock.monotonic() - this.#startedMs;
    if (tookMs > SLOW_MS) all['apiserver.latency.k8s.io/total'] = `${tookMs.toFixed(3)}ms`;
    return settle(this.#emit('ResponseComplete', { ...this.#status, code }, all));
  }

  /** Something failed that never should. */
  panicked(code: number, annotations: ReadonlyMap<string, string>): Promise<void> | undefined {
    return settle(this.#emit('Panic', { ...this.#status, code }, Object.fromEntries(annotations)));
  }

  #emit(
    stage: Stage,
    responseStatus: Partial<Status> | undefined,
    annotations: Record<string, string>,
  ): Promise<void> | undefined {
    if (this.#decision.omitStages.includes(stage)) return undefined;
    const now = stage === 'RequestReceived' ? this.#receivedMs : this.#deps.clock.now();
    const { auditID, requestURI, info, user, sourceIPs, userAgent } = this.#subject;
    return this.#deps.emit(
      new AuditEvent({
        level: this.#decision.level,
        auditID,
        stage,
        requestURI,
        verb: info.verb,
        user,
        impersonatedUser: this.#impersonatedUser,
        impersonationConstraint: this.#impersonationConstraint,
        sourceIPs,
        userAgent,
        objectRef: this.#objectRef && { ...this.#objectRef },
        responseStatus,
        requestObject: this.#requestObject,
        responseObject: this.#responseObject,
        requestReceivedTimestamp: formatMicroTime(this.#receivedMs),
        stageTimestamp: formatMicroTime(now),
        annotations,
      }),
    );
  }

  #json(object: unknown): string | undefined {
    return JSON.stringify(this.#decision.omitManagedFields ? withoutManagedFields(object) : object);
  }
}

/** Once a request is served, nothing changes that any more. */
function settle(pending: Promise<void> | undefined): Promise<void> | undefined {
  return pending?.catch(() => {});
}

function referenceOf(info: RequestInfo): ObjectReference {
  return {
    ...(info.resource === '' ? {} : { resource: info.resource }),
    ...(info.namespace === '' ? {} : { namespace: info.namespace }),
    ...(info.name === '' ? {} : { name: info.name }),
    ...(info.group === '' ? {} : { apiGroup: info.group }),
    ...(info.version === '' ? {} : { apiVersion: info.version }),
    ...(info.subresource === '' ? {} : { subresource: info.subresource }),
  };
}

/** What only the body says of the object. */
function completeReference(reference: ObjectReference, object: unknown): void {
  if (!isRecord(object) || !isRecord(object['metadata'])) return;
  const { metadata } = object;
  for (const field of ['name', 'namespace', 'uid', 'resourceVersion'] as const) {
    const value = metadata[field];
    if (reference[field] === undefined && typeof value === 'string' && value !== '') reference[field] = value;
  }
}

function withoutManagedFields(object: unknown): unknown {
  if (!isRecord(object)) return object;
  const { items, metadata } = object;
  if (Array.isArray(items)) return { ...object, items: items.map(withoutManagedFields) };
  if (!isRecord(metadata) || metadata['managedFields'] === undefined) return object;
  const { managedFields: _, ...rest } = metadata;
  return { ...object, metadata: rest };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
