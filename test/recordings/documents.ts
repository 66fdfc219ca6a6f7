import type { Normalizer } from './normalize.ts';
import type { Comparison } from './recording.ts';
import { isObject, valueAt } from './variables.ts';

type JSONObject = Record<string, unknown>;

/** What is compared of discovery and OpenAPI documents; undefined for everything else. */
export function documentOf(
  compare: Comparison,
  body: JSONObject,
  at: string | undefined,
  types: readonly string[],
  normalizer: Normalizer,
): unknown {
  switch (compare) {
    case 'shape':
      return shapeOf(body);
    case 'discovery':
      return normalizer.value(discoveryOf(body));
    case 'keys': {
      const value = at === undefined ? body : valueAt(body, at);
      const keys = Object.keys(isObject(value) ? value : {}).map((key) => normalizer.text(key));
      return keys.filter((key) => !/alpha|beta|example/.test(key)).sort();
    }
    case 'schema':
      return normalizer.value(typesOf(body, types));
    default:
      return undefined;
  }
}

function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (!isObject(value)) return value === null ? 'null' : typeof value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, shapeOf(value[key])]));
}

interface Group {
  readonly name?: string;
  readonly metadata?: { readonly name?: string };
  readonly versions?: readonly { readonly version: string; readonly resources?: readonly JSONObject[] }[];
}

/** Only generally available versions, without groups of other tests. */
function discoveryOf(body: JSONObject): unknown {
  const { kind } = body;
  const stable = (group: Group): NonNullable<Group['versions']> =>
    (group.versions ?? []).filter(({ version }) => /^v\d+$/.test(version));
  if (kind === 'APIGroupDiscoveryList') {
    const groups = (body['items'] ?? []) as Group[];
    const items = groups.map((group) => ({
      metadata: { name: group.metadata?.name },
      versions: stable(group).map(({ version, resources = [] }) => ({
        version,
        resources: resources.map((resource) => ({ ...resource, subresources: resource['subresources'] ?? [] })),
      })),
    }));
    const isOurs = ({ metadata }: Group): boolean => !/\.golden\.|example/.test(metadata?.name ?? '');
    return { kind, items: items.filter((group) => group.versions.length > 0 && isOurs(group)) };
  }
  if (kind === 'APIGroupList') {
    const groups = (body['groups'] as Group[]).map((group) => ({ name: group.name, versions: stable(group) }));
    return { kind, groups: groups.filter(({ name, versions }) => versions.length > 0 && !/example/.test(name ?? '')) };
  }
  if (kind === 'APIGroup') {
    const { apiVersion, name, preferredVersion } = body;
    return { kind, apiVersion, name, versions: stable(body as Group), preferredVersion };
  }
  if (kind === 'APIResourceList') {
    const resources = (body['resources'] as JSONObject[]).map(({ storageVersionHash: _, ...rest }) => rest);
    return { kind, groupVersion: body['groupVersion'], resources };
  }
  return kind === 'APIVersions' ? { kind, versions: body['versions'] } : body;
}

interface Property {
  readonly $ref?: string;
  readonly allOf?: readonly Property[];
  readonly type?: string;
  readonly format?: string;
  readonly items?: Property;
  readonly additionalProperties?: Property;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

interface Definition {
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[];
}

function typesOf(body: JSONObject, names: readonly string[]): unknown {
  const definitions = (body['definitions'] ?? valueAt(body, 'components.schemas') ?? {}) as Record<string, Definition>;
  return Object.fromEntries(
    names.map((name) => {
      const definition = definitions[name];
      if (definition === undefined) return [name, null];
      const properties = Object.entries(definition.properties ?? {});
      return [
        name,
        {
          props: Object.fromEntries(properties.map(([key, property]) => [key, typeOf(property)])),
          required: [...(definition.required ?? [])].sort(),
          gvk: (definition['x-kubernetes-group-version-kind'] ?? [])
            .map(({ group, version, kind }) => `${group}/${version}/${kind}`)
            .sort(),
        },
      ];
    }),
  );
}

function typeOf(property: Property | undefined): string {
  if (property === undefined) return '?';
  const reference = property.$ref ?? property.allOf?.[0]?.$ref;
  if (reference !== undefined) return reference.split('/').pop() ?? '';
  if (property.type === 'array') return `[]${typeOf(property.items)}`;
  if (property.type === 'object' && property.additionalProperties)
    return `map:${typeOf(property.additionalProperties)}`;
  const type = property.type ?? property['x-kubernetes-int-or-string'] ?? 'any';
  return `${type}${property.format === undefined ? '' : `/${property.format}`}`;
}
