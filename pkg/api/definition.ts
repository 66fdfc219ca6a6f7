import type { DeepReadonly } from '../base/json.ts';
import type { FieldError } from './errors.ts';
import type { KubeObject, ResourceType } from './object.ts';
import type { Schema } from './schema.ts';
import type { UserInfo } from './user.ts';

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

/** A column of `kubectl get`, as in a CRD's additionalPrinterColumns and in meta.k8s.io/v1 Table. */
export interface ColumnDefinition {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description?: string;
  /** 0: always shown; above: only with `-o wide`. */
  readonly priority?: number;
}

/** Something about a whole row of a table, as meta.k8s.io/v1 TableRowCondition. */
export interface RowCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export interface Printer {
  readonly columns: readonly ColumnDefinition[];
  /** The cells of one row, one per column. `nowMs` is for ages. */
  cells(object: DeepReadonly<KubeObject>, nowMs: number): readonly (string | number | bigint | boolean | null)[];
  /** What is to be said about the row, if anything. */
  conditions?(object: DeepReadonly<KubeObject>): readonly RowCondition[] | undefined;
}

/** What a strategy may know about the request. */
export interface StrategyContext {
  readonly nowMs: number;
  readonly user?: UserInfo;
  /** '' for the object itself, else `status`, `scale`, `ephemeralcontainers`, `resize`, `binding`, `approval`, `finalize`, `eviction`. */
  readonly subresource: string;
  /** Tells the client of something that is tolerated. */
  readonly warn?: (text: string) => void;
}

/**
 * What is special about one kind: small pure functions. They get a mutable object of their own (`object`) and change it in
 * place; `old` is shared and immutable. The generic registry does all that is the same for every kind: names, uid,
 * generation, creation time, finalizers, deletion, resource versions, structural schema validation, metadata validation.
 * Corresponds to upstream's rest.RESTCreateStrategy and siblings plus the defaulting functions.
 */
export interface Strategy {
  /** Fills in what the user left out, after decoding and after every patch (upstream's SetDefaults_*). */
  default?(object: KubeObject): void;
  /** Drops fields of features that are switched off, unless `old` has them; before the two below, on creation without `old`. */
  dropDisabled?(object: KubeObject, old: DeepReadonly<KubeObject> | undefined): void;
  /** Drops what a client may not set on creation (status) and sets initial values. Default: removes `status` where the kind has a status subresource. */
  prepareForCreate?(object: KubeObject, context: StrategyContext): void;
  /**
   * Carries over from `old` what this request may not change (status for the main resource; all but status for `status`).
   * The generic part has already done so for `status` and metadata; generation is raised by `specChanged`.
   */
  prepareForUpdate?(object: KubeObject, old: DeepReadonly<KubeObject>, context: StrategyContext): void;
  /** Whether the change raises metadata.generation. Default: anything outside metadata and status differs. */
  specChanged?(object: DeepReadonly<KubeObject>, old: DeepReadonly<KubeObject>): boolean;
  validate?(object: DeepReadonly<KubeObject>, context: StrategyContext): FieldError[];
  /** For updates of the object and of its subresources (`context.subresource`); called instead of `validate`. */
  validateUpdate?(
    object: DeepReadonly<KubeObject>,
    old: DeepReadonly<KubeObject>,
    context: StrategyContext,
  ): FieldError[];
  /** Checks beside these that need modules which are loaded on first use; `old` is undefined on creation. */
  validateLater?(
    object: DeepReadonly<KubeObject>,
    old: DeepReadonly<KubeObject> | undefined,
    context: StrategyContext,
  ): Promise<FieldError[]>;
  /** `Warning` header texts for a create or update. */
  warnings?(object: DeepReadonly<KubeObject>, old: DeepReadonly<KubeObject> | undefined): string[];
  /** The same for an update of the status. */
  statusWarnings?(object: DeepReadonly<KubeObject>): string[];
  /** How metadata.name is checked. Default: DNS-1123 subdomain. Returns texts after `Invalid value: "...": `. */
  validateName?(name: string): string[];
  /** A PUT of a name that does not exist creates it (Lease, Event, Endpoints, ...). */
  readonly allowCreateOnUpdate?: boolean;
  /** False: an update must carry resourceVersion (RBAC allows without; Service, CRDs, ... do not). Default true. */
  readonly allowUnconditionalUpdate?: boolean;
  /** Seconds between a delete and the removal when the client names none (Pods); undefined: removed at once. */
  gracefulDelete?(object: DeepReadonly<KubeObject>, requestedSeconds: number | undefined): number | undefined;
  /** Fields for field selectors beside metadata.name and metadata.namespace, of an object in its stored version: path -> value. */
  selectableFields?(object: DeepReadonly<KubeObject>): Readonly<Record<string, string>>;
  /** How long an object lives in the store (Events: 1 h), in milliseconds. */
  readonly ttlMs?: number;
  /** Default propagation of deletes when the client names none. */
  readonly defaultPropagation?: 'Background' | 'Orphan' | 'Foreground';
  /** Told to who deletes without saying what is to become of dependents. */
  readonly propagationWarning?: string;
}

export interface SubresourceDefinition {
  readonly name: string;
  /** The kind in its body, with its group and version when they are not the resource's. */
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly Verb[];
  /** The answer is a stream or a proxied response (exec, log, proxy, ...). */
  readonly connect?: boolean;
}

/** Where the scale subresource finds its values (JSON paths like `.spec.replicas`). */
export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

/** Everything the API server knows of one resource in one version; the same for built-ins and CRDs. */
export interface ResourceDefinition {
  readonly type: ResourceType;
  readonly listKind: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly Verb[];
  readonly schema: Schema;
  readonly subresources: readonly SubresourceDefinition[];
  readonly scale?: ScalePaths;
  readonly printer: Printer;
  readonly strategy: Strategy;
  /** Paths that field selectors may name, beside metadata.name and metadata.namespace. */
  readonly selectableFields: readonly string[];
  /**
   * The resource whose stored form this version shares (events.k8s.io/v1 Event is stored as core/v1 Event; autoscaling/v1 as
   * v2; beta versions as GA). Absent: stored as it is.
   */
  readonly storedAs?: {
    readonly type: ResourceType;
    toStored(object: DeepReadonly<KubeObject>): KubeObject;
    fromStored(object: DeepReadonly<KubeObject>): KubeObject;
    /**
     * Versions that a webhook converts: to be asked before `toStored` or `fromStored` are called with these objects. undefined:
     * they can be called; else they can when the promise resolves. Rejects with StatusError for what cannot be converted.
     */
    prepare?(objects: readonly DeepReadonly<KubeObject>[], to: 'stored' | 'served'): Promise<void> | undefined;
  };
  /** A custom resource: decoded with pruning instead of Go's struct rules. */
  readonly custom?: boolean;
  /** The resource is on its way out: discovery offers no writes any more. */
  readonly terminating?: boolean;
  /** The version is deprecated: every answer carries this warning. */
  readonly deprecationWarning?: string;
  /** The release in which upstream has removed it (`1.25`). */
  readonly removedRelease?: string;
}
