import { expect, test } from 'vitest';
import { checkManifest } from './check-manifest.ts';

const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i}]}\n';

test('pods with their configuration', async () => {
  const text = `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n---\n${pod}`;
  expect((await checkManifest('f', text)).map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'Secret s',
    'Pod p',
  ]);
});

test.each([
  [pod.replace('image', 'imagee'), /unknown field "spec.containers\[0\].imagee"/],
  [pod.replace('name: c', 'name: C'), /spec\.containers\[0\]\.name: Invalid value/],
  [pod.replace('v1', 'apps/v1').replace('Pod', 'Deployment'), /f: apps\/v1 Deployment "p" needs a cluster/],
  [`${pod}---\n${pod}`, /already exists/],
  ['a: [', /document 1 cannot be read/],
  ['a: b', /apiVersion is missing/],
])('%j is refused', async (text, message) => {
  await expect(checkManifest('f', text)).rejects.toThrow(message);
});
