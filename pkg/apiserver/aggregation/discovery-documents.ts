/** A resource as apidiscovery.k8s.io/v2 describes it. */
export type RemoteResource = Readonly<Record<string, unknown>>;

/** By `GROUP/VERSION`. */
export type RemoteVersions = ReadonlyMap<string, readonly RemoteResource[]>;

type Node = Readonly<Record<string, unknown>>;

/** Reads an APIGroupDiscoveryList; undefined: it is another document. Throws for what is no JSON. */
export function parseAggregated(body: Buffer): RemoteVersions | undefined {
  const document = node(JSON.parse(body.toString('utf8')));
  if (document['kind'] !== 'APIGroupDiscoveryList') return undefined;
  const versions = new Map<string, readonly RemoteResource[]>();
  for (const group of list(document['items'])) {
    const name = text(node(group['metadata'])['name']);
    for (const version of list(group['versions'])) {
      const resources = list(version['resources']).filter((resource) => text(resource['resource']) !== '');
      versions.set(`${name}/${text(version['version'])}`, resources);
    }
  }
  return versions;
}

/** Reads an APIResourceList. Throws for anything else. */
export function parseLegacy(body: Buffer): readonly RemoteResource[] {
  const document = node(JSON.parse(body.toString('utf8')));
  if (document['kind'] !== 'APIResourceList') throw new Error('the answer is no APIResourceList');
  const resources = new Map<string, Record<string, unknown>>();
  const subresources: Node[] = [];
  for (const one of list(document['resources'])) {
    const name = text(one['name']);
    if (name.includes('/')) subresources.push(one);
    else if (name !== '') resources.set(name, resourceOf(one, name));
  }
  for (const one of subresources) {
    const [parent = '', ...rest] = text(one['name']).split('/');
    // A subresource may be there without its resource.
    const owner = resources.get(parent) ?? { resource: parent, scope: scopeOf(one), singularResource: '', verbs: [] };
    resources.set(parent, owner);
    const known = (owner['subresources'] ?? []) as unknown[];
    owner['subresources'] = [
      ...known,
      { subresource: rest.join('/'), responseKind: kindOf(one), verbs: list(one['verbs'], isText) },
    ];
  }
  return [...resources.values()];
}

function resourceOf(one: Node, name: string): Record<string, unknown> {
  const shortNames = list(one['shortNames'], isText);
  const categories = list(one['categories'], isText);
  return {
    resource: name,
    responseKind: kindOf(one),
    scope: scopeOf(one),
    singularResource: text(one['singularName']),
    verbs: list(one['verbs'], isText),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
}

function kindOf(one: Node): Node {
  return { group: text(one['group']), version: text(one['version']), kind: text(one['kind']) };
}

function scopeOf(one: Node): string {
  return one['namespaced'] === true ? 'Namespaced' : 'Cluster';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function node(value: unknown): Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Node) : {};
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly Node[];
function list<T>(value: unknown, is: (item: unknown) => item is T): readonly T[];
function list(value: unknown, is: (item: unknown) => boolean = isNode): readonly unknown[] {
  return Array.isArray(value) ? value.filter(is) : [];
}
