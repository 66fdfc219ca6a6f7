/** Every built-in kind in protobuf over HTTP: created, read, listed, watched and updated, and each time the object that JSON shows. */
import { access } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ResourceDefinition } from '../../pkg/api/definition.ts';
import { apiVersionOf } from '../../pkg/api/object.ts';
import {
  decodeMessage,
  encodeMessage,
  openEnvelope,
  PROTOBUF_TYPE,
  schemaOfKind,
  sealEnvelope,
} from '../../pkg/api/protobuf/index.ts';
import { builtinDefinitions } from '../../pkg/api/scheme.ts';
import { Connection } from '../recordings/connection.ts';
import { readScenarios } from '../recordings/recording.ts';
import { Cluster, executable } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await access(executable).then(
  () => undefined,
  () => 'dist/kube-lite is missing (scripts/build)',
);
if (missing !== undefined) console.error(`protobuf is not tried: ${missing}`);

const NAMESPACE = 'protobuf';
type JSONObject = Record<string, unknown>;

/** Of kinds that no recording creates. */
const OTHERS: Readonly<Record<string, JSONObject>> = {
  MutatingAdmissionPolicy: {
    spec: {
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['x'] }],
      },
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: { expression: '[JSONPatch{op: "add", path: "/metadata/labels/a", value: "b"}]' },
        },
      ],
      reinvocationPolicy: 'Never',
    },
  },
  MutatingAdmissionPolicyBinding: { spec: { policyName: 'p' } },
  ValidatingAdmissionPolicy: {
    spec: {
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['x'] }],
      },
      validations: [{ expression: 'true', message: 'never' }],
    },
  },
  ValidatingAdmissionPolicyBinding: { spec: { policyName: 'p', validationActions: ['Deny'] } },
  FlowSchema: {
    spec: {
      priorityLevelConfiguration: { name: 'global-default' },
      matchingPrecedence: 5000,
      distinguisherMethod: { type: 'ByUser' },
    },
  },
  PriorityLevelConfiguration: {
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 3, limitResponse: { type: 'Reject' } } },
  },
  IPAddress: {
    metadata: { name: '192.0.2.7' },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'x' } },
  },
  ServiceCIDR: { spec: { cidrs: ['192.0.2.0/28'] } },
  DeviceClass: { spec: { selectors: [{ cel: { expression: 'true' } }] } },
  ResourceClaim: { spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c' } }] } } },
  ResourceClaimTemplate: {
    spec: { spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c', count: 2 } }] } } },
  },
  ResourceSlice: {
    spec: {
      driver: 'd.example.com',
      nodeName: 'n',
      pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'd', attributes: { version: { version: '1.2.3' } }, capacity: { memory: { value: '1Gi' } } }],
    },
  },
  VolumeAttributesClass: { driverName: 'd.example.com', parameters: { a: 'b' } },
};

const STORED = ['create', 'get', 'list', 'watch', 'update'] as const;
/** Those of `extensions` are older forms of kinds that are here. */
const definitions = builtinDefinitions().filter(
  ({ verbs, type }) => type.group !== 'extensions' && STORED.every((verb) => verbs.includes(verb)),
);
const scenarios = await readScenarios();

function collectionOf({ type }: Pick<ResourceDefinition, 'type'>): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  return `${root}${type.namespaced ? `/namespaces/${NAMESPACE}` : ''}/${type.resource}`;
}

/** What a recording creates of the kind, with every variable replaced. */
function exampleOf(definition: ResourceDefinition): JSONObject {
  const { type } = definition;
  const example = OTHERS[type.kind] ?? recorded(collectionOf(definition));
  if (example === undefined) throw new Error(`no example of ${type.kind}`);
  const metadata = (example['metadata'] ?? { name: `${NAMESPACE}-${type.resource}` }) as JSONObject;
  return { ...example, apiVersion: apiVersionOf(type), kind: type.kind, metadata };
}

function inNamespace(text: string): string {
  return text.replaceAll(/\$\{ns\}/g, NAMESPACE);
}

function recorded(path: string): JSONObject | undefined {
  for (const { steps } of scenarios) {
    for (const { request, expect: answer } of steps) {
      if (request.method !== 'POST' || inNamespace(request.path) !== path || answer.status !== 201) continue;
      if (typeof request.body !== 'object' || request.body === null) continue;
      return JSON.parse(inNamespace(JSON.stringify(request.body))) as JSONObject;
    }
  }
  return undefined;
}

function seal(apiVersion: string, kind: string, object: JSONObject): Buffer {
  const schema = schemaOfKind(apiVersion, kind);
  if (schema === undefined) throw new Error(`no schema of ${kind}`);
  return Buffer.from(sealEnvelope(apiVersion, kind, encodeMessage(schema, object)));
}

function open(bytes: Uint8Array): JSONObject {
  const { apiVersion, kind, raw } = openEnvelope(bytes);
  const schema = schemaOfKind(apiVersion, kind);
  if (schema === undefined) throw new Error(`no schema of ${apiVersion} ${kind}`);
  return { apiVersion, kind, ...decodeMessage(schema, raw) };
}

/** A time that is not set is null in JSON and not there in protobuf. */
function absentForNull(_key: string, value: unknown): unknown {
  return value === null ? undefined : value;
}

/** The type and object of one frame of a watch. */
function openFrame(frame: Buffer): string {
  const type = frame.toString('utf8', 2, 2 + (frame[1] ?? 0));
  const { metadata } = open(frame.subarray(frame.indexOf('k8s\0'))) as { readonly metadata: { readonly name: string } };
  return `${type} ${metadata.name}`;
}

async function frames(response: IncomingMessage, count: number): Promise<string[]> {
  const found: string[] = [];
  let rest = Buffer.alloc(0);
  for await (const chunk of response) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length > 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const length = rest.readUInt32BE(0);
      found.push(openFrame(rest.subarray(4, 4 + length)));
      rest = rest.subarray(4 + length);
    }
    if (found.length >= count) break;
  }
  response.destroy();
  return found;
}

describe.skipIf(missing !== undefined)('protobuf', () => {
  let cluster: Cluster;
  let connection: Connection;

  async function call(method: string, path: string, body?: Buffer): Promise<{ code: number; bytes: Buffer }> {
    const headers = { Accept: PROTOBUF_TYPE, ...(body === undefined ? {} : { 'Content-Type': PROTOBUF_TYPE }) };
    const response = await connection.open({ method, path, headers, body });
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { code: response.statusCode ?? 0, bytes: Buffer.concat(chunks) };
  }

  /** The object as both encodings show it; the server itself may still be at it. */
  async function readBoth(path: string): Promise<{ readonly metadata: JSONObject }> {
    for (;;) {
      const object = open((await call('GET', path)).bytes) as unknown as { readonly metadata: JSONObject };
      const shown = JSON.parse((await connection.send('GET', path)).text, absentForNull) as typeof object;
      if (object.metadata['resourceVersion'] !== shown.metadata['resourceVersion']) continue;
      expect(object).toEqual(shown);
      return object;
    }
  }

  /** Reads, adds a label and writes back, until nobody else wrote in between. */
  async function update(path: string, apiVersion: string, kind: string): ReturnType<typeof call> {
    for (;;) {
      const object = await readBoth(path);
      const next = { ...object, metadata: { ...object.metadata, labels: { seen: 'twice' } } };
      const answer = await call('PUT', path, seal(apiVersion, kind, next));
      if (answer.code !== 409) return answer;
    }
  }

  beforeAll(async () => {
    cluster = await Cluster.start({ node: false, flags: ['--disable', 'kubelet,controllers,scheduler,deploy'] });
    connection = await Connection.fromKubeconfig(cluster.kubeconfig);
    await connection.send('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
    await connection.send('POST', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, { metadata: { name: 'default' } });
  });

  afterAll(() =>
    endAll(
      () => connection?.close(),
      () => cluster?.remove(),
    ),
  );

  test.each(
    definitions.map((definition) => [apiVersionOf(definition.type), definition.type.kind, definition] as const),
  )('%s %s', async (apiVersion, kind, definition) => {
    const at = collectionOf(definition);
    const created = await call('POST', at, seal(apiVersion, kind, exampleOf(definition)));
    expect([created.code, open(created.bytes)]).toMatchObject([201, { apiVersion, kind }]);
    const { name, resourceVersion } = open(created.bytes)['metadata'] as Record<string, string>;

    const query = `watch=1&resourceVersion=${resourceVersion}&fieldSelector=metadata.name%3D${name}`;
    const watching = connection.open({ method: 'GET', path: `${at}?${query}`, headers: { Accept: PROTOBUF_TYPE } });
    const updated = await update(`${at}/${name}`, apiVersion, kind);
    expect([updated.code, open(updated.bytes)]).toMatchObject([200, { metadata: { labels: { seen: 'twice' } } }]);
    expect(await frames(await watching, 1)).toEqual([`MODIFIED ${name}`]);

    const list = openEnvelope((await call('GET', `${at}?labelSelector=seen%3Dtwice`)).bytes);
    expect([list.apiVersion, list.kind]).toEqual([apiVersion, definition.listKind]);
    expect(Buffer.from(list.raw).includes(String(name))).toBe(true);
    await connection.send('DELETE', `${at}/${name}`, { gracePeriodSeconds: 0 });
  });

  test('CBOR is refused', async () => {
    const at = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
    const cbor = 'application/cbor';
    const asked = await connection.call({ method: 'GET', path: at, headers: { Accept: cbor } });
    expect(asked.status).toBe(406);
    const sent = await connection.call({ method: 'POST', path: at, headers: { 'Content-Type': cbor }, body: 'x' });
    expect(sent.status).toBe(415);
    const type = 'application/apply-patch+cbor';
    const applied = await connection.call({
      method: 'PATCH',
      path: `${at}/a`,
      headers: { 'Content-Type': type },
      body: 'x',
    });
    expect(applied.status).toBe(415);
  });
});
