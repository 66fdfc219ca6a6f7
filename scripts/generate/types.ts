import type { ResourceFact, TypeFact } from './facts.ts';

/** Where two packages have a type of the same name, the one that comes first here keeps the bare name. */
const PRECEDENCE = [
  'core.v1',
  'meta.v1',
  'apps.v1',
  'batch.v1',
  'autoscaling.v2',
  'rbac.v1',
  'networking.v1',
  'resource.v1',
];

const SCALARS: Readonly<Record<string, string>> = {
  string: 'string',
  bool: 'boolean',
  int32: 'number',
  int64: 'number',
  double: 'number',
  bytes: 'string',
  duration: 'string',
  time: 'string',
  microtime: 'string',
  quantity: 'string',
  intstr: 'number | string',
  object: 'Record<string, unknown>',
  fields: 'Record<string, unknown>',
  raw: 'Record<string, unknown>',
  json: 'unknown',
};

/** Gives every type of the facts its TypeScript name: `package.Type` -> name. */
export function nameTypes(types: readonly TypeFact[]): Map<string, string> {
  const rank = (type: TypeFact): number => {
    const index = PRECEDENCE.indexOf(type.packageName);
    if (index >= 0) return index;
    return /\.v\d+$/.test(type.packageName) ? PRECEDENCE.length : PRECEDENCE.length + 1;
  };
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const type of [...types].sort((a, b) => rank(a) - rank(b))) {
    const [group = '', version = ''] = type.packageName.split('.');
    const prefix = pascal(group) + (version === 'v1' || version === '' ? '' : pascal(version));
    const name = taken.has(type.name) ? prefix + type.name : type.name;
    taken.add(name);
    names.set(`${type.packageName}.${type.name}`, name);
  }
  return names;
}

export function renderTypes(
  types: readonly TypeFact[],
  names: ReadonlyMap<string, string>,
  resources: readonly ResourceFact[],
): string {
  const namespacedKinds = new Set(resources.filter((resource) => resource.namespaced).map((resource) => resource.kind));
  const out = ["import type { NamespacedMeta, StoredMeta } from '../object.ts';", ''];
  for (const type of types) {
    const name = names.get(`${type.packageName}.${type.name}`);
    if (name === undefined) throw new Error(`no name for ${type.packageName}.${type.name}`);
    if (type.marks.includes('json')) {
      out.push(`export type ${name} = unknown;`, '');
      continue;
    }
    if (type.fields.length === 0) {
      out.push(`export type ${name} = Record<string, never>;`, '');
      continue;
    }
    const isObject = type.marks.includes('kind') && type.fields.some((field) => field.type === 'meta.v1.ObjectMeta');
    out.push(`export interface ${name} {`);
    for (const field of type.fields) {
      const always =
        field.required || (isObject && ['apiVersion', 'kind', 'metadata', 'spec', 'status'].includes(field.name));
      let rendered = renderType(field.type, type.packageName, names);
      if (isObject && field.name === 'metadata')
        rendered = namespacedKinds.has(type.name) ? 'NamespacedMeta' : 'StoredMeta';
      const key = /^[A-Za-z_$][\w$]*$/.test(field.name) ? field.name : `'${field.name}'`;
      out.push(`  ${key}${always ? '' : '?'}: ${rendered};`);
    }
    out.push('}', '');
  }
  return out.join('\n');
}

export function renderResources(
  resources: readonly ResourceFact[],
  groups: ReadonlyMap<string, string>,
  names: ReadonlyMap<string, string>,
): string {
  const packageOf = new Map(
    [...groups].filter(([name]) => name !== 'meta.v1').map(([name, groupVersion]) => [groupVersion, name]),
  );
  const imports = new Set<string>();
  const entries: string[] = [];
  const taken = new Set<string>();
  const stability = (version: string): number =>
    /^v\d+$/.test(version) ? -Number(version.slice(1)) : version.includes('beta') ? 1 : 2;
  const groupRank = (group: string): number => (group === '' ? 0 : 1);
  const ordered = [...resources].sort(
    (a, b) => groupRank(a.group) - groupRank(b.group) || stability(a.version) - stability(b.version),
  );
  for (const { group, version, plural, kind, namespaced } of ordered) {
    const packageName = packageOf.get(`${group === '' ? 'core' : group}/${version}`);
    const type = names.get(`${packageName}.${kind}`);
    if (type === undefined) throw new Error(`no type for ${group}/${version} ${kind}`);
    imports.add(type);
    let key = plural;
    if (taken.has(key)) key = `${plural}.${group}`;
    if (taken.has(key)) key = `${plural}.${version}.${group}`;
    taken.add(key);
    const quoted = key.includes('.') ? `'${key}'` : key;
    entries.push(
      `  ${quoted}: { group: '${group}', version: '${version}', resource: '${plural}', kind: '${kind}', namespaced: ${namespaced} } as ResourceType<${type}>,`,
    );
  }
  return [
    "import type { ResourceType } from '../object.ts';",
    `import type { ${[...imports].sort().join(', ')} } from './types.ts';`,
    '',
    '/** The built-in resources. The bare plural names the preferred version; others add `.GROUP` or `.VERSION.GROUP`. */',
    'export const resources = {',
    ...entries,
    '};',
    '',
  ].join('\n');
}

function renderType(type: string, packageName: string, names: ReadonlyMap<string, string>): string {
  if (type.startsWith('[]')) {
    const item = renderType(type.slice(2), packageName, names);
    return item.includes('|') ? `(${item})[]` : `${item}[]`;
  }
  if (type.startsWith('map[')) return `Record<string, ${renderType(type.slice(4, -1), packageName, names)}>`;
  const scalar = SCALARS[type];
  if (scalar !== undefined) return scalar;
  const name = names.get(type.includes('.') ? type : `${packageName}.${type}`);
  if (name === undefined) throw new Error(`unknown type ${type} in ${packageName}`);
  return name;
}

function pascal(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
