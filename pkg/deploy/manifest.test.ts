import { expect, test } from 'vitest';
import { parseYAML } from '../api/schema/yaml.ts';
import { inApplyOrder, parseManifest } from './manifest.ts';

const configMap = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

test('documents, lists, comments and empty documents', async () => {
  const list = `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: s}}\n- {apiVersion: v1, kind: Namespace, metadata: {name: ns}}\n`;
  const text = `# only a comment\n---\n${configMap('a')}---\n\n--- # next\n${configMap('b')}---\n${list}`;
  const objects = await parseManifest({ name: 'm.yaml', text }, parseYAML);
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'ConfigMap a',
    'ConfigMap b',
    'Secret s',
    'Namespace ns',
  ]);
  expect(inApplyOrder(objects)[0]?.kind).toBe('Namespace');
});

test.each([
  ['a: [', 'document 1 cannot be read'],
  ['just text', 'document 1: is not an object'],
  ['kind: X', 'document 1: apiVersion is missing'],
  ['apiVersion: v1\nmetadata: {name: a}', 'document 1: kind is missing'],
  [`${configMap('a')}---\napiVersion: v1\nkind: X`, 'document 2: metadata.name is missing'],
])('%j is refused', async (text, problem) => {
  await expect(parseManifest({ name: 'm.yaml', text }, parseYAML)).rejects.toThrow(`manifest m.yaml: ${problem}`);
});
