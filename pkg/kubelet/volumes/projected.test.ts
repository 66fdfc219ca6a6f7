import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { projectedVolume, secretVolume } from './projected.ts';
import type { VolumePlugin, VolumeSetup } from './volume.ts';

const secrets: Readonly<Record<string, object>> = { there: { data: { key: 'dmFsdWU=' } } };

async function setUp(plugin: VolumePlugin, source: object): Promise<string[]> {
  const paths: string[] = [];
  const setup = {
    pod: { metadata: {}, spec: { containers: [] } },
    source,
    dir: '/volume',
    write: async (_: string, files: ReadonlyMap<string, unknown>) => paths.push(...files.keys()),
    deps: { clock: new FakeClock(), object: async (_: unknown, name: string) => secrets[name] },
  };
  await plugin.setUp(setup as unknown as VolumeSetup);
  return paths;
}

const projected = (...sources: object[]): Promise<string[]> => setUp(projectedVolume, { projected: { sources } });

test('sources that are missing are told of together', async () => {
  await expect(projected({ configMap: { name: 'a' } }, { secret: { name: 'b' } })).rejects.toThrow(
    '[configmap "a" not found, secret "b" not found]',
  );
  await expect(projected({ configMap: { name: 'a' } })).rejects.toThrow(/^configmap "a" not found$/);
});

test('a source of which the API server left nothing gives nothing', async () => {
  expect(await projected({}, { secret: { name: 'there' } })).toEqual(['key']);
});

test('a key of a secret that is not there', async () => {
  const secret = { secretName: 'there', items: [{ key: 'no', path: 'x' }] };
  await expect(setUp(secretVolume, { secret })).rejects.toThrow('references non-existent secret key: no');
});
