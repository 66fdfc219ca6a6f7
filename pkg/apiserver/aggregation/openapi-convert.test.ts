import { expect, test } from 'vitest';
import { convertOpenAPI } from './openapi-convert.ts';

test('a document of version 2 as one of version 3', () => {
  const gvk = { group: 'g', version: 'v1', kind: 'Flunder' };
  const reference = (root: string) => ({ $ref: `#/${root}/Flunder` });
  const document = convertOpenAPI({
    etag: '"1"',
    definitions: {
      Flunder: {
        type: 'object',
        properties: { next: reference('definitions') },
        'x-kubernetes-group-version-kind': [gvk],
      },
    },
    paths: {
      '/apis/g/v1/flunders': {
        parameters: [{ name: 'pretty', in: 'query', type: 'string', uniqueItems: true }],
        post: {
          consumes: ['application/json'],
          produces: ['application/json', 'application/yaml'],
          schemes: ['https'],
          parameters: [
            { name: 'body', in: 'body', required: true, schema: reference('definitions') },
            { name: 'dryRun', in: 'query', type: 'string' },
          ],
          responses: { 201: { description: 'Created', schema: reference('definitions') }, 401: { description: 'No' } },
          'x-kubernetes-group-version-kind': gvk,
        },
      },
    },
  });
  const content = { schema: reference('components/schemas') };
  expect(document).toMatchObject({ openapi: '3.0.0' });
  expect(document['components']).toEqual({
    schemas: {
      Flunder: {
        type: 'object',
        properties: { next: reference('components/schemas') },
        'x-kubernetes-group-version-kind': [gvk],
      },
    },
  });
  expect(document['paths']).toEqual({
    '/apis/g/v1/flunders': {
      parameters: [{ name: 'pretty', in: 'query', schema: { type: 'string', uniqueItems: true } }],
      post: {
        parameters: [{ name: 'dryRun', in: 'query', schema: { type: 'string' } }],
        requestBody: { content: { 'application/json': content }, required: true },
        responses: {
          201: { description: 'Created', content: { 'application/json': content, 'application/yaml': content } },
          401: { description: 'No' },
        },
        'x-kubernetes-group-version-kind': gvk,
      },
    },
  });
});

test('what is no document converts as well', () => {
  const paths = { '/x': { get: 7, parameters: 'x' }, '/y': { get: { parameters: [1], responses: [] } } };
  const document = convertOpenAPI({ etag: '', definitions: {}, paths: paths as never });
  expect(document['paths']).toEqual({
    '/x': { get: { responses: {} }, parameters: [] },
    '/y': { get: { parameters: [{}], responses: {} } },
  });
});
