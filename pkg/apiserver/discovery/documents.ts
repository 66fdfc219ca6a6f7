import { createHash } from 'node:crypto';
import type { ResourceDefinition, Verb } from '../../api/definition.ts';
import { isObject } from '../../api/patch/members.ts';
import { builtinPriority, CUSTOM_PRIORITY, type Priority } from '../aggregation/priorities.ts';
import type { RemoteDescription } from '../aggregation/remote-discovery.ts';
import type { RemoteService } from '../aggregation/remote-services.ts';

const VERB_ORDER: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const CUSTOM_VERB_ORDER: readonly Verb[] = [
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'create',
  'update',
  'watch',
];

export interface GroupVersion {
  readonly version: string;
  readonly definitions: readonly ResourceDefinition[];
  /** Another server serves it. */
  readonly remote?: RemoteDescription;
}

export interface GroupVersions {
  readonly group: string;
  /** Preferred first. */
  readonly versions: readonly GroupVersion[];
}

/** What other servers serve. */
export interface RemoteVersions {
  all(): Iterable<RemoteService>;
  of(remote: RemoteService): RemoteDescription;
}

type Ranked = GroupVersion & { readonly priority: Priority };

/** Everything that is served, in the order in which discovery shows it: by the priorities of the APIServices. */
export function groupsOf(definitions: Iterable<ResourceDefinition>, remotes?: RemoteVersions): GroupVersions[] {
  const groups = new Map<string, Map<string, Ranked>>();
  const versionsOf = (group: string): Map<string, Ranked> => {
    const versions = groups.get(group) ?? new Map<string, Ranked>();
    groups.set(group, versions);
    return versions;
  };
  for (const definition of definitions) {
    const { group, version } = definition.type;
    const versions = versionsOf(group);
    const before = versions.get(version)?.definitions ?? [];
    const priority = builtinPriority(group, version) ?? CUSTOM_PRIORITY;
    versions.set(version, { version, definitions: [...before, definition], priority });
  }
  if (remotes !== undefined) {
    for (const remote of remotes.all()) {
      const { group, version, priority } = remote;
      versionsOf(group).set(version, { version, definitions: [], priority, remote: remotes.of(remote) });
    }
  }
  const rank = ({ versions }: { readonly versions: readonly Ranked[] }): number =>
    Math.max(...versions.map(({ priority }) => priority.group));
  return [...groups]
    .map(([group, versions]) => ({
      group,
      versions: [...versions.values()]
        .map((one) => ({
          ...one,
          definitions: one.definitions.toSorted((a, b) => (a.type.resource < b.type.resource ? -1 : 1)),
        }))
        .sort((a, b) => b.priority.version - a.priority.version || compareVersions(a.version, b.version)),
    }))
    .sort((a, b) => rank(b) - rank(a) || (a.group < b.group ? -1 : 1));
}

/** Upstream's CompareKubeAwareVersionStrings, best first: GA before beta before alpha, then higher numbers. */
export function compareVersions(a: string, b: string): number {
  const left = parseVersion(a);
  const right = parseVersion(b);
  if (left === undefined || right === undefined) {
    if (left !== undefined) return -1;
    if (right !== undefined) return 1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return right.stage - left.stage || right.major - left.major || right.minor - left.minor;
}

function parseVersion(version: string): { stage: number; major: number; minor: number } | undefined {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version);
  if (match === null) return undefined;
  const stage = match[2] === 'alpha' ? 0 : match[2] === 'beta' ? 1 : 2;
  return { stage, major: Number(match[1]), minor: Number(match[3] ?? 0) };
}

/** The APIGroup of /apis. */
export function apiGroup(group: GroupVersions, standalone: boolean): Record<string, unknown> {
  const versions = group.versions.map(({ version }) => ({ groupVersion: `${group.group}/${version}`, version }));
  return {
    ...(standalone ? { kind: 'APIGroup', apiVersion: 'v1' } : {}),
    name: group.group,
    versions,
    preferredVersion: versions[0],
  };
}

/** The APIResourceList of /api/v1 and /apis/GROUP/VERSION. */
export function apiResourceList(
  groupVersion: string,
  definitions: readonly ResourceDefinition[],
): Record<string, unknown> {
  const list: Record<string, unknown>[] = [];
  for (const definition of definitions) {
    const { type, shortNames, categories, verbs, singular } = definition;
    list.push({
      name: type.resource,
      singularName: singular,
      namespaced: type.namespaced,
      kind: type.kind,
      verbs: offered(definition),
      ...(shortNames.length > 0 ? { shortNames } : {}),
      ...(categories.length > 0 ? { categories } : {}),
      // What cannot be watched is not stored.
      ...(verbs.includes('watch') ? { storageVersionHash: storageHash(definition) } : {}),
    });
    for (const { name, kind, group, version, verbs: subverbs } of definition.subresources) {
      list.push({
        name: `${type.resource}/${name}`,
        singularName: '',
        namespaced: type.namespaced,
        ...(group === undefined ? {} : { group }),
        ...(version === undefined ? {} : { version }),
        kind,
        verbs: ordered(subverbs),
      });
    }
  }
  list.sort((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1));
  const isCore = !groupVersion.includes('/');
  return { kind: 'APIResourceList', ...(isCore ? {} : { apiVersion: 'v1' }), groupVersion, resources: list };
}

/** The APIResourceList of a group and version of another server, without subresources; what is malformed is left out. */
export function remoteResourceList(groupVersion: string, { resources }: RemoteDescription): Record<string, unknown> {
  const list = resources.flatMap(({ resource, singularResource, scope, responseKind, verbs }) => {
    const { kind } = isObject(responseKind) ? responseKind : {};
    if (typeof resource !== 'string' || typeof kind !== 'string' || !Array.isArray(verbs)) return [];
    const known = verbs.filter((verb) => typeof verb === 'string');
    return [{ name: resource, singularName: singularResource, namespaced: scope === 'Namespaced', kind, verbs: known }];
  });
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: list };
}

/** The APIGroupDiscoveryList of /api (core) or /apis (the others), apidiscovery.k8s.io `version`. */
export function aggregatedDiscovery(groups: readonly GroupVersions[], version: string): Record<string, unknown> {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versions.map(({ version, definitions, remote }) => {
        const resources = remote?.resources ?? definitions.map(aggregatedResource);
        const freshness = remote?.isStale === true ? 'Stale' : 'Current';
        return { version, ...(resources.length === 0 ? {} : { resources }), freshness };
      }),
    })),
  };
}

function aggregatedResource(definition: ResourceDefinition): Record<string, unknown> {
  const { type, shortNames, categories, singular, subresources, custom } = definition;
  // Empty group and version: the same as the list's. Of custom resources upstream tells them nevertheless.
  const { group, version } = custom === true ? type : { group: '', version: '' };
  const responseKind = { group, version, kind: type.kind };
  return {
    resource: type.resource,
    responseKind,
    scope: type.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: offered(definition),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length === 0
      ? {}
      : {
          subresources: [...subresources]
            .sort((a, b) => (a.name < b.name ? -1 : 1))
            .map((subresource) => ({
              subresource: subresource.name,
              responseKind: {
                group: subresource.group ?? group,
                version: subresource.version ?? version,
                kind: subresource.kind,
              },
              verbs: ordered(subresource.verbs),
            })),
        }),
  };
}

function offered({ verbs, terminating, custom }: ResourceDefinition): Verb[] {
  const isWrite = (verb: Verb): boolean => verb === 'create' || verb === 'patch' || verb === 'update';
  const left = terminating === true ? verbs.filter((verb) => !isWrite(verb)) : verbs;
  return custom === true ? CUSTOM_VERB_ORDER.filter((verb) => left.includes(verb)) : ordered(left);
}

function ordered(verbs: readonly Verb[]): Verb[] {
  return VERB_ORDER.filter((verb) => verbs.includes(verb));
}

/** What upstream v1.36 still stores as the release before did, so that one can go back to it. */
const OLDER_STORAGE: ReadonlyMap<string, string> = new Map([
  ['admissionregistration.k8s.io/MutatingAdmissionPolicy', 'v1beta1'],
  ['admissionregistration.k8s.io/MutatingAdmissionPolicyBinding', 'v1beta1'],
  ['apiextensions.k8s.io/CustomResourceDefinition', 'v1beta1'],
]);

/** Tells clients when the stored form of a resource changes. Upstream: discovery.StorageVersionHash. */
function storageHash({ type: own, storedAs }: ResourceDefinition): string {
  const { group, version, kind } = storedAs?.type ?? own;
  const stored = OLDER_STORAGE.get(`${group}/${kind}`) ?? version;
  const digest = createHash('sha256').update(`${group}/${stored}/${kind}`).digest();
  return digest.subarray(0, 8).toString('base64');
}
