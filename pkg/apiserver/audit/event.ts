import type { Status } from '../../api/generated/types.ts';
import type { UserInfo } from '../../api/user.ts';
import type { Level, Stage } from './policy.ts';

/** Which object a request is about. */
export interface ObjectReference {
  resource?: string;
  namespace?: string;
  name?: string;
  uid?: string;
  apiGroup?: string;
  apiVersion?: string;
  resourceVersion?: string;
  subresource?: string;
}

/** audit.k8s.io/v1 Event; the objects are JSON already. */
export interface EventFields {
  readonly level: Level;
  readonly auditID: string;
  readonly stage: Stage;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: UserInfo | undefined;
  readonly impersonatedUser: UserInfo | undefined;
  /** '': none. */
  readonly impersonationConstraint: string;
  readonly sourceIPs: readonly string[];
  readonly userAgent: string;
  readonly objectRef: ObjectReference | undefined;
  readonly responseStatus: Partial<Status> | undefined;
  readonly requestObject: string | undefined;
  readonly responseObject: string | undefined;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One event, written as JSON when it is first asked for. */
export class AuditEvent {
  readonly fields: EventFields;
  #json: string | undefined;

  constructor(fields: EventFields) {
    this.fields = fields;
  }

  /** In one line. */
  get json(): string {
    this.#json ??= render(this.fields);
    return this.#json;
  }

  /** The event without its objects, for those that are too large (upstream's truncating backend). */
  withoutObjects(): AuditEvent {
    return new AuditEvent({
      ...this.fields,
      requestObject: undefined,
      responseObject: undefined,
      annotations: { ...this.fields.annotations, 'audit.k8s.io/truncated': 'true' },
    });
  }
}

function render(fields: EventFields): string {
  const { requestObject, responseObject, requestReceivedTimestamp, stageTimestamp, annotations, ...rest } = fields;
  const { level, auditID, stage, requestURI, verb, user, impersonatedUser, responseStatus, ...more } = rest;
  const { impersonationConstraint } = more;
  const head = JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level,
    auditID,
    stage,
    requestURI,
    verb,
    user: user ?? {},
    ...(impersonatedUser === undefined ? {} : { impersonatedUser }),
    ...(impersonationConstraint === '' ? {} : { authenticationMetadata: { impersonationConstraint } }),
    sourceIPs: more.sourceIPs,
    ...(more.userAgent === '' ? {} : { userAgent: more.userAgent }),
    ...(more.objectRef === undefined ? {} : { objectRef: more.objectRef }),
    ...(responseStatus === undefined ? {} : { responseStatus: { metadata: {}, ...responseStatus } }),
  });
  const tail = JSON.stringify({
    requestReceivedTimestamp,
    stageTimestamp,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  });
  const request = requestObject === undefined ? '' : `,"requestObject":${requestObject}`;
  const response = responseObject === undefined ? '' : `,"responseObject":${responseObject}`;
  return `${head.slice(0, -1)}${request}${response},${tail.slice(1)}`;
}
