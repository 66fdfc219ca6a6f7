/**
 * What the parts of the API server know of each other: the pipeline (RequestInfo -> authenticate -> audit -> impersonate ->
 * authorize -> admit -> registry) calls these; authentication/, authorization/ and admission/ implement them.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { ResourceDefinition } from '../api/definition.ts';
import type { FieldSelector } from '../api/field-selector.ts';
import type { LabelQuery } from '../api/label-query.ts';
import type { DeepReadonly, KubeObject, ObjectKey, ResourceType } from '../api/object.ts';
import type { UserInfo } from '../api/user.ts';

/** The verb of a resource request as RBAC knows it, or the lower-case HTTP method of a non-resource request. */
export type RequestVerb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'deletecollection'
  | 'impersonate'
  | (string & {});

/** What a request wants, from its method and path (upstream's RequestInfo). Empty strings where absent. */
export interface RequestInfo {
  readonly isResourceRequest: boolean;
  readonly path: string;
  readonly verb: RequestVerb;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** What follows `proxy/` and the like. */
  readonly subpath: string;
}

/** What authentication may look at. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value, ... as they came: `headers` joins repeated ones. */
  readonly rawHeaders: readonly string[];
  /** Without the query. */
  readonly path: string;
  /** The DER certificate of the TLS peer, if it sent one (not yet verified), and the chain sent with it. */
  readonly peerCertificate?: Uint8Array;
  readonly remoteAddress: string;
}

export interface AuthenticatedUser {
  readonly user: UserInfo;
  readonly audiences?: readonly string[];
  /** Absent: there is nothing to say about the credentials. */
  readonly remarks?: AuthenticationRemarks;
}

/** What the client and audit are told of credentials that are good. */
export interface AuthenticationRemarks {
  readonly warnings: readonly string[];
  /** Keys and values for audit. */
  readonly annotations: readonly (readonly [key: string, value: string])[];
}

export interface Authenticator {
  /** undefined: this authenticator has no opinion. Throws StatusError Unauthorized for credentials that are wrong. */
  authenticate(credentials: Credentials): Promise<AuthenticatedUser | undefined>;
}

export interface AuthorizationAttributes extends RequestInfo {
  readonly user: UserInfo;
  /** Of a list, watch or deletecollection; absent when there is none, or none that can be read. */
  readonly fieldSelector?: FieldSelector;
  /** Likewise. */
  readonly labelSelector?: LabelQuery;
}

export type Decision = 'allow' | 'deny' | 'no-opinion';

export interface Authorizer {
  /** Synchronous where it can be: the in-process door calls it for every request. */
  authorize(attributes: AuthorizationAttributes): AuthorizationResult | Promise<AuthorizationResult>;
}

export interface AuthorizationResult {
  readonly decision: Decision;
  /** For the Forbidden message and for access reviews. */
  readonly reason: string;
}

/** Synchronous reads from the watch cache; everything in it is shared and immutable. */
export interface ObjectReader {
  get<T>(type: ResourceType<T>, key: ObjectKey): DeepReadonly<T> | undefined;
  list<T>(type: ResourceType<T>, namespace?: string): Iterable<DeepReadonly<T>>;
  /** Called after each change of a resource, in order; what is loaded after this call is ADDED. Returns the removal. */
  onChange<T>(
    type: ResourceType<T>,
    listener: (object: DeepReadonly<T>, change: 'ADDED' | 'MODIFIED' | 'DELETED') => void,
  ): () => void;
}

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** One object on its way into the registry. */
export interface AdmissionAttributes {
  readonly operation: Operation;
  readonly definition: ResourceDefinition;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** The new object: mutable for `admit`, undefined for DELETE; the options of a CONNECT. */
  readonly object: KubeObject | undefined;
  readonly oldObject: DeepReadonly<KubeObject> | undefined;
  /** CreateOptions, UpdateOptions, DeleteOptions as received. */
  readonly options: DeepReadonly<Record<string, unknown>>;
  /** Adds a `Warning` header to the answer. */
  warn(text: string): void;
  /** Adds an audit annotation; one with details only where the request's body is recorded. */
  annotate(key: string, value: string, isDetail?: boolean): void;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  /** How long the request may still take. */
  remainingMs(): number;
  /** Takes note of time that webhooks took. */
  waitedForWebhooks(ms: number): void;
  /** Makes `object` what a webhook or a policy wants, in place: what clients may not set is taken out again afterwards. */
  replace(object: DeepReadonly<KubeObject>): void;
  readonly reinvocation: Reinvocation;
}

/** A second round of all mutating plugins, for those that want to see what the ones behind them did. */
export interface Reinvocation {
  readonly isSecondRound: boolean;
  /** Asks for the second round; there is no third. */
  request(): void;
  /** What a plugin keeps from the first round, by its name. */
  readonly kept: Map<string, unknown>;
}

/** One admission plugin. Both methods throw StatusError to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  /** Cheap filter on what the plugin wants to see. */
  handles(operation: Operation, definition: ResourceDefinition, subresource: string): boolean;
  /** May change `attributes.object` in place. */
  admit?(attributes: AdmissionAttributes): void | Promise<void>;
  validate?(attributes: AdmissionAttributes): void | Promise<void>;
}
