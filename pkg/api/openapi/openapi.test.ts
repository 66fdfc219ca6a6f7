import { beforeAll, describe, expect, test } from 'vitest';
import { atOnce } from '../../base/steps.ts';
import type { ResourceDefinition } from '../definition.ts';
import { schemaFromOpenAPI } from '../schema/crd.ts';
import { builtinDefinitions } from '../scheme.ts';
import { type OpenAPINode, OpenAPIv3, openAPIv2, openAPIv2Protobuf, openAPIv3ProtobufSteps } from './index.ts';

let definitions: ResourceDefinition[];
beforeAll(async () => {
  const [pods] = builtinDefinitions().filter(({ type }) => type.resource === 'pods');
  if (pods === undefined) throw new Error('no pods');
  const widgets: ResourceDefinition = {
    ...pods,
    type: { group: 'shop.example.com', version: 'v1', resource: 'widgets', kind: 'Widget', namespaced: true },
    listKind: 'WidgetList',
    subresources: [{ name: 'status', kind: 'Widget', verbs: ['get', 'patch', 'update'] }],
    custom: true,
    schema: await schemaFromOpenAPI({
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          required: ['size', 'maybe'],
          properties: {
            size: { type: 'integer', minimum: 1 },
            port: { 'x-kubernetes-int-or-string': true },
            free: {
              type: 'object',
              'x-kubernetes-preserve-unknown-fields': true,
              properties: { a: { type: 'string' } },
            },
            maybe: { type: 'object', nullable: true, properties: { a: { type: 'string' } } },
            template: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { a: { type: 'string' } } },
          },
        },
      },
    }),
    selectableFields: ['spec.size'],
  };
  const boxes: ResourceDefinition = {
    ...widgets,
    type: { ...widgets.type, resource: 'boxes', kind: 'Box' },
    listKind: 'BoxList',
    schema: await schemaFromOpenAPI({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }),
    selectableFields: [],
  };
  definitions = [...builtinDefinitions(), widgets, boxes];
});

/** Every $ref of a document leads somewhere. */
function danglingRefs(document: unknown, names: ReadonlySet<string>): string[] {
  const dangling: string[] = [];
  JSON.stringify(document, (key, value: unknown) => {
    if (key === '$ref' && typeof value === 'string' && !names.has(value.slice(value.lastIndexOf('/') + 1)))
      dangling.push(value);
    return value;
  });
  return dangling;
}

test('version 2', () => {
  const document = openAPIv2(definitions, {
    version: 'v1.36.0',
    describe: (_, field) => (field === 'dnsPolicy' ? 'How names are resolved.' : undefined),
  });
  const schemas = document['definitions'] as Record<string, OpenAPINode>;
  expect(danglingRefs(document, new Set(Object.keys(schemas)))).toEqual([]);
  expect(schemas['io.k8s.api.core.v1.ContainerPort']).toEqual({
    type: 'object',
    required: ['containerPort'],
    properties: {
      containerPort: { type: 'integer', format: 'int32' },
      hostIP: { type: 'string' },
      hostPort: { type: 'integer', format: 'int32' },
      name: { type: 'string' },
      protocol: { type: 'string', enum: ['SCTP', 'TCP', 'UDP'] },
    },
  });
  expect(schemas['io.k8s.api.flowcontrol.v1.Subject']?.['x-kubernetes-unions']).toEqual([
    {
      discriminator: 'kind',
      'fields-to-discriminateBy': { group: 'Group', serviceAccount: 'ServiceAccount', user: 'User' },
    },
  ]);
  expect(schemas['io.k8s.api.core.v1.PersistentVolumeSpec']?.['properties']).toMatchObject({
    claimRef: { $ref: '#/definitions/io.k8s.api.core.v1.ObjectReference', 'x-kubernetes-map-type': 'granular' },
  });
  expect(schemas['io.k8s.api.core.v1.Pod']?.['x-kubernetes-group-version-kind']).toEqual([
    { group: '', kind: 'Pod', version: 'v1' },
  ]);
  const string = { type: 'string' };
  const metadata = { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' };
  const kindOf = (kind: string) => [{ group: 'shop.example.com', kind, version: 'v1' }];
  expect(schemas['com.example.shop.v1.Widget']).toEqual({
    type: 'object',
    properties: {
      apiVersion: string,
      kind: string,
      metadata,
      spec: {
        type: 'object',
        required: ['size'],
        properties: {
          size: { type: 'integer', minimum: 1 },
          port: { 'x-kubernetes-int-or-string': true },
          free: { 'x-kubernetes-preserve-unknown-fields': true },
          maybe: {},
          template: {
            type: 'object',
            'x-kubernetes-embedded-resource': true,
            required: ['kind', 'apiVersion'],
            properties: { a: string, apiVersion: string, kind: string, metadata },
          },
        },
      },
    },
    'x-kubernetes-group-version-kind': kindOf('Widget'),
    'x-kubernetes-selectable-fields': [{ fieldPath: 'spec.size' }],
  });
  expect(schemas['com.example.shop.v1.Box']).toEqual({
    type: 'object',
    'x-kubernetes-group-version-kind': kindOf('Box'),
  });
  expect(JSON.stringify(schemas['io.k8s.api.core.v1.PodSpec'])).toContain(
    '"dnsPolicy":{"description":"How names are resolved.","type":"string","enum":[',
  );
  const paths = document['paths'] as Record<string, Record<string, OpenAPINode>>;
  const patch = paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.['patch'];
  expect(patch).toMatchObject({
    operationId: 'patchAppsV1NamespacedDeployment',
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': { group: 'apps', version: 'v1', kind: 'Deployment' },
  });
  expect(((patch?.['parameters'] ?? []) as OpenAPINode[]).map((one) => one['name'])).toEqual([
    'body',
    'dryRun',
    'fieldManager',
    'fieldValidation',
    'force',
  ]);
});

test('parameters stand where all operations of a path have them, in alphabetical order', () => {
  type Item = Record<string, { parameters?: OpenAPINode[]; requestBody?: OpenAPINode } & OpenAPINode[]>;
  const document = (path: string) =>
    JSON.parse(new TextDecoder().decode(new OpenAPIv3(definitions, { version: '1.36' }).document(path))) as {
      paths: Record<string, Item>;
      components: OpenAPINode;
    };
  const { paths, components } = document('api/v1');
  const names = (parameters: OpenAPINode[] | undefined): unknown => parameters?.map(({ name }) => name);
  const of = (path: string): unknown => names(paths[path]?.['parameters']);
  const pod = '/api/v1/namespaces/{namespace}/pods/{name}';
  expect(of(pod)).toEqual(['name', 'namespace', 'pretty']);
  expect(names(paths[pod]?.['get']?.parameters)).toBeUndefined();
  expect(names(paths[pod]?.['put']?.parameters)).toEqual(['dryRun', 'fieldManager', 'fieldValidation']);
  expect(of(`${pod}/binding`)).toEqual(['dryRun', 'fieldManager', 'fieldValidation', 'name', 'namespace', 'pretty']);
  expect(of(`${pod}/exec`)).toEqual(['command', 'container', 'name', 'namespace', 'stderr', 'stdin', 'stdout', 'tty']);
  expect(of(`${pod}/proxy/{path}`)).toEqual(['name', 'namespace', 'path', 'path']);
  expect(Object.keys(paths[`${pod}/proxy`] ?? {})).toEqual([
    'get',
    'put',
    'post',
    'delete',
    'options',
    'head',
    'patch',
    'parameters',
  ]);
  expect(paths['/api/v1/watch/namespaces/{namespace}/pods/{name}']?.['get']).toMatchObject({
    operationId: 'watchCoreV1NamespacedPod',
    'x-kubernetes-action': 'watch',
  });
  expect(paths['/api/v1/']?.['get']).toMatchObject({ operationId: 'getCoreV1APIResources', tags: ['core_v1'] });
  expect(components).toHaveProperty('securitySchemes.BearerToken');
  expect(document('apis/apps').paths['/apis/apps/']?.['get']).toMatchObject({ operationId: 'getAppsAPIGroup' });
  expect(document('version').paths['/version/']?.['get']).toMatchObject({ operationId: 'getCodeVersion' });
});

test('custom resources come as JSON and YAML, and have no documents that list them', () => {
  const bytes = new OpenAPIv3(definitions, { version: '1.36' }).document('apis/shop.example.com/v1');
  const { paths, components } = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, Record<string, never>>;
  expect(Object.keys(paths ?? {}).every((path) => /\/(widgets|boxes)/.test(path) && !path.includes('watch'))).toBe(
    true,
  );
  expect(paths?.['/apis/shop.example.com/v1/namespaces/{namespace}/widgets']).toMatchObject({
    post: {
      requestBody: { content: { 'application/json': {}, 'application/yaml': {} } },
      responses: { '200': { content: { 'application/json': {}, 'application/yaml': {} } } },
    },
  });
  expect(components).not.toHaveProperty('securitySchemes');
});

test('version 2 as protobuf has the same definitions', () => {
  const bytes = openAPIv2Protobuf(openAPIv2(definitions, { version: 'v1.36.0' }));
  const fields = readFields(bytes);
  expect(new TextDecoder().decode(fields[0]?.bytes)).toBe('2.0');
  const schemas = fields.filter((one) => one.field === 9).flatMap((one) => readFields(one.bytes));
  const names = schemas.map((one) => new TextDecoder().decode(readFields(one.bytes)[0]?.bytes));
  expect(names).toContain('io.k8s.api.core.v1.PodSpec');
  expect(names).toContain('com.example.shop.v1.Widget');
});

function readFields(bytes: Uint8Array): { field: number; bytes: Uint8Array }[] {
  const out: { field: number; bytes: Uint8Array }[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag % 8 === 0) {
      varint();
      continue;
    }
    if (tag % 8 !== 2 && tag % 8 !== 1) throw new Error(`unexpected wire type ${tag % 8}`);
    const length = tag % 8 === 1 ? 8 : varint();
    out.push({ field: Math.floor(tag / 8), bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return out;
}

test('version 3', () => {
  const documents = new OpenAPIv3(definitions, { version: 'v1.36.0' });
  const { paths } = documents.index();
  expect(paths['apis/apps/v1']?.serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/);
  for (const path of Object.keys(paths)) {
    const document = JSON.parse(new TextDecoder().decode(documents.document(path))) as {
      components: { schemas: Record<string, OpenAPINode> };
    };
    expect(danglingRefs(document, new Set(Object.keys(document.components.schemas))), path).toEqual([]);
  }
  expect(documents.document('apis/none/v1')).toBeUndefined();
  const text = new TextDecoder().decode(documents.document('apis/shop.example.com/v1'));
  expect(text).toContain('"port":{"x-kubernetes-int-or-string":true}');
  const { components } = JSON.parse(text) as { components: { schemas: Record<string, OpenAPINode> } };
  expect(components.schemas['com.example.shop.v1.Widget']).toMatchObject({
    properties: {
      spec: {
        required: ['size', 'maybe'],
        properties: { maybe: { type: 'object', nullable: true, properties: { a: { type: 'string' } } } },
      },
    },
  });
  expect(components.schemas['com.example.shop.v1.Box']).toMatchObject({
    properties: { kind: { type: 'string' } },
    'x-kubernetes-preserve-unknown-fields': true,
  });
  expect(text).toContain('"fieldValidation"');
});

test('version 3 tells what fields of built-in types are when nobody sets them', () => {
  const core = JSON.parse(new TextDecoder().decode(new OpenAPIv3(definitions, { version: '1.36' }).document('api/v1')));
  const defaultOf = (type: string, field: string): unknown =>
    core.components.schemas[`io.k8s.api.core.v1.${type}`].properties[field].default;
  expect(defaultOf('Container', 'name')).toBe('');
  expect(defaultOf('Container', 'resources')).toEqual({});
  expect(defaultOf('Container', 'image')).toBeUndefined();
  expect(defaultOf('Container', 'livenessProbe')).toBeUndefined();
  expect(defaultOf('ContainerStatus', 'ready')).toBe(false);
  expect(defaultOf('ContainerStatus', 'restartCount')).toBe(0);
  expect(defaultOf('ContainerPort', 'protocol')).toBe('TCP');
  expect(defaultOf('Event', 'eventTime')).toBeUndefined();
});

/** The bytes at a way of field numbers, where a repeated field is the last of them. */
function at(bytes: Uint8Array, ...way: readonly number[]): Uint8Array[] {
  return way.reduce<Uint8Array[]>(
    (all, field) =>
      all.flatMap((one) => readFields(one).flatMap((found) => (found.field === field ? [found.bytes] : []))),
    [bytes],
  );
}

const texts = (all: readonly Uint8Array[]): string[] => all.map((one) => new TextDecoder().decode(one));

test.each([2, 3] as const)('values of built-in types are listed in version %i', (version) => {
  const schemas = (
    version === 2
      ? (openAPIv2(definitions, { version: 'v1' }) as unknown as { definitions: Record<string, never> }).definitions
      : JSON.parse(new TextDecoder().decode(new OpenAPIv3(definitions, { version: 'v1' }).document('api/v1')))
          .components.schemas
  ) as Record<string, { properties: Record<string, unknown> }>;
  expect(schemas['io.k8s.api.core.v1.PodSpec']?.properties).toMatchObject({
    restartPolicy: { type: 'string', enum: ['Always', 'Never', 'OnFailure'] },
  });
  expect(schemas['io.k8s.api.core.v1.PersistentVolumeClaimSpec']?.properties).toMatchObject({
    accessModes: { items: { enum: ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'] } },
  });
});

test('deletes are answered with a Status, or with the object', () => {
  const { paths } = openAPIv2(builtinDefinitions(), { version: 'v1' }) as unknown as {
    paths: Record<string, Record<string, { responses: Record<string, { schema: { $ref: string } }> }>>;
  };
  const answer = (path: string) => paths[path]?.['delete']?.responses['200']?.schema.$ref.split('.').at(-1);
  expect(answer('/api/v1/namespaces/{namespace}/pods/{name}')).toBe('Pod');
  expect(answer('/api/v1/namespaces/{namespace}/configmaps/{name}')).toBe('Status');
});

test('version 3 as protobuf says what the JSON says', () => {
  const documents = new OpenAPIv3(definitions, { version: 'v1.36.0' });
  for (const path of Object.keys(documents.index().paths)) {
    const node = JSON.parse(new TextDecoder().decode(documents.document(path))) as OpenAPINode;
    const bytes = atOnce(openAPIv3ProtobufSteps(node));
    expect(texts(at(bytes, 1)), path).toEqual(['3.0.0']);
    expect(texts(at(bytes, 4, 1, 1)), path).toEqual(Object.keys(node['paths'] as object));
    const components = node['components'] as { schemas: object };
    expect(texts(at(bytes, 5, 1, 1, 1)), path).toEqual(Object.keys(components.schemas));
    expect(texts(at(bytes, 5, 7, 1, 1)), path).toEqual('securitySchemes' in components ? ['BearerToken'] : []);
  }
});

describe('a schema of version 3 as protobuf', () => {
  const ref = { $ref: '#/components/schemas/A' };
  const cases: { name: string; schema: OpenAPINode; way: number[]; wanted: string[] }[] = [
    { name: 'type', schema: { type: 'string' }, way: [25], wanted: ['string'] },
    { name: 'format', schema: { format: 'byte' }, way: [35], wanted: ['byte'] },
    { name: 'description', schema: { description: 'What.' }, way: [34], wanted: ['What.'] },
    { name: 'required', schema: { required: ['a', 'b'] }, way: [23], wanted: ['a', 'b'] },
    { name: 'items of a list', schema: { items: ref }, way: [30, 1, 2, 1], wanted: [ref.$ref] },
    { name: 'fields', schema: { properties: { a: ref } }, way: [31, 1, 2, 2, 1], wanted: [ref.$ref] },
    { name: 'values of a map', schema: { additionalProperties: { type: 'x' } }, way: [32, 1, 1, 25], wanted: ['x'] },
    { name: 'alternatives', schema: { oneOf: [{ type: 'a' }, { type: 'b' }] }, way: [27, 1, 25], wanted: ['a', 'b'] },
    { name: 'all of', schema: { allOf: [ref] }, way: [26, 2, 1], wanted: [ref.$ref] },
    { name: 'a default', schema: { default: 'x' }, way: [33, 3], wanted: ['x'] },
    { name: 'a default that is no scalar', schema: { default: {} }, way: [33], wanted: [''] },
    { name: 'an enumeration', schema: { enum: ['x'] }, way: [24, 2], wanted: ['"x"\n'] },
    { name: 'a mark', schema: { 'x-kubernetes-list-type': 'map' }, way: [36, 2, 2], wanted: ['"map"\n'] },
  ];
  test.each(cases)('$name', ({ schema, way, wanted }) => {
    const bytes = atOnce(openAPIv3ProtobufSteps({ components: { schemas: { S: schema } } }));
    expect(texts(at(bytes, 5, 1, 1, 2, 1, ...way))).toEqual(wanted);
  });
});

test('the hash of a custom group changes with its schema', () => {
  const hash = (list: ResourceDefinition[]): string =>
    new OpenAPIv3(list, { version: 'v1.36.0' }).hash('apis/shop.example.com/v1');
  const changed = definitions.map((one) => (one.custom ? { ...one, schema: { type: 'object' as const } } : one));
  expect(hash(changed)).not.toBe(hash(definitions));
  expect(hash(definitions)).toBe(hash(definitions));
});
