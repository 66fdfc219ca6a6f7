import { expect, test } from 'vitest';
import { parseYAML } from '../../api/schema/yaml.ts';
import type { PatchKind } from '../../client/client.ts';
import type { FieldValidation } from '../object-engine.ts';
import { parsePatch } from './patch-body.ts';

const parse = (text: string, kind: PatchKind, validation: FieldValidation = 'Warn') =>
  parsePatch({ bytes: Buffer.from(text), contentType: '' }, kind, validation, parseYAML);

test.each([
  [
    'json',
    'Warn',
    '[{"op":"test","path":"/a","op":"add","x":1}]',
    ['json patch duplicate field "[0].op"', 'json patch unknown field "[0].x"'],
  ],
  ['json', 'Ignore', '[{"op":"test","path":"/a","op":"add","x":1}]', []],
  ['merge', 'Strict', '{"data":{"k":"1","k":"2"}}', ['duplicate field "data.k"']],
  ['strategic', 'Warn', '{"data":{"k":"1"},"data":{}}', ['duplicate field "data"']],
  ['merge', 'Warn', '{"data":{"k":"1"}}', []],
  [
    'apply',
    'Warn',
    'kind: X\nkind: Y\n',
    ['error converting YAML to JSON: yaml: unmarshal errors:\n  line 2: key "kind" already set in map'],
  ],
  ['apply', 'Ignore', 'kind: X\nkind: Y\n', []],
] as const)('%s patch with %s: %s', async (kind, validation, text, findings) => {
  expect((await parse(text, kind, validation)).findings).toEqual(findings);
});

test.each([
  ['json', 'Warn', 'x', "error decoding patch: invalid character 'x' looking for beginning of value"],
  ['json', 'Ignore', 'x', "invalid character 'x' looking for beginning of value"],
  ['merge', 'Strict', '{', 'error decoding patch: unexpected end of JSON input'],
  ['merge', 'Ignore', '{', 'Invalid JSON Patch'],
  ['strategic', 'Warn', '', 'unexpected end of JSON input'],
  [
    'apply',
    'Warn',
    '[]',
    'error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}',
  ],
  ['merge', 'Warn', `{"a":${'['.repeat(600)}${']'.repeat(600)}}`, 'error decoding patch: exceeded max depth'],
  ['apply', 'Warn', '{', /^error decoding YAML: error converting YAML to JSON: yaml: line 1: /],
] as const)('a %s patch (%s) that is not readable: %s', async (kind, validation, text, message) => {
  await expect(parse(text, kind, validation)).rejects.toThrow(message);
});
