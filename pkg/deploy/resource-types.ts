import { isStatusError } from '../api/errors.ts';
import { parseAPIVersion, type ResourceType } from '../api/object.ts';
import type { Client } from '../client/client.ts';

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

/** Finds the resource of an apiVersion and kind by asking the server; answers are kept for one pass. */
export class ResourceTypes {
  readonly #client: Client;
  readonly #lists = new Map<string, Promise<ResourceList>>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** undefined: the server does not serve such a kind. */
  async find(apiVersion: string, kind: string, signal: AbortSignal): Promise<ResourceType | undefined> {
    let list = this.#lists.get(apiVersion);
    if (list === undefined) {
      const { group } = parseAPIVersion(apiVersion);
      const path = group === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
      list = this.#client.raw(path, signal) as Promise<ResourceList>;
      this.#lists.set(apiVersion, list);
    }
    try {
      const found = (await list).resources.find((entry) => entry.kind === kind && !entry.name.includes('/'));
      if (found === undefined) return undefined;
      return { ...parseAPIVersion(apiVersion), resource: found.name, kind, namespaced: found.namespaced };
    } catch (error) {
      this.#lists.delete(apiVersion);
      if (isStatusError(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}
