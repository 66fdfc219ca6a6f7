import type { Steps } from '../../base/steps.ts';
import type { ResourceDefinition } from '../definition.ts';
import { parseAPIVersion } from '../object.ts';
import { builtinPackages, builtinSchema, builtinTypeMarks, hasBuiltinType } from '../schema/builtin.ts';
import { openAPIName, SCALAR_NAMES, typeNameOf } from './names.ts';
import { type Describe, type OpenAPINode, Renderer, scalarDefinition } from './render.ts';

/** Types that documents have whether a resource uses them or not. */
const COMMON = ['meta.v1.DeleteOptions', 'meta.v1.Status', 'meta.v1.WatchEvent'];
const DISCOVERY = [
  'meta.v1.APIGroup',
  'meta.v1.APIGroupList',
  'meta.v1.APIResourceList',
  'meta.v1.APIVersions',
  'version.Info',
];

/**
 * All named schemas that these resources need, by name: their types and lists, the bodies of subresources, and everything below.
 */
export function* renderDefinitions(
  definitions: readonly ResourceDefinition[],
  version: 2 | 3,
  options: { readonly describe?: Describe; readonly withDiscovery?: boolean; readonly lists?: boolean } = {},
): Steps<Record<string, OpenAPINode>> {
  const renderer = new Renderer(version, options.describe);
  const groupVersions = new Map(definitions.map(({ type }) => [`${type.group}/${type.version}`, type] as const));
  const out: Record<string, OpenAPINode> = {};
  const discovery = options.withDiscovery ? DISCOVERY : options.lists ? ['meta.v1.APIResourceList'] : [];
  const queue = [...COMMON, ...discovery];
  for (const definition of definitions) {
    if (definition.custom) addCustom(definition, renderer, out);
    else if (definition.schema.name !== undefined) {
      queue.push(definition.schema.name);
      const list = `${definition.schema.name}List`;
      if (definition.verbs.includes('list') && hasBuiltinType(list)) queue.push(list);
    }
    for (const { group, version: subVersion, kind, connect } of definition.subresources) {
      if (connect || group === undefined || subVersion === undefined) continue;
      const schema = builtinPackages().find((one) => one.group === group && one.version === subVersion);
      if (schema !== undefined) queue.push(`${schema.name}.${kind}`);
    }
    if (definition.subresources.some((sub) => sub.kind === 'Binding')) queue.push('core.v1.Binding');
  }
  for (const name of queue) renderer.references.types.add(name);
  // Iterating a set also meets what is added on the way.
  for (const name of renderer.references.types) {
    const typeName = openAPIName(name);
    out[typeName] = withKind(renderer.definition(builtinSchema(name), typeName), name, groupVersions);
    yield;
  }
  for (const name of [...renderer.references.scalars, SCALAR_NAMES.patch]) out[name] = scalarDefinition(name, version);
  return Object.fromEntries(Object.entries(out).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Groups and versions that upstream no longer serves, or serves no resources of, but still counts options for. */
const GONE = [
  'admission.k8s.io/v1',
  'admission.k8s.io/v1beta1',
  'apiextensions.k8s.io/v1beta1',
  'apiregistration.k8s.io/v1beta1',
  'apps/v1beta1',
  'apps/v1beta2',
  'authentication.k8s.io/v1alpha1',
  'authentication.k8s.io/v1beta1',
  'authorization.k8s.io/v1beta1',
  'autoscaling/v2beta1',
  'autoscaling/v2beta2',
  'batch/v1beta1',
  'discovery.k8s.io/v1beta1',
  'events.k8s.io/v1beta1',
  'extensions/v1beta1',
  'flowcontrol.apiserver.k8s.io/v1beta1',
  'flowcontrol.apiserver.k8s.io/v1beta2',
  'flowcontrol.apiserver.k8s.io/v1beta3',
  'imagepolicy.k8s.io/v1alpha1',
  'node.k8s.io/v1alpha1',
  'node.k8s.io/v1beta1',
  'policy/v1beta1',
  'rbac.authorization.k8s.io/v1alpha1',
  'rbac.authorization.k8s.io/v1beta1',
  'scheduling.k8s.io/v1beta1',
  'storage.k8s.io/v1alpha1',
];

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** Marks a kind with the groups and versions that it belongs to. */
function withKind(
  node: OpenAPINode,
  packageType: string,
  groupVersions: ReadonlyMap<string, GroupVersion>,
): OpenAPINode {
  const marks = builtinTypeMarks(packageType);
  const dot = packageType.lastIndexOf('.');
  const kind = packageType.slice(dot + 1);
  const out: OpenAPINode = {
    ...node,
    ...(marks.includes('map=atomic') ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...unionOf(packageType, marks),
  };
  if (marks.includes('kind-everywhere')) {
    const everywhere = [
      { group: '', version: 'v1' },
      ...builtinPackages().flatMap(({ group, version }) =>
        group === undefined || version === undefined ? [] : [{ group, version }],
      ),
      ...GONE.map((one) => parseAPIVersion(one)),
      ...groupVersions.values(),
    ];
    const seen = new Map(everywhere.map(({ group, version }) => [`${group}/${version}`, { group, kind, version }]));
    return { ...out, 'x-kubernetes-group-version-kind': [...seen.values()] };
  }
  if (!marks.includes('kind')) return out;
  const fact = builtinPackages().find((one) => one.name === packageType.slice(0, dot));
  if (fact?.group === undefined) return out;
  return { ...out, 'x-kubernetes-group-version-kind': [{ group: fact.group, kind, version: fact.version }] };
}

/** The extension of a type that has one of its fields, `-`: without one that says which. */
function unionOf(packageType: string, marks: readonly string[]): OpenAPINode {
  const discriminator = marks.find((mark) => mark.startsWith('union='))?.slice('union='.length);
  if (discriminator === undefined) return {};
  const fields = [...(builtinSchema(packageType).properties?.keys() ?? [])].filter((name) => name !== discriminator);
  const named = fields.map((name) => [name, name.charAt(0).toUpperCase() + name.slice(1)]);
  const union = {
    ...(discriminator === '-' ? {} : { discriminator }),
    'fields-to-discriminateBy': Object.fromEntries(named),
  };
  return { 'x-kubernetes-unions': [union] };
}

function addCustom(definition: ResourceDefinition, renderer: Renderer, out: Record<string, OpenAPINode>): void {
  const { group, version, kind } = definition.type;
  const name = typeNameOf(definition.type, true);
  const fields = definition.selectableFields.map((fieldPath) => ({ fieldPath }));
  const marks = {
    'x-kubernetes-group-version-kind': [{ group, kind, version }],
    ...(fields.length === 0 ? {} : { 'x-kubernetes-selectable-fields': fields }),
  };
  // Where any field may be, kubectl must not be told of some.
  const isFree = renderer.version === 2 && definition.schema.preserveUnknownFields;
  if (isFree) out[name] = { type: 'object', ...marks };
  else {
    const body = renderer.use(definition.schema);
    const properties = {
      ...(body['properties'] as OpenAPINode | undefined),
      ...renderer.objectFields('core.v1.Pod', 'meta.v1.ObjectMeta'),
    };
    out[name] = { ...body, properties, ...marks };
  }
  out[`${name}List`] = {
    description: `${definition.listKind} is a list of ${kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      ...renderer.objectFields('core.v1.PodList', 'meta.v1.ListMeta'),
      items: { description: `List of ${definition.type.resource}.`, type: 'array', items: renderer.ref(name) },
    },
    'x-kubernetes-group-version-kind': [{ group, kind: definition.listKind, version }],
  };
}
