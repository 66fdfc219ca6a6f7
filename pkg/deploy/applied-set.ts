import { isStatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { Client } from '../client/client.ts';
import { ignoreNotFound } from '../client/retry.ts';

/** An object that was applied for a manifest. */
export interface AppliedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** What was applied for each manifest (by its name). */
export type AppliedSet = Readonly<Record<string, readonly AppliedObject[]>>;

const KEY = { namespace: 'kube-system', name: 'kube-lite-deploy' };
const FIELD = 'applied.json';

/** Remembers in a ConfigMap what was applied, so that it can be pruned after restarts as well. */
export class AppliedSetStore {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async load(signal: AbortSignal): Promise<AppliedSet> {
    const stored = await ignoreNotFound(this.#client.get(resources.configmaps, KEY, signal));
    const text = stored?.data?.[FIELD];
    return text === undefined ? {} : (JSON.parse(text) as AppliedSet);
  }

  async save(applied: AppliedSet, signal: AbortSignal): Promise<void> {
    const data = { [FIELD]: JSON.stringify(applied) };
    try {
      await this.#client.patch(resources.configmaps, KEY, 'merge', { data }, {}, signal);
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      await this.#client.create(resources.configmaps, { metadata: KEY, data }, undefined, signal);
    }
  }
}

export function objectKey({ apiVersion, kind, namespace = '', name }: AppliedObject): string {
  // The group without the version: a new version of a kind is the same object.
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return [group, kind, namespace, name].join('/');
}

/** Objects that were applied and that no manifest has any more, last first. */
export function leftovers(before: AppliedSet, after: AppliedSet): AppliedObject[] {
  const kept = new Set(Object.values(after).flat().map(objectKey));
  return Object.values(before)
    .flat()
    .filter((object) => !kept.has(objectKey(object)))
    .reverse();
}
