import type { ResourceDefinition, Verb } from '../../api/definition.ts';
import { apiVersionOf } from '../../api/object.ts';

const VERB_ORDER: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** Groups in the order in which discovery shows them; others follow, by name. */
const GROUP_ORDER: readonly string[] = [
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'resource.k8s.io',
  'flowcontrol.apiserver.k8s.io',
];

export interface GroupVersions {
  readonly group: string;
  /** Preferred first. */
  readonly versions: readonly { readonly version: string; readonly definitions: readonly ResourceDefinition[] }[];
}

export function groupsOf(definitions: Iterable<ResourceDefinition>): GroupVersions[] {
  const groups = new Map<string, Map<string, ResourceDefinition[]>>();
  for (const definition of definitions) {
    const { group, version } = definition.type;
    let versions = groups.get(group);
    if (versions === undefined) {
      versions = new Map();
      groups.set(group, versions);
    }
    const list = versions.get(version);
    if (list === undefined) versions.set(version, [definition]);
    else list.push(definition);
  }
  const rank = (group: string): number => {
    const position = GROUP_ORDER.indexOf(group);
    return group === '' ? -1 : position < 0 ? GROUP_ORDER.length : position;
  };
  return [...groups]
    .map(([group, versions]) => ({
      group,
      versions: [...versions]
        .map(([version, list]) => ({
          version,
          definitions: list.sort((a, b) => (a.type.resource < b.type.resource ? -1 : 1)),
        }))
        .sort((a, b) => compareVersions(a.version, b.version)),
    }))
    .sort((a, b) => rank(a.group) - rank(b.group) || (a.group < b.group ? -1 : 1));
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
      ...((definition.storedAs === undefined || definition.custom === true) && verbs.includes('list')
        ? { storageVersionHash: storageHash(definition) }
        : {}),
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

/** The APIGroupDiscoveryList of /api (core) or /apis (the others), apidiscovery.k8s.io `version`. */
export function aggregatedDiscovery(groups: readonly GroupVersions[], version: string): Record<string, unknown> {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: group === '' ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
      versions: versions.map((one) => ({
        version: one.version,
        resources: one.definitions.map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  };
}

function aggregatedResource(definition: ResourceDefinition): Record<string, unknown> {
  const { type, shortNames, categories, singular, subresources } = definition;
  // Empty group and version: the same as the list's.
  const responseKind = { group: '', version: '', kind: type.kind };
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
                group: subresource.group ?? '',
                version: subresource.version ?? '',
                kind: subresource.kind,
              },
              verbs: ordered(subresource.verbs),
            })),
        }),
  };
}

function offered({ verbs, terminating }: ResourceDefinition): Verb[] {
  const isWrite = (verb: Verb): boolean => verb === 'create' || verb === 'patch' || verb === 'update';
  return ordered(terminating === true ? verbs.filter((verb) => !isWrite(verb)) : verbs);
}

function ordered(verbs: readonly Verb[]): Verb[] {
  return VERB_ORDER.filter((verb) => verbs.includes(verb));
}

/** Tells clients when the stored form of a resource changes: any stable short hash does. */
function storageHash({ type: own, storedAs }: ResourceDefinition): string {
  const type = storedAs?.type ?? own;
  let hash = 0xcbf29ce484222325n;
  for (const char of `${apiVersionOf(type)}/${type.kind}`) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(char.charCodeAt(0))) * 0x100000001b3n);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(hash);
  return bytes.toString('base64');
}
