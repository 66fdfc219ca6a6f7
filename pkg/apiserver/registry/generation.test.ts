import { expect, it } from 'vitest';
import type { KubeObject } from '../../api/object.ts';
import { builtinDefinitions } from '../../api/scheme.ts';
import { hasGeneration, nextGeneration } from './generation.ts';

const definitions = new Map(
  builtinDefinitions().map((one) => [`${one.type.group}/${one.type.version}/${one.type.resource}`, one]),
);

function object(spec: object, generation?: number): KubeObject {
  return {
    metadata: { name: 'a', ...(generation === undefined ? {} : { generation }) },
    spec,
  } as unknown as KubeObject;
}

it.each<[resource: string, atCreation: boolean, before: number | undefined, changed: number | undefined]>([
  ['apps/v1/deployments', true, 1, 2],
  ['extensions/v1beta1/deployments', true, 1, 2],
  ['networking.k8s.io/v1/networkpolicies', true, 1, 2],
  ['storage.k8s.io/v1/csidrivers', false, undefined, 1],
  ['storage.k8s.io/v1/csidrivers', false, 3, 4],
  ['storage.k8s.io/v1/volumeattachments', false, undefined, undefined],
])('%s', (resource, atCreation, before, changed) => {
  const definition = definitions.get(resource);
  if (definition === undefined) throw new Error(`${resource} is not served`);
  expect(hasGeneration(definition)).toBe(atCreation);
  const old = object({ a: 1 }, before);
  expect(nextGeneration(definition, object({ a: 1 }, before), old)).toBe(before);
  expect(nextGeneration(definition, object({ a: 2 }, before), old)).toBe(changed);
});
