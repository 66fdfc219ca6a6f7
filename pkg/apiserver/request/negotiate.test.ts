import { expect, test } from 'vitest';
import { type AnswerForms, checkRoute, metaTransform, negotiate, ROUTED_COLLECTION } from './negotiate.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const meta = (as: string): string => `;as=${as};g=meta.k8s.io;v=v1`;
const builtin: AnswerForms = { protobuf: (as) => as !== 'Table' };
const custom: AnswerForms = { protobuf: (as) => as !== 'Table' && as !== '' };
const list = metaTransform('list', ['get', 'list']);

test.each<[string, AnswerForms, string]>([
  ['', builtin, 'json '],
  ['application/*,application/json', builtin, 'json '],
  [`${PROTOBUF},application/json`, builtin, 'protobuf '],
  [`application/json,${PROTOBUF}`, builtin, 'json '],
  [`application/json;q=0.5,${PROTOBUF}`, builtin, 'protobuf '],
  [`${PROTOBUF},application/json`, custom, 'json '],
  [`${PROTOBUF},application/json`, {}, 'json '],
  [`${PROTOBUF}${meta('Table')},application/json${meta('Table')}`, builtin, 'json Table'],
  [`${PROTOBUF}${meta('PartialObjectMetadataList')},application/json`, custom, 'protobuf PartialObjectMetadataList'],
  [`${PROTOBUF};stream=watch`, { ...builtin, stream: true }, 'protobuf '],
])('%s', (accept, forms, expected) => {
  const { encoding, as } = negotiate(accept, list, forms);
  expect(`${encoding} ${as}`).toBe(expected);
});

test.each<[string, AnswerForms, string]>([
  [PROTOBUF, custom, 'application/json, application/yaml, application/vnd.kubernetes.protobuf'],
  [PROTOBUF, {}, 'application/json, application/yaml'],
  [`${PROTOBUF}${meta('Table')}`, builtin, 'application/json, application/yaml'],
  [
    'application/yaml',
    { stream: true },
    'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch',
  ],
])('%s is not acceptable', (accept, forms, accepted) => {
  expect(() => negotiate(accept, list, forms)).toThrow(`only the following media types are accepted: ${accepted}`);
});

test('what can only be created has no table', () => {
  const review = metaTransform('create', ['create']);
  expect(() => negotiate(`application/json${meta('Table')}`, review)).toThrow('only the following media types');
  expect(negotiate(`application/json${meta('PartialObjectMetadata')}`, review).as).toBe('PartialObjectMetadata');
});

test.each(['application/*', 'text/html', 'application/cbor', 'application/x-yaml;q=0.5, foo'])(
  '%s is no route',
  (accept) => {
    expect(() => negotiate(accept, list, { ...builtin, routed: ROUTED_COLLECTION })).toThrow(
      /^406: Not Acceptable\n\nAvailable representations: application\/json, .*, application\/json;stream=watch, /,
    );
    expect(() => checkRoute(accept, 'application/json')).toThrow('Available representations: application/json');
  },
);

test('a version without a kind is a form that nothing has', () => {
  expect(() => negotiate('application/json;v=v1', list, builtin)).toThrow('only the following media types');
  expect(negotiate('application/json;v=v1, application/yaml', list, builtin).encoding).toBe('yaml');
});
