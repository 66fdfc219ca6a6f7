import type { ResourceDefinition } from '../../pkg/api/definition.ts';
import { apiVersionOf } from '../../pkg/api/object.ts';
import { encodeMessage, PROTOBUF_TYPE, sealEnvelope } from '../../pkg/api/protobuf/index.ts';
import { hostileKey, hostileString } from './hostile.ts';
import { mutate } from './mutate.ts';
import { objectName } from './places.ts';
import type { Random } from './random.ts';
import type { FuzzRequest } from './request.ts';
import { valueFor } from './schema-values.ts';
import { type Members, members, render, type Value } from './value.ts';

/** An object of a kind with plausible values, named and labelled, with hostile names among its labels now and then. */
export function plausibleObject(definition: ResourceDefinition, name: string, random: Random): Members {
  const { kind } = definition.type;
  const object = valueFor(definition.schema, random, '', random.pick([0.05, 0.2, 0.5])) as Members;
  const metadata = members({ name, labels: { app: 'fuzz' }, annotations: { note: 'x' } });
  if (random.chance(0.3)) {
    const target = metadata.get(random.pick(['labels', 'annotations'])) as Members;
    target.entries.push([hostileKey(random), random.chance(0.7) ? 'x' : hostileString(random)]);
  }
  if (random.chance(0.1)) metadata.set('finalizers', ['fuzz.example/hold', hostileKey(random)]);
  if (random.chance(0.1))
    metadata.set('ownerReferences', [members({ apiVersion: 'v1', kind: 'Pod', name: objectName(random), uid: 'x' })]);
  if (random.chance(0.1)) metadata.set('managedFields', [hostileManagedFields(random)]);
  object.entries.unshift(['apiVersion', apiVersionOf(definition.type)], ['kind', kind], ['metadata', metadata]);
  return object;
}

function hostileManagedFields(random: Random): Value {
  const fields = random.pick<unknown>([
    { 'f:spec': { '.': {} } },
    { 'f:metadata': { 'f:labels': { [`f:${hostileKey(random)}`]: {} } } },
    { 'k:{"a":': {} },
    { 'v:': {}, 'i:x': {}, 'i:99999999999': {} },
    { 'k:{"name":{"toString":1}}': { 'f:x': 1 } },
    [],
    'x',
  ]);
  return members({
    manager: random.pick(['kubectl', '__proto__', '']),
    operation: random.pick(['Apply', 'Update', 'x']),
    apiVersion: random.pick(['v1', 'apps/v1', 'nope/v9', '']),
    time: random.pick(['2024-01-02T03:04:05Z', 'x']),
    fieldsType: random.pick(['FieldsV1', 'x', '']),
    fieldsV1: fields,
  });
}

/** A body in one of the three wire formats. */
export function encoded(
  definition: ResourceDefinition,
  object: Value,
  random: Random,
): { readonly body: Buffer; readonly type: string } {
  return random.weighted<() => { body: Buffer; type: string }>([
    [7, () => ({ body: Buffer.from(render(object)), type: 'application/json' })],
    [2, () => ({ body: Buffer.from(hostileYAML(object, random)), type: 'application/yaml' })],
    [2, () => ({ body: protobuf(definition, object, random), type: PROTOBUF_TYPE })],
    [0.3, () => ({ body: noise(random), type: random.pick(['application/json', 'application/yaml', PROTOBUF_TYPE]) })],
  ])();
}

const YAML_PIECES: readonly string[] = [
  '&a [*a]',
  '&x [1,1]',
  '!!js/function "x"',
  '!!binary AAAA',
  '!<tag:yaml.org,2002:int> "1"',
  '0o777',
  '1:30:00',
  '2024-01-01',
  '.inf',
  '!!set {a, b}',
  '{<<: {a: b}}',
  '{? [a, b] : c}',
  '{1: a, 1.5: b, true: c, null: d}',
  '"\\U0010FFFF\\xff"',
  '|\n  text\n',
];

function hostileYAML(object: Value, random: Random): string {
  const text = render(object);
  return random.weighted<() => string>([
    [4, () => text],
    [2, () => `${text.slice(0, -1)},"spec":${random.pick(YAML_PIECES)}}`],
    [2, () => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: fz-0\ndata:\n  k: ${random.pick(YAML_PIECES)}\n`],
    [1, () => `${text}\n---\n${text}`],
    [1, laughs],
    [1, () => `a: &a ${'['.repeat(2000)}`],
    [1, () => `${'- '.repeat(1 + random.int(3000))}x`],
    [1, () => `? `.repeat(1 + random.int(2000))],
    [1, () => `%YAML 9.9\n%TAG ! x\n--- ${text}`],
    [1, () => text.slice(0, random.int(text.length))],
  ])();
}

/** Aliases that would grow to 10^9 values. */
function laughs(): string {
  let text = 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n';
  for (let i = 1; i < 9; i++) text += `a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}*a${i - 1}]\n`;
  return `${text}apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fz-0}\n`;
}

function protobuf(definition: ResourceDefinition, object: Value, random: Random): Buffer {
  const bytes = Buffer.from(sealed(definition, object));
  const flips = random.pick([0, 0, 1, 3, 20]);
  for (let i = 0; i < flips && bytes.length > 0; i++) {
    // The envelope's first bytes say that it is one at all.
    const at = 4 + random.int(Math.max(1, bytes.length - 4));
    if (at < bytes.length) bytes[at] = random.pick([0, 0xff, 0x80, 0x7f, random.int(256)]);
  }
  return random.chance(0.2) ? bytes.subarray(0, random.int(bytes.length + 1)) : bytes;
}

function sealed(definition: ResourceDefinition, object: Value): Uint8Array {
  try {
    const plain = JSON.parse(render(object)) as Record<string, unknown>;
    const raw = encodeMessage(definition.schema, plain as never);
    return sealEnvelope(apiVersionOf(definition.type), definition.type.kind, raw);
  } catch {
    // What has no protobuf form is sent as an envelope around something else.
    return sealEnvelope(
      apiVersionOf(definition.type),
      definition.type.kind,
      Buffer.from(render(object)).subarray(0, 200),
    );
  }
}

function noise(random: Random): Buffer {
  const bytes = Buffer.alloc(random.int(400));
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.int(256);
  return bytes;
}

/** A body close to, at or above the limit of 3 MiB. */
export function hugeRequest(path: string, random: Random): FuzzRequest {
  const bytes = random.pick([1_000_000, 2_900_000, 3 * 1024 * 1024, 3 * 1024 * 1024 + 1, 5_000_000]);
  const head = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"fz-huge"},"data":{';
  const item = random.pick(['"k":"v",', '"a":{', '[', '"k":1,', '"k":"\\u0000\\ud83d",']);
  const text = random.chance(0.4)
    ? `${head}"k":"${'x'.repeat(bytes)}"}}`
    : head + item.repeat(Math.floor(bytes / item.length));
  return {
    area: 'huge',
    method: 'POST',
    path,
    headers: { 'Content-Type': random.chance(0.85) ? 'application/json' : 'application/yaml' },
    body: Buffer.from(text),
  };
}

export function maybeMutated(object: Value, random: Random, probability: number): Value {
  return random.chance(probability) ? mutate(object, random) : object;
}
