import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { type Obj, Rest } from './rest.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const string = (description?: string): object => ({ ...(description && { description }), type: 'string' });

const GEARS = {
  description: 'A gear for tests.',
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      description: 'What the gear ought to be.',
      properties: {
        teeth: {
          description: 'All of its teeth.',
          type: 'array',
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: string('Which one it is.'),
              state: { ...string(), enum: ['Sharp', 'Blunt'] },
              marks: { description: 'Marks on it.', type: 'array', items: string() },
            },
          },
        },
      },
    },
    status: {
      type: 'object',
      description: 'What the gear is.',
      properties: { kind: { ...string(), pattern: 'big|small' }, turns: { type: 'boolean' } },
    },
  },
};
const LEVERS = { description: 'A lever.', type: 'object', properties: { spec: { type: 'object' } } };
const FREE = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const FREE_ROOT = { ...GEARS, ...FREE };
const FREE_NESTED = {
  description: 'Free within.',
  type: 'object',
  properties: { spec: { description: 'Anything.', ...FREE, properties: { known: string() } }, status: LEVERS },
};

interface Definition extends Obj {
  readonly spec: { readonly group: string; readonly versions: readonly { readonly name: string; served: boolean }[] };
}

describe.skipIf(missing !== undefined)('definitions of custom resources', () => {
  let cluster: Cluster;
  let rest: Rest;
  let count = 0;
  beforeAll(async () => {
    cluster = await Cluster.start({ node: false });
    rest = await Rest.of(cluster);
  });
  afterAll(() => cluster?.remove());

  const definition = (
    group: string,
    kind: string,
    schema: object,
    versions: readonly string[],
    labels = {},
  ): object => {
    const plural = `${kind.toLowerCase()}s`;
    return {
      metadata: { name: `${plural}.${group}`, labels },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural, kind },
        versions: versions.map((name, index) => ({
          name,
          served: true,
          storage: index === 0,
          schema: { openAPIV3Schema: schema },
        })),
      },
    };
  };
  /** Each try has groups of its own. */
  const newGroup = (): string => `g${count++}-${Date.now()}.example.com`;
  const established = async (made: object): Promise<string> => {
    const { metadata } = await rest.create(DEFINITIONS, made);
    await cluster.ok(['wait', '--for=condition=Established', `crd/${metadata.name}`, '--timeout=120s']);
    const { group, versions } = (made as Definition).spec;
    for (const { name } of versions)
      await eventually(`${group}/${name}`, async () => (await rest.send('GET', `/apis/${group}/${name}`)).code === 200);
    return `${DEFINITIONS}/${metadata.name}`;
  };
  const published = async (group: string, version: string, kind: string): Promise<Obj | undefined> => {
    const { definitions } = await rest.get('/openapi/v2');
    const name = [...group.split('.').reverse(), version, kind].join('.');
    const found = (definitions as Record<string, Obj>)[name];
    if (found === undefined) return undefined;
    const { 'x-kubernetes-group-version-kind': kinds, properties, ...more } = found;
    expect(kinds).toEqual([{ group, version, kind }]);
    const { apiVersion, kind: ofKind, metadata, ...own } = (properties ?? {}) as Record<string, unknown>;
    if (properties !== undefined) expect([apiVersion, ofKind, metadata]).not.toContain(undefined);
    return { ...more, ...(Object.keys(own).length === 0 ? {} : { properties: own }) } as unknown as Obj;
  };
  const isPublished = (group: string, version: string, kind: string, schema: object | undefined): Promise<unknown> =>
    eventually(`${group}/${version} ${kind}`, async () => {
      expect(await published(group, version, kind)).toEqual(schema);
      return true;
    });

  test('are published for every group, version and kind, and leave with them', async () => {
    const [one, two] = [newGroup(), newGroup()];
    const paths = [
      await established(definition(one, 'Gear', GEARS, ['v1', 'v2alpha1'])),
      await established(definition(two, 'Lever', LEVERS, ['v1beta1'])),
      await established(definition(one, 'Lever', LEVERS, ['v1'])),
      await established(definition(one, 'Crank', LEVERS, ['v3'])),
    ];
    await isPublished(one, 'v1', 'Gear', GEARS);
    await isPublished(one, 'v2alpha1', 'Gear', GEARS);
    await isPublished(two, 'v1beta1', 'Lever', LEVERS);
    await isPublished(one, 'v1', 'Lever', LEVERS);
    await isPublished(one, 'v3', 'Crank', LEVERS);
    for (const path of paths) await rest.remove(path);
    await isPublished(one, 'v1', 'Gear', undefined);
    await isPublished(one, 'v3', 'Crank', undefined);
    await isPublished(two, 'v1beta1', 'Lever', undefined);
  });

  test('are published anew when a version is renamed or served no more', async () => {
    const group = newGroup();
    const path = await established(definition(group, 'Gear', GEARS, ['v2', 'v3']));
    await isPublished(group, 'v3', 'Gear', GEARS);
    const rename = [
      { op: 'test', path: '/spec/versions/1/name', value: 'v3' },
      { op: 'replace', path: '/spec/versions/1/name', value: 'v4' },
    ];
    await rest.patch(path, rename, 'json');
    await isPublished(group, 'v4', 'Gear', GEARS);
    await isPublished(group, 'v3', 'Gear', undefined);
    await isPublished(group, 'v2', 'Gear', GEARS);
    await rest.update(path, (before) => {
      const { spec } = before as Definition;
      const versions = spec.versions.map((version) => ({ ...version, served: version.name === 'v2' }));
      return { ...before, spec: { ...spec, versions } };
    });
    await isPublished(group, 'v4', 'Gear', undefined);
    await isPublished(group, 'v2', 'Gear', GEARS);
    await rest.remove(path);
  });

  describe('tell kubectl', () => {
    const manifest = (group: string, kind: string, more: object): string =>
      JSON.stringify({ apiVersion: `${group}/v1`, kind, metadata: { name: 'one' }, ...more });
    /** What kubectl says to both ways of making an object. */
    const made = async (text: string): Promise<string[]> => {
      const said: string[] = [];
      for (const verb of ['create', 'apply']) {
        const { code, stderr } = await cluster.kubectl([verb, '-f', '-'], text);
        said.push(code === 0 ? 'ok' : stderr);
        const { kind, apiVersion } = JSON.parse(text) as { kind: string; apiVersion: string };
        if (code === 0) await cluster.ok(['delete', `${kind}s.v1.${apiVersion.slice(0, -3)}`.toLowerCase(), 'one']);
      }
      return said;
    };

    test('what is right, what is wrong, and what everything means', async () => {
      const group = newGroup();
      await established(definition(group, 'Gear', GEARS, ['v1']));
      await isPublished(group, 'v1', 'Gear', GEARS);
      const gear = (spec: object): Promise<string[]> => made(manifest(group, 'Gear', { spec }));
      expect(await gear({ teeth: [{ name: 'a', state: 'Sharp' }] })).toEqual(['ok', 'ok']);
      for (const [spec, text] of [
        [{ teeth: [{ name: 'a', state: 'Lost' }] }, 'Unsupported value: "Lost"'],
        [{ unknown: true }, 'unknown field "spec.unknown"'],
        [{ teeth: [{ state: 'Sharp' }] }, 'spec.teeth[0].name: Required value'],
      ] as const)
        expect(await gear(spec)).toEqual([expect.stringContaining(text), expect.stringContaining(text)]);
      const gears = `gears.${group}`;
      const explain = (path: string) => cluster.ok(['explain', `gears${path}`, `--api-version=${group}/v1`]);
      await eventually(gears, async () => (await explain('')).includes('A gear for tests.'));
      expect(await explain('')).toMatch(/FIELDS:.*apiVersion\s+<string>.*spec\s+<Object>.*What the gear ought to be/s);
      expect(await explain('.metadata')).toMatch(/creationTimestamp\s+<string>/);
      expect(await explain('.spec')).toMatch(/What the gear ought to be.*teeth\s+<\[\]Object>.*All of its teeth/s);
      expect(await explain('.spec.teeth')).toMatch(/All of its teeth.*marks\s+<\[\]string>.*name\s+<string>/s);
      const wrong = await cluster.kubectl(['explain', 'gears.spec.nothing', `--api-version=${group}/v1`]);
      expect(wrong.stderr).toContain('field "nothing" does not exist');
    });

    test.for([
      ['Empty', FREE, { type: 'object' }, { a: { b: [{ c: 'd' }] } }, /DESCRIPTION:\s+<empty>/],
      ['Root', FREE_ROOT, { type: 'object' }, { a: { b: [{ c: 'd' }] } }, /KIND:\s+Root/],
      [
        'Nested',
        FREE_NESTED,
        {
          ...FREE_NESTED,
          properties: {
            spec: { description: 'Anything.', 'x-kubernetes-preserve-unknown-fields': true },
            status: LEVERS,
          },
        },
        { spec: { a: null, b: [{ c: 'd' }] } },
        /DESCRIPTION:\s+Free within/,
      ],
    ] as const)('that any field may be in %s', async ([kind, schema, expected, object, explained]) => {
      const group = newGroup();
      await established(definition(group, kind, schema, ['v1']));
      await isPublished(group, 'v1', kind, expected);
      expect(await made(manifest(group, kind, object))).toEqual(['ok', 'ok']);
      const text = await cluster.ok(['explain', `${kind.toLowerCase()}s`, `--api-version=${group}/v1`]);
      expect(text).toMatch(explained);
    });
  });

  describe('are objects', () => {
    test('that are found and deleted by label, ten at a time', async () => {
      const group = newGroup();
      const label = `set=${group}`;
      const found = `${DEFINITIONS}?labelSelector=${encodeURIComponent(label)}`;
      const kinds = Array.from({ length: 10 }, (_, index) => `Part${'abcdefghij'[index]}`);
      await Promise.all(
        kinds.map((kind) => rest.create(DEFINITIONS, definition(group, kind, LEVERS, ['v1'], { set: group }))),
      );
      const other = await rest.create(DEFINITIONS, definition(group, 'Other', LEVERS, ['v1']));
      expect(await rest.count(found)).toBe(10);
      await rest.remove(found);
      await eventually('all are gone', async () => (await rest.count(found)) === 0);
      await rest.remove(`${DEFINITIONS}/${other.metadata.name}`);
    });

    test('with a status of their own', async () => {
      const path = await established(definition(newGroup(), 'Gear', GEARS, ['v1']));
      type Status = { readonly conditions: readonly { readonly type: string }[] };
      const condition = (type: string): object => ({ type, status: 'True', reason: 'E2E', message: 'set by a test' });
      expect(await rest.get(`${path}/status`)).toMatchObject({ status: { acceptedNames: { kind: 'Gear' } } });
      await rest.update(
        path,
        (it) => {
          const status = it.status as Status;
          return { ...it, status: { ...status, conditions: [...status.conditions, condition('StatusUpdate')] } };
        },
        `${path}/status`,
      );
      const { status } = await rest.get(path);
      const conditions = [...(status as Status).conditions, condition('StatusPatch')];
      await rest.patch(`${path}/status`, { status: { conditions } });
      const names = ((await rest.get(path)).status as Status).conditions.map(({ type }) => type);
      expect(names).toEqual(['NamesAccepted', 'Established', 'StatusUpdate', 'StatusPatch']);
    });

    test('whose instances are watched and get defaults, from requests and from the store', async () => {
      const group = newGroup();
      const withDefaults = (properties: object): object => ({
        type: 'object',
        properties: { a: string(), b: string(), ...properties },
      });
      const path = await established(definition(group, 'Gear', withDefaults({}), ['v1']));
      const gears = `/apis/${group}/v1/namespaces/default/gears`;
      const make = (name: string) =>
        rest.create(gears, { apiVersion: `${group}/v1`, kind: 'Gear', metadata: { name, labels: { watched: name } } });
      const change = (properties: object) =>
        rest.update(path, (it) => ({
          ...it,
          spec: (definition(group, 'Gear', withDefaults(properties), ['v1']) as Definition).spec,
        }));
      expect((await make('one'))['a']).toBeUndefined();
      await change({ a: { ...string(), default: 'A' } });
      await eventually('a default', async () => (await rest.get(`${gears}/one`))['a'] === 'A');
      expect(await make('two')).toMatchObject({ a: 'A' });
      await change({ b: { ...string(), default: 'B' } });
      await eventually('another default', async () => (await rest.get(`${gears}/two`))['b'] === 'B');
      expect(await rest.get(`${gears}/two`)).toMatchObject({ a: 'A', b: 'B' });
      expect((await rest.get(`${gears}/one`))['a']).toBeUndefined();
      const watching = await rest.watch(`${gears}?watch=1&labelSelector=watched%3Dthree`);
      await make('three');
      await rest.patch(`${gears}/three`, { metadata: { labels: { more: 'yes' } } });
      await rest.remove(`${gears}/three`);
      expect(await watching.seen(3)).toEqual(['ADDED three', 'MODIFIED three', 'DELETED three']);
      watching.close();
      await rest.remove(path);
      await eventually('its resource is gone', async () => (await rest.send('GET', gears)).code === 404);
    });
  });

  describe('say which fields there are', () => {
    const apply = (group: string, lines: string) =>
      rest.send(
        'PATCH',
        `/apis/${group}/v1/namespaces/default/gears/one?fieldManager=test&fieldValidation=Strict`,
        `\napiVersion: ${group}/v1\nkind: Gear\nmetadata:\n  name: one\n${lines}`,
        { 'content-type': 'application/apply-patch+yaml' },
      );
    const PORTS = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
      items: {
        type: 'object',
        required: ['containerPort', 'protocol'],
        properties: { containerPort: { type: 'integer' }, protocol: string(), name: string() },
      },
    };
    const template = {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      properties: { metadata: { type: 'object', properties: { name: string() } }, spec: { type: 'object' } },
    };
    const strict = { type: 'object', properties: { foo: string(), ports: PORTS } };
    const of = (spec: object): object => ({ type: 'object', properties: { spec } });
    const PORT = 'ports:\n  - {name: x, containerPort: 80, protocol: TCP}\n';

    test.for([
      ['of a schema', of(strict), `spec:\n  foo: a\n  ${PORT}`, 200, ''],
      ['of no schema', FREE, `spec:\n  unknown: a\n  ${PORT}`, 200, ''],
      ['beside a schema', of(strict), 'other: a\nspec:\n  foo: a\n', 500, '.other: field not declared in schema'],
      [
        'in metadata',
        of({ ...strict, ...FREE, properties: { ...strict.properties, template } }),
        '  unknown: a\nspec:\n  template: {apiVersion: v1, kind: Sub, metadata: {name: a, unknown: b}}\n',
        500,
        'metadata.unknown: field not declared in schema',
      ],
      ['twice', of({ ...strict, ...FREE }), 'spec:\n  foo: a\n  foo: b\n', 400, 'line 8: key "foo" already set in map'],
    ] as const)('%s', async ([, schema, lines, code, text]) => {
      const group = newGroup();
      await established(definition(group, 'Gear', schema, ['v1']));
      const answer = await apply(group, lines);
      expect([answer.code === 201 ? 200 : answer.code, answer.body['message'] ?? '']).toEqual([
        code,
        expect.stringContaining(text),
      ]);
    });

    test('of a built-in kind too: unknown, twice, in metadata', async () => {
      const created = (metadata: string, spec: string) =>
        rest.send(
          'POST',
          '/apis/apps/v1/namespaces/default/deployments?fieldValidation=Strict',
          `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"strict"${metadata}},"spec":{${spec}
          "selector":{"matchLabels":{"app":"a"}},"template":{"metadata":{"labels":{"app":"a"}},
          "spec":{"containers":[{"name":"main","image":"none"}]}}}}`,
        );
      const said = async (answer: ReturnType<typeof created>) => (await answer).body['message'];
      expect(await said(created('', '"unknown":"a","replicas":2,"replicas":3,'))).toContain(
        'strict decoding error: unknown field "spec.unknown", duplicate field "spec.replicas"',
      );
      expect(await said(created(',"unknown":"a"', ''))).toContain(
        'strict decoding error: unknown field "metadata.unknown"',
      );
    });
  });
});
