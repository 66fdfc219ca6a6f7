import { managedFieldsProblem } from '../../api/apply/index.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import type { UserInfo } from '../../api/user.ts';
import type { Clock } from '../../base/clock.ts';
import { cloneJSON } from '../../base/json.ts';
import type { AdmissionAttributes, Operation, Reinvocation } from '../contract.ts';
import type { WriteTarget } from './core.ts';

/** One request on its way through the admission plugins. */
export class AdmissionRequest implements AdmissionAttributes, Reinvocation {
  readonly operation: Operation;
  readonly object: KubeObject | undefined;
  readonly oldObject: DeepReadonly<KubeObject> | undefined;
  isSecondRound = false;
  /** A webhook or a policy has changed the object. */
  isReplaced = false;
  readonly #target: WriteTarget;
  readonly #whole: KubeObject | undefined;
  readonly #owners: KubeObject['metadata']['managedFields'];
  readonly #clock: Clock;
  #kept: Map<string, unknown> | undefined;
  #wantsSecondRound = false;

  constructor(
    operation: Operation,
    target: WriteTarget,
    object: KubeObject | undefined,
    oldObject: DeepReadonly<KubeObject> | undefined,
    clock: Clock,
  ) {
    const { body } = target;
    this.operation = operation;
    this.#target = target;
    this.#whole = object;
    this.object = object === undefined || body === undefined ? object : body.of(object);
    this.oldObject = oldObject === undefined || body === undefined ? oldObject : body.of(oldObject);
    this.#owners = this.object?.metadata?.managedFields;
    this.#clock = clock;
  }

  get definition(): ResourceDefinition {
    return this.#target.definition;
  }

  get subresource(): string {
    return this.#target.subresource;
  }

  get namespace(): string {
    return this.#target.namespace;
  }

  get name(): string {
    // The options of a CONNECT have no metadata.
    return this.#whole?.metadata?.name ?? this.#target.name;
  }

  get user(): UserInfo {
    return this.#target.context.user;
  }

  get dryRun(): boolean {
    return this.#target.dryRun;
  }

  get options(): DeepReadonly<Record<string, unknown>> {
    return this.#target.options;
  }

  get signal(): AbortSignal {
    return this.#target.context.signal;
  }

  get reinvocation(): Reinvocation {
    return this;
  }

  get kept(): Map<string, unknown> {
    this.#kept ??= new Map();
    return this.#kept;
  }

  warn(text: string): void {
    this.#target.context.warnings.push(text);
  }

  annotate(key: string, value: string, isDetail = false): void {
    const { annotations, audit } = this.#target.context;
    if (!isDetail || audit?.recordsBodies === true) annotations.set(key, value);
  }

  waitedForWebhooks(ms: number): void {
    const { context } = this.#target;
    context.webhookMs = (context.webhookMs ?? 0) + ms;
  }

  remainingMs(): number {
    const { deadlineMs } = this.#target.context;
    return deadlineMs === undefined ? Number.POSITIVE_INFINITY : deadlineMs - this.#clock.monotonic();
  }

  replace(next: DeepReadonly<KubeObject>): void {
    const { object } = this;
    if (object === undefined) throw new Error(`${this.operation} has no object`);
    for (const key of Object.keys(object)) delete object[key];
    const copy = cloneJSON(next) as KubeObject;
    for (const key of Object.keys(copy)) if (key !== '__proto__') object[key] = copy[key];
    this.isReplaced = true;
  }

  request(): void {
    if (!this.isSecondRound) this.#wantsSecondRound = true;
  }

  /** Whether all plugins are to run once more. */
  beginSecondRound(): boolean {
    if (!this.#wantsSecondRound || this.isSecondRound) return false;
    this.isSecondRound = true;
    return true;
  }

  /** Owners of fields that a webhook or a policy has made unreadable are those from before, as upstream has it. */
  restoreOwners(): void {
    const metadata = this.isReplaced ? this.object?.metadata : undefined;
    if (metadata === undefined) return;
    const problem = managedFieldsProblem(metadata.managedFields);
    if (problem === undefined) return;
    if (this.#owners === undefined) delete metadata.managedFields;
    else metadata.managedFields = this.#owners;
    this.warn(
      `.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: ${problem}`,
    );
  }

  /** Writes a changed subresource body back. */
  finish(): void {
    const { body } = this.#target;
    if (!this.isReplaced || body === undefined || this.object === undefined || this.#whole === undefined) return;
    body.into(this.object, this.#whole);
  }
}
