import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const definition = (spec: string): string => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: cogs.example.com
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Cog, plural: cogs, shortNames: [cg], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    selectableFields: [{jsonPath: .spec.color}]
    additionalPrinterColumns:
    - {name: Color, type: string, jsonPath: .spec.color}
    schema:
      openAPIV3Schema:
        type: object
        description: A cog of a machine.
        properties:
          spec:
            type: object
            description: How the cog ought to be.
            properties:
              color: {type: string, enum: [red, blue], default: red}
              replicas:
                type: integer
                minimum: 0
                x-kubernetes-validations: [{rule: self <= 5, message: at most five}]
              serial:
                type: integer
                format: int64
                x-kubernetes-validations: [{rule: self != 9007199254740993, message: taken}]
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [port]
                items:
                  type: object
                  required: [port]
                  properties: {port: {type: integer}, name: {type: string}}
${spec}
          status:
            type: object
            properties: {replicas: {type: integer}}
  - name: v1alpha1
    served: true
    storage: false
    deprecated: true
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
`;

const cog = (name: string, spec: string, namespace = 'default'): string => `
apiVersion: example.com/v1
kind: Cog
metadata: {name: ${name}, namespace: ${namespace}}
spec: {${spec}}
`;

describe.skipIf(missing !== undefined)('custom resources with stock kubectl', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start({ node: false });
    await cluster.apply(definition(''));
    await cluster.ok(['wait', '--for=condition=Established', 'crd/cogs.example.com', '--timeout=120s']);
    await eventually('cogs in discovery', async () => (await cluster.ok(['api-resources'])).includes('cogs'));
  });
  afterAll(() => cluster?.remove());

  /** What kubectl says when it fails. */
  async function refused(args: readonly string[], input?: string): Promise<string> {
    const result = await cluster.kubectl(args, input);
    expect(result.code, result.stdout).not.toBe(0);
    return result.stderr;
  }

  test('are created with defaults, shown in columns, and found by short name and category', async () => {
    await cluster.apply(cog('one', 'replicas: 2'));
    const [head, row] = (await cluster.ok(['get', 'cg'])).split('\n');
    expect(head).toMatch(/^NAME\s+COLOR$/);
    expect(row).toMatch(/^one\s+red$/);
    expect(await cluster.ok(['get', 'all', '-o', 'name'])).toContain('cog.example.com/one');
    await cluster.apply(cog('two', 'color: blue'));
    expect(await cluster.ok(['get', 'cogs', '--field-selector', 'spec.color=blue', '-o', 'name'])).toBe(
      'cog.example.com/two\n',
    );
  });

  test('are refused for what their schema and its rules say', async () => {
    expect(await refused(['apply', '-f', '-'], cog('bad', 'color: green'))).toContain(
      'spec.color: Unsupported value: "green": supported values: "red", "blue"',
    );
    expect(await refused(['apply', '-f', '-'], cog('bad', 'replicas: 7'))).toContain('at most five');
    const unknown = await refused(
      ['create', '--validate=false', '-f', '-'],
      cog('bad', 'ports: [{port: 1}, {port: 1}]'),
    );
    expect(unknown).toContain('spec.ports[1]: Duplicate value');
  });

  test('are explained', async () => {
    expect(await cluster.ok(['explain', 'cogs'])).toContain('A cog of a machine.');
    expect(await cluster.ok(['explain', 'cogs.spec.replicas'])).toMatch(/replicas\s.*integer/i);
  });

  test('scale, and are patched and applied', async () => {
    await cluster.apply(cog('three', 'replicas: 1'));
    await cluster.ok(['scale', 'cog/three', '--replicas=4']);
    await cluster.apply(cog('bare', 'color: red'));
    await cluster.ok(['scale', 'cog/bare', '--replicas=2']);
    await cluster.ok(['patch', 'cog', 'three', '--type=merge', '-p', '{"spec":{"color":"blue"}}']);
    expect(await refused(['patch', 'cog', 'three', '-p', '{"spec":{"color":"red"}}'])).toContain('not supported');
    const apply = (name: string, ports: string) =>
      cluster.ok(['apply', '--server-side', `--field-manager=${name}`, '-f', '-'], cog('three', `ports: [${ports}]`));
    await apply('a', '{port: 1, name: x}');
    await apply('b', '{port: 2}');
    const { spec, metadata } = await cluster.get<{ spec: object; metadata: { generation: number } }>('cog', 'three');
    expect(spec).toEqual({ color: 'blue', replicas: 4, ports: [{ port: 1, name: 'x' }, { port: 2 }] });
    expect(metadata.generation).toBe(5);
  });

  test('older versions are served with a warning', async () => {
    await cluster.apply(cog('four', 'color: blue'));
    const { stdout, stderr } = await cluster.kubectl(['get', 'cogs.v1alpha1.example.com', 'four', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ apiVersion: 'example.com/v1alpha1', spec: { color: 'blue' } });
    expect(stderr).toContain('example.com/v1alpha1 Cog is deprecated; use example.com/v1 Cog');
  });

  test('own other objects, and go with their namespace', async () => {
    await cluster.apply(cog('owner', ''));
    const { uid } = (await cluster.get<{ metadata: { uid: string } }>('cog', 'owner')).metadata;
    await cluster.apply(`
apiVersion: v1
kind: ConfigMap
metadata:
  name: owned
  ownerReferences: [{apiVersion: example.com/v1, kind: Cog, name: owner, uid: ${uid}}]
`);
    await cluster.ok(['delete', 'cog', 'owner']);
    await cluster.ok(['wait', '--for=delete', 'configmap/owned', '--timeout=120s']);
    await cluster.ok(['create', 'namespace', 'brief']);
    await cluster.apply(cog('inside', '', 'brief'));
    await cluster.ok(['delete', 'namespace', 'brief', '--timeout=120s']);
    expect(await cluster.ok(['get', 'cogs', '-A', '-o', 'name'])).not.toContain('inside');
  });

  test('survive a crash of the server', async () => {
    await cluster.apply(cog('lasting', 'color: blue, serial: 3546343826724305833'));
    await cluster.signal('SIGKILL');
    cluster.launch();
    await cluster.apiReady();
    const read = () => cluster.kubectl(['get', 'cog', 'lasting', '-o', 'jsonpath={.spec.color}']);
    await eventually('the cog', async () => (await read()).stdout === 'blue');
    expect(await cluster.ok(['get', 'cog', 'lasting', '-o', 'json'])).toContain('"serial": 3546343826724305833');
  });

  // kubectl apply without --server-side makes floats of the numbers in its patch.
  test('keep integers of 64 bits as they were written', async () => {
    const apply = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
    const applied = (serial: string): Promise<string> => cluster.ok(apply, cog('wide', `serial: ${serial}`));
    const text = (): Promise<string> =>
      cluster.ok(['get', '--raw', '/apis/example.com/v1/namespaces/default/cogs/wide']);
    await applied('9223372036854775807');
    expect(await text()).toContain('"serial":9223372036854775807');
    await cluster.ok(['patch', 'cog', 'wide', '--type=merge', '-p', '{"spec":{"serial":-3546343826724305833}}']);
    expect(await text()).toContain('"serial":-3546343826724305833');
    await cluster.ok(['replace', '-f', '-'], cog('wide', 'serial: 9007199254740995'));
    expect(await text()).toContain('"serial":9007199254740995');
    expect(await refused(apply, cog('wide', 'serial: 9007199254740993'))).toContain('taken');
    const tooMany = await refused(apply, cog('wide', 'replicas: 9007199254740993'));
    expect(tooMany).toContain('should be less than or equal to 2147483647');
    // What differs only beyond 2^53 is a change, and what is equal is none.
    const generation = (): Promise<string> =>
      cluster.ok(['get', 'cog', 'wide', '-o', 'jsonpath={.metadata.generation}']);
    const before = Number(await generation());
    await applied('9007199254740994');
    await applied('9007199254740994');
    expect(await generation()).toBe(String(before + 1));
  });

  test('get new fields with their definition, and go with it', async () => {
    await cluster.apply(cog('five', ''));
    await cluster.apply(definition('              teeth: {type: integer, default: 12}'));
    const teeth = () => cluster.ok(['get', 'cog', 'five', '-o', 'jsonpath={.spec.teeth}']);
    await eventually('the default', async () => (await teeth()) === '12');
    await cluster.ok(['delete', 'crd', 'cogs.example.com', '--timeout=120s']);
    expect(await refused(['get', '--raw', '/apis/example.com/v1/cogs'])).toContain('NotFound');
    await cluster.apply(definition(''));
    await cluster.ok(['wait', '--for=condition=Established', 'crd/cogs.example.com', '--timeout=120s']);
    expect(await cluster.ok(['get', 'cogs', '-o', 'name'])).toBe('');
  });

  test('a definition that is wrong says where', async () => {
    const wrong = definition('              odd: {items: {type: string}}')
      .replaceAll('cogs', 'odds')
      .replaceAll('Cog', 'Odd');
    expect(await refused(['create', '--validate=false', '-f', '-'], wrong)).toContain(
      'spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[odd].type: Required value',
    );
  });
});
