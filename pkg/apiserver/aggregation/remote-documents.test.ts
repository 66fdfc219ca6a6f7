import { describe, expect, test } from 'vitest';
import { parseAggregated, parseLegacy } from './discovery-documents.ts';
import { frontProxyHeaders } from './front-proxy-headers.ts';
import { mergeOpenAPI, parseOpenAPI } from './openapi-part.ts';
import type { RemoteService } from './remote-services.ts';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('discovery of another server', () => {
  const flunders = { resource: 'flunders', verbs: ['get'] };

  test('aggregated', () => {
    const items = [
      { metadata: { name: 'g' }, versions: [{ version: 'v1', resources: [flunders, 7, {}] }, 'x'] },
      null,
      { versions: 'x' },
    ];
    const versions = parseAggregated(json({ kind: 'APIGroupDiscoveryList', items }));
    expect([...(versions ?? [])]).toEqual([['g/v1', [flunders]]]);
    expect(parseAggregated(json({ kind: 'APIGroupList' }))).toBeUndefined();
    expect(parseAggregated(json([]))).toBeUndefined();
    expect(() => parseAggregated(Buffer.from('<html>'))).toThrow();
  });

  test('by group and version', () => {
    const resources = [
      { name: 'flunders/status', kind: 'Flunder', namespaced: true, verbs: ['get', 1] },
      {
        name: 'flunders',
        kind: 'Flunder',
        singularName: 'flunder',
        namespaced: true,
        verbs: ['get'],
        shortNames: ['fl'],
      },
      { name: 'alone/scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['update'] },
      {},
    ];
    expect(parseLegacy(json({ kind: 'APIResourceList', resources }))).toEqual([
      {
        resource: 'flunders',
        responseKind: { group: '', version: '', kind: 'Flunder' },
        scope: 'Namespaced',
        singularResource: 'flunder',
        verbs: ['get'],
        shortNames: ['fl'],
        subresources: [
          { subresource: 'status', responseKind: { group: '', version: '', kind: 'Flunder' }, verbs: ['get'] },
        ],
      },
      {
        resource: 'alone',
        scope: 'Cluster',
        singularResource: '',
        verbs: [],
        subresources: [
          {
            subresource: 'scale',
            responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
            verbs: ['update'],
          },
        ],
      },
    ]);
    expect(() => parseLegacy(json({ kind: 'Status' }))).toThrow('the answer is no APIResourceList');
  });
});

describe('the OpenAPI document of another server', () => {
  const remote = { group: 'g', version: 'v1' } as RemoteService;
  const reference = (name: string) => ({ schema: { $ref: `#/definitions/${name}` } });
  const part = parseOpenAPI(
    {
      code: 200,
      headers: { etag: '"1"' },
      body: json({
        paths: {
          '/apis/g/v1/flunders': reference('Flunder'),
          '/apis/g/v1beta1/flunders': reference('Old'),
          '/apis/apps/v1/deployments': reference('Stolen'),
        },
        definitions: { Flunder: { properties: { meta: reference('Meta') } }, Meta: { a: 1 }, Old: {}, Stolen: {} },
      }),
    },
    remote,
  );

  test('counts for its own paths and what they need', () => {
    expect(Object.keys(part.paths)).toEqual(['/apis/g/v1/flunders']);
    expect(Object.keys(part.definitions).sort()).toEqual(['Flunder', 'Meta']);
  });

  test('is merged, with other names for what is defined differently', () => {
    const same = mergeOpenAPI({ paths: { '/a': {} }, definitions: { Meta: { a: 1 } } }, part);
    expect(same).toEqual({ paths: { '/a': {}, ...part.paths }, definitions: part.definitions });
    const other = mergeOpenAPI({ paths: {}, definitions: { Meta: { a: 2 }, Meta_v2: {} } }, part);
    expect(other).toEqual({
      paths: part.paths,
      definitions: {
        Meta: { a: 2 },
        Meta_v2: {},
        Meta_v3: { a: 1 },
        Flunder: { properties: { meta: reference('Meta_v3') } },
      },
    });
  });

  test('may be garbage', () => {
    const empty = { paths: {}, definitions: {} };
    expect(parseOpenAPI({ code: 200, headers: {}, body: json([1]) }, remote)).toMatchObject(empty);
    expect(parseOpenAPI({ code: 200, headers: {}, body: json({ paths: 1, definitions: [] }) }, remote)).toMatchObject(
      empty,
    );
  });
});

test('a front proxy says who makes a request in headers', () => {
  const user = {
    username: 'jürgen\r\nx: y',
    uid: '1',
    groups: ['a', 'b,c'],
    extra: { 'Example.com/a%': ['1', '2'], none: [] },
  };
  expect(frontProxyHeaders(user)).toEqual({
    'x-remote-user': `${Buffer.from('jürgen').toString('latin1')}  x: y`,
    'x-remote-uid': '1',
    'x-remote-group': ['a', 'b,c'],
    'x-remote-extra-Example.com%2Fa%25': ['1', '2'],
  });
});
