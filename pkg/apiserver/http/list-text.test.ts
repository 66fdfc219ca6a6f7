import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { KubeObject } from '../../api/object.ts';
import { builtinDefinitions } from '../../api/scheme.ts';
import { FakeClock } from '../../base/clock.ts';
import type { Negotiated } from '../request/negotiate.ts';
import { Entry } from '../watchcache/entry.ts';
import { writeListText } from './list-text.ts';
import { LoopTurns } from './loop-turns.ts';
import type { Response } from './response.ts';

const definition = builtinDefinitions().find(({ type }) => type.group === '' && type.resource === 'configmaps');

/** The body and the headers of a list of `count` ConfigMaps. */
async function written(count: number, wanted: Partial<Negotiated>, pretty = false) {
  if (definition === undefined) throw new Error('no ConfigMaps');
  const fields: Record<string, unknown> = {};
  const stream = new PassThrough();
  const response = Object.assign(stream, { writeHead: (_: number, head: object) => Object.assign(fields, head) });
  const entries = Array.from({ length: count }, (_, i) => {
    const metadata = { name: `n${i}`, namespace: 'a', annotations: { text: 'line\n"two"' } };
    return new Entry(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { i: `${i}` } } as unknown as KubeObject,
      i + 1,
    );
  });
  const negotiated: Negotiated = { encoding: 'json', as: '', group: '', version: 'v1', ...wanted };
  const head = { auditID: 'a', warnings: [], gzip: false, pretty, headOnly: false };
  const table = { includeObject: 'Metadata', nowMs: 0, version: 'v1' } as const;
  const list = { definition, entries, resourceVersion: '9' };
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => stream.once('end', resolve));
  const turns = new LoopTurns(new FakeClock());
  await writeListText(response as unknown as Response, list, negotiated, table, head, turns);
  await ended;
  return { text: Buffer.concat(chunks).toString(), fields };
}

test.each([0, 1, 3])('%i elements in all forms', async (count) => {
  const { text, fields } = await written(count, {}, true);
  const value = JSON.parse(text) as { kind: string; items: unknown[] };
  expect(value).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: '9' } });
  expect(value.items).toHaveLength(count);
  expect(text).toBe(`${JSON.stringify(value, undefined, 2)}\n`);
  expect(fields).toMatchObject({ 'Content-Length': text.length });
  expect(parse((await written(count, { encoding: 'yaml' })).text)).toEqual(value);
  const metadata = JSON.parse((await written(count, { as: 'PartialObjectMetadataList' })).text);
  expect(metadata).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
  expect(metadata.items).toHaveLength(count);
  const table = JSON.parse((await written(count, { as: 'Table' })).text);
  expect(table).toMatchObject({ kind: 'Table', metadata: { resourceVersion: '9' } });
  expect(table.columnDefinitions).not.toHaveLength(0);
  expect(table.rows).toHaveLength(count);
});

test('a long list goes out part by part', async () => {
  const { text, fields } = await written(3000, {}, true);
  expect(JSON.parse(text).items).toHaveLength(3000);
  expect(fields).not.toHaveProperty('Content-Length');
});
