import type { ResourceType } from '../api/object.ts';
import type { Client } from '../client/client.ts';

/** A resource that the server serves, in the version it prefers of those that have it. */
export interface DiscoveredResource {
  readonly type: ResourceType;
  readonly verbs: readonly string[];
}

export interface Discovery {
  readonly resources: readonly DiscoveredResource[];
  /** The type of an apiVersion and kind, in any served version. */
  typeOf(apiVersion: string, kind: string): ResourceType | undefined;
  /** What could not be asked for: an aggregated API that is down. */
  readonly failures: readonly { readonly groupVersion: string; readonly error: unknown }[];
}

interface GroupList {
  readonly groups: readonly {
    readonly name: string;
    readonly versions: readonly { readonly groupVersion: string }[];
    readonly preferredVersion?: { readonly groupVersion: string };
  }[];
}

interface ResourceList {
  readonly resources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

/** Asks the server for all its resources. Fails only when the list of groups cannot be read. */
export async function discover(client: Client, signal?: AbortSignal): Promise<Discovery> {
  const { groups } = (await client.raw('/apis', signal)) as GroupList;
  const wanted = groups.map(({ versions, preferredVersion }) => {
    const names = versions.map(({ groupVersion }) => groupVersion);
    const first = preferredVersion?.groupVersion;
    return first === undefined ? names : [first, ...names.filter((name) => name !== first)];
  });
  const found = new Map<string, DiscoveredResource>();
  const kinds = new Map<string, ResourceType>();
  const failures: { groupVersion: string; error: unknown }[] = [];
  for (const groupVersion of ['v1', ...wanted.flat()]) {
    const path = groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`;
    let list: ResourceList;
    try {
      list = (await client.raw(path, signal)) as ResourceList;
    } catch (error) {
      failures.push({ groupVersion, error });
      continue;
    }
    const slash = groupVersion.indexOf('/');
    const group = slash < 0 ? '' : groupVersion.slice(0, slash);
    const version = groupVersion.slice(slash + 1);
    for (const { name, kind, namespaced, verbs } of list.resources) {
      if (name.includes('/')) continue;
      const type: ResourceType = { group, version, resource: name, kind, namespaced };
      kinds.set(`${groupVersion} ${kind}`, type);
      const key = `${name}.${group}`;
      if (!found.has(key)) found.set(key, { type, verbs });
    }
  }
  return {
    resources: [...found.values()],
    typeOf: (apiVersion, kind) => kinds.get(`${apiVersion} ${kind}`),
    failures,
  };
}
