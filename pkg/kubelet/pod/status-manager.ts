import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Pod as ApiPod } from '../../api/generated/types.ts';
import type { Draft } from '../../api/object.ts';
import { abortable } from '../../base/abort.ts';
import { Backoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { equalJSON } from '../../base/json.ts';
import type { Logger } from '../../base/logger.ts';
import type { Client } from '../../client/client.ts';
import { isStaticPod } from '../labels.ts';
import type { Pod, PodCondition, PodStatus } from '../types.ts';
import { OWN_CONDITIONS, SHARED_CONDITIONS } from './pod-status.ts';

export interface StatusManagerDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The API object that shows a pod: itself, or a static pod's mirror; undefined when there is none now. */
  readonly apiPod: (pod: Pod) => Pod | undefined;
}

interface Entry {
  pod: Pod;
  status: PodStatus;
  /** What the API server answered to the last write; before the first one, what it had from an earlier kubelet. */
  written: Pod | undefined;
  dirty: boolean;
  sending: Promise<void> | undefined;
}

const MAX_CONFLICTS = 10;

/** Brings pods' statuses to the API server, one write at a time per pod, the newest only. */
export class StatusManager {
  readonly #deps: StatusManagerDeps;
  readonly #entries = new Map<string, Entry>();

  constructor(deps: StatusManagerDeps) {
    this.#deps = deps;
  }

  /** The pod with the status that was set last (the API's may lag), conditions of other writers from the API. */
  withStatus(pod: Pod): Pod {
    const own = this.#entries.get(pod.metadata.uid)?.status;
    if (own === undefined) return pod;
    return { ...pod, status: mergeForeign(own, pod.status) } as Pod;
  }

  set(pod: Pod, status: PodStatus): void {
    const { uid } = pod.metadata;
    let entry = this.#entries.get(uid);
    if (entry === undefined) {
      const written = isStaticPod(pod) ? undefined : pod;
      entry = { pod, status: pod.status ?? {}, written, dirty: false, sending: undefined };
      this.#entries.set(uid, entry);
    }
    entry.pod = pod;
    if (equalJSON(entry.status, status)) return;
    entry.status = status;
    entry.dirty = true;
    this.#start(entry);
  }

  /** The API object changed: writes our status again if somebody else changed it. */
  reconcile(pod: Pod): void {
    const entry = this.#entries.get(pod.metadata.uid);
    const api = entry === undefined ? undefined : this.#deps.apiPod(pod);
    if (entry?.written === undefined || api === undefined || entry.sending !== undefined) return;
    // One object of it is enough.
    if (revision(api) === revision(entry.written)) entry.written = api;
    if (revision(api) <= revision(entry.written) || equalJSON(ownPart(api.status), ownPart(entry.written.status)))
      return;
    entry.dirty = true;
    this.#start(entry);
  }

  /** The mirror of a static pod was made anew: it has no status yet. */
  resend(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    entry.dirty = true;
    entry.written = undefined;
    this.#start(entry);
  }

  /** Resolves when the last status that was set has been written (or cannot be any more); rejects when `signal` aborts. */
  async flush(uid: string, signal: AbortSignal): Promise<void> {
    const sending = this.#entries.get(uid)?.sending;
    if (sending !== undefined) await abortable(sending, signal);
  }

  forget(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry !== undefined) entry.dirty = false;
    this.#entries.delete(uid);
  }

  #start(entry: Entry): void {
    entry.sending ??= this.#send(entry).finally(() => {
      entry.sending = undefined;
      if (entry.dirty && this.#entries.get(entry.pod.metadata.uid) === entry) this.#start(entry);
    });
  }

  async #send(entry: Entry): Promise<void> {
    const backoff = new Backoff({ initialMs: 200, maxMs: 10_000 });
    while (entry.dirty) {
      entry.dirty = false;
      try {
        await this.#write(entry);
        backoff.reset();
      } catch (error) {
        if (isStatusError(error) && [403, 404, 409, 422].includes(error.code)) {
          const level = error.code === 404 || error.code === 409 ? 'debug' : 'warn';
          this.#deps.logger[level]({ err: error, pod: entry.pod.metadata.name }, 'pod status was refused');
          return;
        }
        entry.dirty = true;
        await this.#deps.clock.sleep(backoff.next());
        if (this.#entries.get(entry.pod.metadata.uid) !== entry) return;
      }
    }
  }

  async #write(entry: Entry): Promise<void> {
    let base = newest(entry.written, this.#deps.apiPod(entry.pod));
    if (base === undefined) return;
    const { uid, name, namespace } = base.metadata;
    for (let tries = 1; ; tries++) {
      const status = mergeForeign(entry.status, base.status);
      if (equalJSON(status, base.status)) {
        entry.written = base;
        return;
      }
      const { spec, metadata } = base;
      try {
        entry.written = await this.#deps.client.updateStatus(resources.pods, {
          metadata,
          spec,
          status,
        } as Draft<ApiPod>);
        return;
      } catch (error) {
        if (!isStatusError(error, 'Conflict') || tries >= MAX_CONFLICTS) throw error;
        base = await this.#deps.client.get(resources.pods, { namespace, name });
        if (base.metadata.uid !== uid) return;
      }
    }
  }
}

/** Our status with what others own in the API's: their conditions, claims and nominations. */
function mergeForeign(own: PodStatus, api: PodStatus | undefined): PodStatus {
  if (api === undefined) return own;
  const isOwn = ({ type }: PodCondition): boolean => OWN_CONDITIONS.has(type);
  const foreign = (api.conditions ?? []).filter((condition) => !isOwn(condition));
  const told = new Set(foreign.map(({ type }) => type));
  const ours = (own.conditions ?? []).filter(
    (condition) => isOwn(condition) || (SHARED_CONDITIONS.has(condition.type) && !told.has(condition.type)),
  );
  return { ...api, ...own, conditions: [...foreign, ...ours] };
}

function ownPart(status: PodStatus | undefined): PodStatus {
  return {
    ...status,
    conditions: (status?.conditions ?? []).filter((condition) => OWN_CONDITIONS.has(condition.type)),
  };
}

function revision(pod: Pod): number {
  return Number(pod.metadata.resourceVersion);
}

function newest(a: Pod | undefined, b: Pod | undefined): Pod | undefined {
  if (a === undefined || b === undefined) return b;
  return a.metadata.uid === b.metadata.uid && revision(a) > revision(b) ? a : b;
}
